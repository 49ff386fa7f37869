"""The card that a trained error head carries."""

from headwise.heads.quality.error_head import ErrorHead
from headwise.heads.storage.error_head import ERROR_CURVES_FILE, ERROR_RUN_FILE
from headwise.training.errors.output_calibration import OutputQuality
from headwise.training.errors.report import ErrorReport, ErrorStage
from headwise.training.errors.settings import ErrorRun, ErrorTraining
from headwise.training.loop.card import evaluation_table
from headwise.training.loop.feature_choice import readable_bytes


def error_head_card(report: ErrorReport, run: ErrorRun, head: ErrorHead) -> str:
    """Data, errors, figures, cost and use of a trained error head, as Markdown."""
    settings = ErrorTraining.from_dict(run.settings)
    source = "None" if run.no_source else '"source"'
    parts = [
        f"""# Error head for {run.backbone}

The probability that a token is wrong, and that something is missing in the gap after it, from the
frozen language model's hidden states and the token's own row of its unembedding
({_variant(settings)}). {_supervision(report)}

## Data

| what | value |
| --- | --- |
{_rows(_data(report, run))}
"""
    ]
    if report.memorisation is not None:
        parts.append(f"{report.memorisation} {_reads_statistics(report)}\n")
    if report.synthetic is not None:
        parts.append(_synthetic(report, report.synthetic, settings))
    if report.labelled is not None:
        parts.append(_labelled(report, report.labelled, settings, run))
    parts.append(
        f"""![Loss and AUROC over the steps]({ERROR_CURVES_FILE})

## Calibration

A slope and an intercept for each output were fitted to the dev texts of the last stage and put
into the last layer. The figures are those of the same texts; the probabilities hold for texts with
as many errors.

The dev texts decide four things: when training stops, this calibration, which signal `quality` is
made of, and its thresholds (the last two in `headwise train errors`). Before you rely on what a
threshold promises, measure again with texts of your own: `headwise calibrate`.

{_calibration(report)}

## Cost

| what | value |
| --- | --- |
| numbers in the head | {report.numbers:,} |
| variant, inner width, rank | {head.variant}, {head.inner_size}, {head.rank or "full"} |
| time of the last call, texts and features included | {report.seconds:,.0f} s |
| most memory held | {readable_bytes(report.peak_bytes)} |
| features | {readable_bytes(report.feature_bytes)} in {settings.feature_dtype} |
| {" / ".join(run.versions)} | {" / ".join(run.versions.values())} |

To repeat the run: `headwise train errors --config {ERROR_RUN_FILE} --output FOLDER`.

## Use

```python
from headwise import QualityEstimator

qe = QualityEstimator.from_pretrained("{run.backbone}", head="path/to/this/folder")
scored = qe.score({source}, "hypothesis", signals=("error", "omission"))
```
"""
    )
    return "\n".join(parts)


def _variant(settings: ErrorTraining) -> str:
    if settings.variant == "causal":
        return "causal: it looks no further than the token itself"
    return "hindsight: it also looks at the next token, and at the end of whole texts"


def _supervision(report: ErrorReport) -> str:
    if report.labelled is None:
        return "Trained without human labels, on errors that were put into correct texts."
    if report.synthetic is None:
        return "Trained on texts whose errors people marked."
    return "Trained on errors that were put into correct texts, then on errors that people marked."


def _data(report: ErrorReport, run: ErrorRun) -> dict[str, str]:
    rows: dict[str, str] = {}
    if report.synthetic is not None:
        rows |= {
            "training files": _files(run.data),
            "dev files": _files(run.dev),
            "correct training pairs, dev pairs": f"{report.train_pairs:,}, {report.dev_pairs:,}",
            "dev pairs that are also in training": f"{report.dev_in_train:,}",
        }
    if report.labelled is not None:
        held_out = _files(run.label_dev) if run.label_dev else "held out from them"
        rows |= {"labelled files": _files(run.labels), "labelled dev files": held_out}
    if run.start is not None:
        rows["started from"] = run.start
    return rows | {"texts left out, since they cannot be read": f"{report.rejected:,}"}


def _reads_statistics(report: ErrorReport) -> str:
    if report.statistics:
        return "The head reads log-probability, entropy and rank of the tokens as well."
    return "The head reads no log-probability, entropy or rank of the tokens."


def _synthetic(report: ErrorReport, stage: ErrorStage, settings: ErrorTraining) -> str:
    found = stage.families()
    rows = {
        name: (f"{count:,}", f"{found[name]:.4f}" if name in found else "undefined")
        for name, count in report.families.items()
    }
    table = "\n".join(f"| {name} | {count} | {auroc} |" for name, (count, auroc) in rows.items())
    return f"""## Errors that were put in

{settings.copies} copies with errors of each text, which stands once as it is. A text with several
errors counts for the family of the one that was drawn first. AUROC compares the tokens with an
error of a family (and those right after a gap) with all right tokens of dev.

| family | training texts | dev AUROC |
| --- | --- | --- |
{table}

{_stage(stage, settings)}"""


def _labelled(
    report: ErrorReport, stage: ErrorStage, settings: ErrorTraining, run: ErrorRun
) -> str:
    own = settings.for_labels()
    if report.synthetic is not None:
        began = "the head of the first stage"
    else:
        began = run.start or "random weights"
    text = f"""## Errors that people marked

Started from {began}. {_gap_labels(stage)}

{_stage(stage, own)}"""
    if report.synthetic_after is not None and report.synthetic is not None:
        before, after = report.synthetic.tokens.auroc, report.synthetic_after.auroc
        text += (
            f"On the dev texts of the first stage, token AUROC went from {_number(before)} to "
            f"{_number(after)}.\n"
        )
    return text


def _gap_labels(stage: ErrorStage) -> str:
    if stage.gaps is None:
        return "The labels do not say where something is missing; that output was not trained."
    return "The labels say where something is missing."


def _stage(stage: ErrorStage, settings: ErrorTraining) -> str:
    best = stage.evaluations[stage.best]
    rate = f"{settings.learning_rate:g}, {settings.weight_decay:g}, {settings.schedule}"
    rows = {
        "texts, target tokens": f"{stage.texts:,}, {stage.targets:,}",
        "dev texts": f"{stage.dev_texts:,}",
        "learning rate, weight decay, schedule, seed": f"{rate}, {settings.seed}",
        "tokens of a batch, dropout": f"{settings.batch_tokens:,}, {settings.dropout:g}",
        "class weights": str(settings.class_weights or "none"),
        "kept": f"step {best.step} of {stage.steps}, by dev {settings.criterion}",
        "target tokens a second": f"{stage.tokens_per_second:,.0f}",
    }
    shown = [name for name in ("loss", "auroc") if name in best.metrics]
    return f"""| what | value |
| --- | --- |
{_rows(rows)}

{evaluation_table(stage.evaluations, shown)}
"""


def _calibration(report: ErrorReport) -> str:
    stage = report.last
    lines = ["| output | positions | wrong | AUROC | ECE before | after |"]
    lines.append("| --- | --- | --- | --- | --- | --- |")
    for name, found in (("token", stage.tokens), ("gap before it", stage.gaps)):
        if found is not None:
            lines.append(_output_row(name, found))
    if stage.gaps is None and report.gaps_after is not None:
        lines.append(_output_row("gap before it, on the dev texts of stage 1", report.gaps_after))
    return "\n".join(lines)


def _output_row(name: str, found: OutputQuality) -> str:
    errors = f"{_number(found.ece_before)} | {_number(found.ece_after)}"
    return (
        f"| {name} | {found.positions:,} | {found.positive:,} | {_number(found.auroc)} | {errors} |"
    )


def _rows(rows: dict[str, str]) -> str:
    return "\n".join(f"| {name} | {value} |" for name, value in rows.items())


def _files(names: list[str]) -> str:
    return ", ".join(names) or "given in Python"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
