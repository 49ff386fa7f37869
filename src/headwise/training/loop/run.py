"""One run of a training, whatever the head: its steps in order, its processes, its cost."""

import logging
import resource
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

import torch
import torch.distributed
from torch import nn
from transformers import TrainingArguments

from headwise.backbones import Backbone, EncoderBackbone
from headwise.data.records.pairs import Pair
from headwise.heads.storage.files import CURVES_FILE, RUN_FILE
from headwise.training.loop.card import model_card
from headwise.training.loop.curves import MeasurePlot, draw_curves
from headwise.training.loop.fit import Trained
from headwise.training.loop.report import TrainingHistory
from headwise.training.loop.run_file import TrainingRun, claim_output

logger = logging.getLogger(__name__)
T = TypeVar("T")
Sources = TypeVar("Sources")
Fitted = TypeVar("Fitted")
Report = TypeVar("Report")

CHECKPOINTS = "checkpoints"


@dataclass(frozen=True, slots=True)
class Processes:
    """The number of this process, from 0, and the count of those that share a run."""

    number: int
    count: int

    @classmethod
    def of(cls, arguments: TrainingArguments) -> "Processes":
        """Those that Transformers found, after it has set up their communication."""
        return cls(arguments.process_index, arguments.world_size)

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.number == 0

    def agreed(self, decide: Callable[[], T]) -> T:
        """What the first process decides, in all of them."""
        decision = [decide() if self.first else None]
        if self.count > 1:
            torch.distributed.broadcast_object_list(decision)
        return cast(T, decision[0])

    def wait(self) -> None:
        """Return when all have called this."""
        if self.count > 1:
            torch.distributed.barrier()


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
    """

    # The folder in `training/` that has the template of the card
    kind: ClassVar[str]
    # Names in the output folder, which may hold heads of several kinds
    run_file: ClassVar[str] = RUN_FILE
    curves_file: ClassVar[str] = CURVES_FILE
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
            TrainingError: If the folder holds checkpoints of a run with other settings, or as the
                steps do.
        """
        started = time.monotonic()
        _reset_peak_memory(self.device)
        if self.processes.first:
            claim_output(
                self.output,
                self.record,
                checkpoints=self.checkpoints,
                name=self.run_file,
                may_differ=self.may_differ,
            )
        sources = self.read_features()
        fitted = self.fit(sources)
        cost = Cost(time.monotonic() - started, _peak_memory(self.device))
        report = self.report(sources, fitted, cost)
        if self.processes.first:
            self.save(fitted, report)
            if self.plot is not None:
                draw_curves(
                    self.history(report),
                    self.output / self.curves_file,
                    criterion=self.settings.criterion,
                    plot=self.plot,
                )
        self.processes.wait()
        return report

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
