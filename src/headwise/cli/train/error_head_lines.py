"""What `train errors` says when it is done."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headwise.backbones import PromptTemplate
    from headwise.bundled.registry import ModelLocation
    from headwise.quality.after_training import TrainedErrorHead
    from headwise.training.errors import ErrorReport


def lines_after_training(
    trained: "TrainedErrorHead",
    place: "ModelLocation",
    output: Path,
    backbone: str,
    prompt: "PromptTemplate",
) -> list[str]:
    """What was done, how good it is, where it is, and what could be done next."""
    return [
        *_training_summary(trained.report),
        *_calibration_summary(trained),
        f"Head, card, curves and run file: {output}",
        *_hint_at_both_heads(place, output, backbone, prompt),
    ]


def _calibration_summary(trained: "TrainedErrorHead") -> list[str]:
    """How well the signals do on dev, and what the calibration is made of."""
    areas = ", ".join(f"{signal} {_number(value)}" for signal, value in trained.aurocs.items())
    texts = len(trained.report.held_out)
    lines = [
        f"AUROC of wrong tokens among all on {texts:,} dev texts: {areas}.",
        trained.verdict,
    ]
    if (calibration := trained.calibration) is None:
        reason = trained.not_calibrated
        return [*lines, f"No calibration was fitted, `headwise calibrate` can do so: {reason}"]
    return [
        *lines,
        f"Words with a quality below {calibration.threshold:.4f} are marked.",
    ]


def _training_summary(report: "ErrorReport") -> list[str]:
    """What was done, in lines."""
    lines = [] if report.layer_choice is None else [str(report.layer_choice)]
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


def _hint_at_both_heads(
    place: "ModelLocation", output: Path, backbone: str, prompt: "PromptTemplate"
) -> list[str]:
    """How to have both heads in one folder, where the model has a Sigmoid Head that fits."""
    from headwise.heads import differing_part, has_sigmoid_head, read_head_info

    if place.head is None or not has_sigmoid_head(place.head) or has_sigmoid_head(output):
        return []
    if differing_part(read_head_info(place.head).prompt, prompt.model_dump()) is not None:
        return []
    return [
        f"{output} has an error head alone. The same command with --with-head {backbone} and "
        "--overwrite puts the Sigmoid Head beside it; features are not computed again."
    ]


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
