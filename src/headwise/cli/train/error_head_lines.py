"""What `train errors` says when it is done, and the calibration that it fits last."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headwise.backbones import Backbone, PromptTemplate
    from headwise.bundled.registry import ModelLocation
    from headwise.training.errors import ErrorReport


CHOSEN_ON_THE_SAME = (
    "These texts also decided when training stopped, what the error head's outputs were calibrated "
    "to, and which signal quality is made of. Measure again with texts of your own before you rely "
    "on the promise of a risk threshold: `headwise calibrate`."
)


def fit_calibration(
    model: "Backbone",
    prompt: "PromptTemplate",
    output: Path,
    report: "ErrorReport",
    data: list[str],
) -> list[str]:
    """Measure the signals on the dev texts, fit the calibration to them, and say what came out."""
    from headwise.data.records.signals import Signal
    from headwise.errors import CalibrationError
    from headwise.heads import load_error_head, load_head
    from headwise.heads.storage.quality_heads import has_sigmoid_head
    from headwise.metrics import roc_auc
    from headwise.quality import QualityEstimator
    from headwise.quality.calibrate import calibrate
    from headwise.quality.labelled_texts import label_signals

    head = None
    if has_sigmoid_head(output):
        head = load_head(output, unembedding=lambda: model.unembedding)
    estimator = QualityEstimator(model, head, error_head=load_error_head(output), prompt=prompt)
    wanted = (Signal.ERROR, Signal.SIGMOID, Signal.SOFTMAX)
    signals = [signal for signal in wanted if estimator.heads.can_give(signal)]
    pairs, groups = report.judged, report.judged_groups
    labelled = label_signals(estimator, pairs, signals, groups=groups, progress=True)
    areas = ", ".join(
        f"{signal} {_number(roc_auc(texts.tokens(), ~texts.wrong()).value)}"
        for signal, texts in labelled.items()
    )
    lines = [f"AUROC of wrong tokens among all on {len(pairs):,} dev texts: {areas}."]
    names = [Path(path).name for path in data]
    try:
        calibration = calibrate(estimator, pairs, groups=groups, data=names, progress=True)
    except CalibrationError as error:
        return [*lines, f"No calibration was fitted, `headwise calibrate` can do so: {error}"]
    provenance = calibration.provenance
    noted = provenance.model_copy(update={"notes": (*provenance.notes, CHOSEN_ON_THE_SAME)})
    calibration.model_copy(update={"provenance": noted}).save(output)
    return [
        *lines,
        f"The signal quality is made of {calibration.signal}; words below "
        f"{calibration.threshold:.4f} are marked.",
    ]


def training_summary(report: "ErrorReport") -> list[str]:
    """What was done, in lines."""
    lines = []
    if (stage := report.synthetic) is not None:
        lines += [
            f"Trained on {report.train_pairs:,} texts and copies of them with errors "
            f"({stage.texts:,} in all, {stage.targets:,} tokens an epoch) in {stage.seconds:.0f} s "
            f"of {report.seconds:.0f} s.",
            "Dev AUROC of tokens by family: "
            + ", ".join(f"{name} {value:.3f}" for name, value in stage.families().items())
            + f"; mean {stage.evaluations[stage.best].metrics['auroc']:.4f}.",
        ]
    if (stage := report.labelled) is not None:
        lines.append(
            f"Trained on {stage.texts:,} marked texts in {stage.seconds:.0f} s: AUROC of tokens "
            f"{_number(stage.tokens.auroc)} on {stage.dev_texts:,} held-out ones."
        )
    if report.rejected:
        lines.append(f"{report.rejected:,} texts left out.")
    last = report.last
    ece = f"{_number(last.tokens.ece_before)} -> {_number(last.tokens.ece_after)}"
    return [*lines, f"Calibration error of tokens on dev: {ece}."]


def hint_at_both_heads(
    place: "ModelLocation", output: Path, backbone: str, prompt: "PromptTemplate"
) -> list[str]:
    """How to have both heads in one folder, where the model has a Sigmoid Head that fits."""
    from headwise.heads.storage.error_head import differing_part
    from headwise.heads.storage.quality_heads import has_sigmoid_head, read_head_info

    if place.head is None or not has_sigmoid_head(place.head) or has_sigmoid_head(output):
        return []
    if differing_part(read_head_info(place.head).prompt, prompt.model_dump()) is not None:
        return []
    return [
        f"{output} has an error head alone. The same command with --with-head {backbone} puts the "
        "Sigmoid Head beside it; training is not done again."
    ]


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
