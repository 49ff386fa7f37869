"""One run of a training, whatever the head: its steps in order, and its cost."""

import logging
import resource
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

import torch
from torch import nn

from headwise.backbones import Backbone, CausalBackbone, EncoderBackbone, weights_digest
from headwise.backbones.content import model_digests
from headwise.backbones.states.probe import StatesProbe
from headwise.data.records.pairs import Pair
from headwise.errors import DataError, MismatchError
from headwise.features.fingerprint import rows_digest
from headwise.files import only_writer, remove_folder
from headwise.heads.storage.files import CURVES_FILE, RUN_FILE, WEIGHTS_FILE
from headwise.training.loop.card import model_card
from headwise.training.loop.claim import claim_output, finish_output
from headwise.training.loop.curves import MeasurePlot, draw_curves
from headwise.training.loop.fit import Trained
from headwise.training.loop.processes import Processes
from headwise.training.loop.report import TrainingHistory
from headwise.training.loop.run_file import TrainingRun

logger = logging.getLogger(__name__)
Sources = TypeVar("Sources")
Fitted = TypeVar("Fitted")
Report = TypeVar("Report")

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall time of a call, features included, and most memory held by device or process."""

    seconds: float
    peak_bytes: int


@dataclass(frozen=True, kw_only=True)
class HeadTraining(ABC, Generic[Sources, Fitted, Report]):
    """A run whose steps a subclass fills in; :meth:`run` takes them in order.

    The head is trained on the device of ``backbone``. ``leaked`` counts the dev pairs that stand in
    the training data as well. Of the ``processes`` that share the run, only the first writes.
    When all is written, ``afterwards`` has what is still to be done before the run is finished and
    its checkpoints go, unless ``keep_checkpoints`` says otherwise. ``overwrite`` begins anew,
    whatever the folder holds.
    """

    # The folder in `training/` that has the template of the card
    kind: ClassVar[str]
    # Names in the output folder, which may hold heads of several kinds
    run_file: ClassVar[str] = RUN_FILE
    curves_file: ClassVar[str] = CURVES_FILE
    weights_file: ClassVar[str] = WEIGHTS_FILE
    checkpoints_name: ClassVar[str] = CHECKPOINTS
    features_name: ClassVar[str] = "features"
    # What checkpoints do not depend on, as `settings.NAME`
    may_differ: ClassVar[Collection[str]] = ()
    # Without one, no curves are drawn
    plot: ClassVar[MeasurePlot | None] = None

    output: Path
    record: TrainingRun
    settings: Any
    backbone: Backbone | EncoderBackbone
    progress: bool
    leaked: int = 0
    processes: Processes = Processes(0, 1)
    keep_checkpoints: bool = False
    overwrite: bool = False
    afterwards: Callable[[Report], None] | None = None

    @property
    def device(self) -> torch.device:
        """Where the head is trained."""
        return self.backbone.device

    @property
    def checkpoints(self) -> Path:
        """Their folder."""
        return self.output / self.checkpoints_name

    @property
    def feature_folder(self) -> Path:
        """The cache's place; each part of the data has a folder of its own in it."""
        return Path(self.settings.feature_folder or self.output / self.features_name)

    def run(self) -> Report:
        """Claim the folder, get features, fit, report, and save head, card and curves.

        Raises:
            TrainingError: If the folder holds a run with other settings, or as the steps do.
            FinishedError: If it holds this run, finished.
            OutputError: If another process is training into the folder, or the disk is full.
        """
        started = time.monotonic()
        _reset_peak_memory(self.device)
        with ExitStack() as held:
            if self.processes.first:
                held.enter_context(only_writer(self.output))
                self.record.digests |= self._digests()
                claim_output(
                    self.output,
                    self.record,
                    checkpoints=self.checkpoints,
                    name=self.run_file,
                    weights=self.weights_file,
                    may_differ=self.may_differ,
                    keep_checkpoints=self.keep_checkpoints,
                    overwrite=self.overwrite,
                )
            sources = self._features()
            fitted = self.fit(sources)
            cost = Cost(time.monotonic() - started, _peak_memory(self.device))
            report = self.report(sources, fitted, cost)
            if self.processes.first:
                self._write(fitted, report)
            self.processes.wait()
        return report

    def _digests(self) -> dict[str, str]:
        """What tells models and data from others of the same names."""
        found = {"backbone": " ".join(model_digests(self.backbone.model).values())}
        for name, part in self.content.items():
            if isinstance(part, nn.Module):
                found[name] = weights_digest(part)
            else:
                found[name] = rows_digest(part)
        return found

    def _features(self) -> Sources:
        try:
            return self.read_features()
        except (MismatchError, DataError):
            # A cache of this run alone may be that of the one which is written over
            own = self.output / self.features_name
            if not self.overwrite or self.settings.feature_folder or self.processes.count > 1:
                raise
            if not own.is_dir():
                raise
            remove_folder(own)
            return self.read_features()

    def _write(self, fitted: Fitted, report: Report) -> None:
        self.save(fitted, report)
        if isinstance(self.backbone, CausalBackbone):
            StatesProbe.of(self.backbone).write(self.output)
        if self.plot is not None:
            draw_curves(
                self.history(report),
                self.output / self.curves_file,
                criterion=self.settings.criterion,
                plot=self.plot,
            )
        if self.afterwards is not None:
            self.afterwards(report)
        finish_output(
            self.output,
            self.record,
            checkpoints=self.checkpoints,
            name=self.run_file,
            keep_checkpoints=self.keep_checkpoints,
        )

    @property
    @abstractmethod
    def content(self) -> Mapping[str, Sequence[object] | nn.Module]:
        """Data, and heads to start from, by names under which the run file has their digests."""

    @abstractmethod
    def read_features(self) -> Sources:
        """Features of all parts of the data, from a cache or live."""

    @abstractmethod
    def fit(self, sources: Sources) -> Fitted:
        """Train from the newest checkpoint on; what came out, the head included."""

    @abstractmethod
    def report(self, sources: Sources, fitted: Fitted, cost: Cost) -> Report:
        """What was done."""

    @abstractmethod
    def save(self, fitted: Fitted, report: Report) -> None:
        """Write the head with its card."""

    def figures(self, trained: Trained, cost: Cost) -> dict[str, Any]:
        """What a :class:`RunReport` says of any training, by the names of its fields."""
        return trained.history() | {
            "dev_in_train": self.leaked,
            "seconds": cost.seconds,
            "peak_bytes": cost.peak_bytes,
        }

    def history(self, report: Report) -> TrainingHistory:
        """What the curves show; for most kinds the report itself."""
        return cast(TrainingHistory, report)

    def card(self, report: Report, head: nn.Module, **facts: object) -> str:
        """The card of a head, as Markdown; ``facts`` are what only its own template speaks of."""
        return model_card(
            self.kind,
            report=report,
            run=self.record,
            settings=self.settings,
            head=head,
            numbers=sum(parameter.numel() for parameter in head.parameters()),
            curves_file=self.curves_file,
            run_file=self.run_file,
            **facts,
        )


def text_key(pair: Pair) -> str:
    """What tells a pair from others; what was given may be a conversation."""
    return repr((pair.given, pair.hypothesis))


def count_leaks(train: Iterable[object], dev: Iterable[object]) -> int:
    """How many dev items, by what tells them from others, stand in training; a warning says so."""
    known = set(train)
    items = list(dev)
    leaked = sum(item in known for item in items)
    if leaked:
        logger.warning(
            "%d of %d dev pairs stand in the training data as well; the dev loss is too good "
            "for them.",
            leaked,
            len(items),
        )
    return leaked


def _reset_peak_memory(device: torch.device) -> None:
    """Forget the accelerator's peak so far; that of a process cannot be forgotten."""
    if device.type != "cpu":
        torch.accelerator.reset_peak_memory_stats(device)


def _peak_memory(device: torch.device) -> int:
    if device.type != "cpu":
        return int(torch.accelerator.max_memory_allocated(device))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Bytes on macOS, KiB elsewhere
    return peak if sys.platform == "darwin" else peak * 1024
