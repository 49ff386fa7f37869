"""An evaluation of an entailment model: read labelled pairs, predict each once, measure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from headwise.data.readers.inferences import InferenceLayout, read_inferences
from headwise.data.records.inferences import InferencePair
from headwise.data.records.pairs import Reject
from headwise.entailment import EntailmentModel
from headwise.errors import DataError, InputError, MismatchError
from headwise.evaluation.entailment.judged_pairs import JudgedInference
from headwise.evaluation.entailment.protocol import entailment
from headwise.evaluation.statistics.notes import nothing_to_evaluate, with_certainty_notes
from headwise.evaluation.statistics.results import Answer
from headwise.evaluation.statistics.setup import Resampling, Setup
from headwise.heads import NLI_LABELS
from headwise.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceQuestion:
    """What is asked of an entailment model.

    Attributes:
        path: File with labelled pairs.
        layout: Its format and columns, as far as they should not be found out.
        group: Column that says which pairs belong together; the premise by default.
        language: Language of the negation words of a slice; ``None`` for no such slice.
        resampling: How intervals and tests are made.
        model: Name of the encoder, for the report.
        heads: Name of the heads, for the report.
    """

    path: str
    layout: InferenceLayout = field(default_factory=InferenceLayout)
    group: str | None = None
    language: str | None = "en"
    resampling: Resampling = Resampling()
    model: str | None = None
    heads: str | None = None


def evaluate_entailment(
    question: InferenceQuestion,
    load: Callable[[], EntailmentModel],
    *,
    progress: bool = False,
) -> Answer:
    """Answer a question about an entailment model.

    Args:
        question: What is asked.
        load: Loads the model; called after the file has been opened.
        progress: Whether to show a bar on standard error.

    Raises:
        DataError: If the file is missing or damaged, or has no pair that can be evaluated.
        MismatchError: If the model has no heads.
        ValueError: If the language has no list of negation words.
    """
    rows = read_inferences(question.path, question.layout)
    model = load()
    found, rejects = judge_inferences(model, rows, group=question.group, progress=progress)
    if not found:
        raise nothing_to_evaluate(question.path, "pair", rejects)
    assert model.abstain_by is not None
    setup = Setup(
        gold_name=Path(question.path).name,
        resampling=question.resampling,
        settings=_settings(question, model),
        notes=_notes(question, model, rejected=len(rejects), total=len(found) + len(rejects)),
    )
    evaluation = entailment(found, setup, abstain_by=model.abstain_by, language=question.language)
    groups = [one.group for one in found]
    return Answer(
        evaluation=with_certainty_notes(evaluation, groups, question.resampling),
        rejects=tuple(rejects),
    )


def judge_inferences(
    model: EntailmentModel,
    rows: Iterable[InferencePair | Reject],
    *,
    group: str | None = None,
    progress: bool = False,
) -> tuple[list[JudgedInference], list[Reject]]:
    """Predict labelled pairs; those with the same ``group`` column, or premise, belong together.

    Args:
        model: The model to judge.
        rows: Labelled pairs, and what could not be read.
        progress: Whether a bar is shown.
        group: The column that says which pairs belong together; by default those of a premise.

    Returns:
        Judged pairs in order, and what could not be read, by line.

    Raises:
        DataError: If a pair lacks the column of the group.
        MismatchError: If the model has no heads.
    """
    if model.heads is None:
        raise MismatchError(
            "The model has no heads, so that there are no answers to evaluate; give heads that "
            "were trained on its encoder."
        )
    pairs, rejects = [], []
    for row in rows:
        if isinstance(row, Reject):
            rejects.append(row)
        elif row.label is None:
            rejects.append(_rejected(row, "It has no label; leave it out."))
        else:
            pairs.append(row)
    judged = []
    predictions = model.predict_many([pair.texts for pair in pairs], progress=progress)
    for pair, said in zip(pairs, predictions, strict=True):
        if isinstance(said, InputError):
            rejects.append(_rejected(pair, str(said)))
            continue
        assert pair.label is not None
        first, second, third = (said.probabilities[label] for label in NLI_LABELS)
        judged.append(
            JudgedInference(
                premise=pair.premise,
                hypothesis=pair.hypothesis,
                label=pair.label,
                probabilities=(first, second, third),
                uncertainty=said.uncertainty,
                abstain=said.abstain,
                group=pair.premise if group is None else _cell(pair, group),
            )
        )
    return judged, sorted(rejects, key=lambda reject: reject.line)


def _rejected(pair: InferencePair, reason: str) -> Reject:
    return Reject(pair.line, reason, "\t".join(pair.texts))


def _cell(pair: InferencePair, column: str) -> str:
    if column not in pair.extra:
        known = ", ".join(f"`{name}`" for name in pair.extra) or "none"
        raise DataError(
            f"The pair in line {pair.line} has no column `{column}` to group by; other columns: "
            f"{known}."
        )
    return str(pair.extra[column])


def _settings(
    question: InferenceQuestion, model: EntailmentModel
) -> dict[str, str | int | float | bool]:
    names = {"input": Path(question.path).name, "model": question.model, "heads": question.heads}
    return {
        **{name: value for name, value in names.items() if value is not None},
        "threshold": model.threshold,
        "seed": question.resampling.seed,
        "headwise": __version__,
    }


def _notes(
    question: InferenceQuestion, model: EntailmentModel, *, rejected: int, total: int
) -> tuple[str, ...]:
    assert model.heads is not None
    config = model.heads.config
    basis = config.threshold_basis if model.threshold == config.threshold else None
    notes = [
        f"The model abstains where its uncertainty ({model.abstain_by}) is at least "
        f"{model.threshold:.4g}." + (f" How that was chosen: {basis}" if basis else "")
    ]
    if rejected:
        notes.append(f"{rejected:,} of {total:,} rows could not be read and were left out.")
    whole = "of one premise" if question.group is None else f"with the same `{question.group}`"
    return (*notes, f"Pairs {whole} belong together, as a source.")
