"""Train an error head and calibrate it on the dev texts, so that its folder is ready to use."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from headwise.backbones import Backbone, PromptTemplate
from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.pairs import Pairlike
from headwise.data.records.signals import Signal
from headwise.errors import CalibrationError
from headwise.heads import (
    check_fit,
    check_same_prompt,
    copy_head,
    has_sigmoid_head,
    load_error_head,
    load_head,
)
from headwise.metrics import roc_auc
from headwise.quality.calibrate import calibrate
from headwise.quality.calibration.blend import Blend
from headwise.quality.calibration.record import Calibration
from headwise.quality.estimator import QualityEstimator
from headwise.quality.labelled_texts import label_signals
from headwise.training.errors import ErrorReport, ErrorTraining, train_uncalibrated_error_head

logger = logging.getLogger(__name__)

_CHOSEN_ON_THE_SAME = (
    "These texts also decided when training stopped, what the error head's outputs were calibrated "
    "to, and which signal quality is made of. Measure again with texts of your own before you rely "
    "on the promise of a risk threshold: `headwise calibrate`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedErrorHead:
    """What came out of a training with the calibration that follows it.

    Attributes:
        aurocs: ROC AUC of wrong tokens among all on the dev texts, by signal; ``None`` where it is
            undefined.
        default: The signal that the folder scores with if nothing else is asked for.
        calibration: What was saved with the head; ``None`` if none could be fitted.
        report: What the training alone found.
        not_calibrated: Why there is no calibration; ``None`` where there is one.
    """

    report: ErrorReport
    aurocs: Mapping[Signal, float | None]
    default: Signal
    calibration: Calibration | None
    not_calibrated: str | None

    @property
    def verdict(self) -> str:
        """What the default signal is made of, and whether another one was better on dev."""
        said = f"The default signal is {self.default}"
        made_of = self.default
        if self.calibration is not None:
            if self.calibration.signal is None:
                weighed = self.calibration.blend.name
                return f"{said}, made of {weighed}, better than each alone on dev."
            made_of = self.calibration.signal
        said += f", made of {made_of}" if made_of is not self.default else ""
        known = {signal: area for signal, area in self.aurocs.items() if area is not None}
        best = max(known, key=known.__getitem__, default=made_of)
        if made_of not in known or known[best] <= known[made_of]:
            return f"{said}, the best on dev."
        return (
            f"{said}, though {best} tells wrong tokens apart better on dev ({known[best]:.4f} "
            f"against {known[made_of]:.4f}): ask for it with `--signals {best}`, or make quality "
            f"of it with `headwise calibrate --signal {best}`."
        )


def train_error_head(
    backbone: Backbone,
    train: Sequence[Pairlike],
    dev: Sequence[Pairlike],
    output: str | Path,
    *,
    prompt: PromptTemplate,
    backbone_name: str,
    settings: ErrorTraining | None = None,
    labels: Sequence[Pairlike] = (),
    label_dev: Sequence[Pairlike] = (),
    start: str | Path | None = None,
    sigmoid_head: str | Path | None = None,
    data: Sequence[str] = (),
    dev_data: Sequence[str] = (),
    label_data: Sequence[str] = (),
    label_dev_data: Sequence[str] = (),
    progress: bool = False,
    keep_checkpoints: bool = False,
    overwrite: bool = False,
) -> TrainedErrorHead:
    """Train an error head and calibrate it: the same folder as ``headwise train errors`` leaves.

    The training alone is :func:`headwise.training.train_uncalibrated_error_head`, which explains
    what both are given. ``sigmoid_head`` is the folder of a Sigmoid Head to copy into the output,
    so that one folder has both; one that is in the output already stays, and this is not read.

    Returns:
        What the training and the calibration found.

    Raises:
        MismatchError: If the Sigmoid Head belongs to another model or reads another prompt, before
            anything is trained or written; and as the training does.
    """
    output = Path(output)
    beside = output if has_sigmoid_head(output) else sigmoid_head
    if beside is not None:
        _check_sigmoid_head(Path(beside), backbone, prompt)
    found: list[TrainedErrorHead] = []

    def calibrate_folder(report: ErrorReport) -> None:
        if beside is not None and Path(beside) != output:
            # Last: a run that fails leaves no head of another folder behind
            copy_head(Path(beside), output, with_error_head=False)
        head = None
        if has_sigmoid_head(output):
            head = load_head(output, unembedding=lambda: backbone.unembedding)
        error_head = load_error_head(output)
        estimator = QualityEstimator(backbone, head, error_head=error_head, prompt=prompt)
        held_out_data = label_dev_data or label_data or dev_data
        found.append(_calibrated(estimator, report, output, data=held_out_data, progress=progress))

    train_uncalibrated_error_head(
        backbone,
        as_pairs(train),
        as_pairs(dev),
        output,
        prompt=prompt,
        backbone_name=backbone_name,
        settings=settings,
        labels=as_pairs(labels),
        label_dev=as_pairs(label_dev),
        start=start,
        data=data,
        dev_data=dev_data,
        label_data=label_data,
        label_dev_data=label_dev_data,
        progress=progress,
        keep_checkpoints=keep_checkpoints,
        overwrite=overwrite,
        # Part of the run: one that is stopped here goes on from its checkpoints
        afterwards=calibrate_folder,
    )
    return found[0]


def _check_sigmoid_head(folder: Path, backbone: Backbone, prompt: PromptTemplate) -> None:
    check_same_prompt(folder, prompt.model_dump())
    check_fit(
        load_head(folder, unembedding=lambda: backbone.unembedding),
        vocabulary_size=backbone.vocabulary_size,
        hidden_size=backbone.hidden_size,
        layer_widths=lambda: backbone.layer_widths,
    )


def _calibrated(
    estimator: QualityEstimator,
    report: ErrorReport,
    output: Path,
    *,
    data: Sequence[str],
    progress: bool,
) -> TrainedErrorHead:
    """Measure the signals on the dev texts of the last stage, and fit a calibration to them."""
    wanted = (Signal.ERROR, Signal.SIGMOID, Signal.SOFTMAX)
    signals = [signal for signal in wanted if estimator.heads.can_give(signal)]
    pairs, groups = report.held_out, report.held_out_groups
    labelled = label_signals(estimator, pairs, signals, groups=groups, progress=progress)
    aurocs = {
        signal: roc_auc(labelled.of(Blend.alone(signal)).tokens(), ~labelled.wrong()).value
        for signal in signals
    }
    calibration, reason = None, None
    try:
        fitted = calibrate(
            estimator,
            pairs,
            groups=groups,
            # Copies with errors that were made are no rivals, as a model's own texts are
            ranking="texts" if report.labelled is None else None,
            data=[Path(path).name for path in data],
            progress=progress,
        )
    except CalibrationError as error:
        # Few dev texts are no reason to lose the head that was trained
        reason = str(error)
    else:
        notes = (*fitted.provenance.notes, _CHOSEN_ON_THE_SAME)
        provenance = fitted.provenance.model_copy(update={"notes": notes})
        calibration = fitted.model_copy(update={"provenance": provenance})
        calibration.save(output)
        calibration = Calibration.load(output)  # its card knows the languages
    learned, softmax = aurocs[Signal.ERROR], aurocs[Signal.SOFTMAX]
    if learned is not None and softmax is not None and learned < softmax:
        logger.warning(
            "The error head is worse than the softmax of the language model on dev: AUROC of "
            "wrong tokens %.4f against %.4f.",
            learned,
            softmax,
        )
    return TrainedErrorHead(
        report=report,
        aurocs=aurocs,
        default=estimator.heads.default_signal(calibration),
        calibration=calibration,
        not_calibrated=reason,
    )
