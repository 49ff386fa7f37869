"""An evaluation from beginning to end: read, score once, join the gold, ask the protocol."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from headwise.data.aggregation import Aggregation
from headwise.data.pairs import Pair, Reject
from headwise.data.readers import read_pairs
from headwise.data.readers.numbers import join_numbers, read_numbers
from headwise.data.signals import Signal
from headwise.errors import DataError
from headwise.evaluation.asking import Protocol, ask, fitting_protocol
from headwise.evaluation.columns import Unit
from headwise.evaluation.corrupted_set import CorruptedSet, corrupted_set
from headwise.evaluation.crude_errors import CRUDE_KINDS
from headwise.evaluation.error_copies import FAMILIES
from headwise.evaluation.gathering import (
    Gathered,
    Source,
    all_signals,
    gather_scored,
    score_rows_once,
)
from headwise.evaluation.judging import judge, numbers_of
from headwise.evaluation.resampling import Resampling
from headwise.evaluation.results import Evaluation
from headwise.evaluation.sampling import monte_carlo_probability
from headwise.evaluation.synthetic_errors import ErrorKind
from headwise.quality import QualityEstimator

MONTE_CARLO = "monte-carlo"
_GOLD = "gold"

Column = tuple[str, str | None]
"""A file and the name of a column in it; ``None`` for the only one that holds numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to evaluate, and how.

    Attributes:
        source: Where the texts come from.
        protocol: What to ask; by default what the gold suggests.
        gold: Column of the texts' rows that holds the gold.
        gold_file: File that holds the gold, one number a row.
        lower_is_better: Names of the gold column or of other scores that are to be turned round;
            a gold from a file is called ``gold``.
        group: Column that says which texts belong together; the source by default.
        system: Column that says who wrote a text, if there is one.
        scores: Other systems' scores from files, by the systems' names.
        columns: Columns of the texts' rows that hold other systems' scores.
        signals: What to compute; by default all that the model has.
        aggregations: How token values become one.
        units: What is right or wrong; by default what the gold marks.
        monte_carlo: How many hypotheses to sample a source; 0 for none.
        families: Errors to put into correct texts, ``crude`` and ``plausible``; empty to use the
            gold that there is.
        corpus: Pairs whose words replace others in crude errors.
        language: Language code of the texts; with one, crude errors change negations, too.
        resampling: Settings of intervals and tests.
        model: Name of the model, for a reader.
    """

    source: Source
    protocol: Protocol | None = None
    gold: str | None = None
    gold_file: Column | None = None
    lower_is_better: tuple[str, ...] = ()
    group: str | None = None
    system: str | None = "system"
    scores: Mapping[str, Column] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    signals: tuple[Signal, ...] | None = None
    aggregations: tuple[Aggregation, ...] | None = None
    units: tuple[Unit, ...] = ()
    monte_carlo: int = 0
    families: tuple[str, ...] = ()
    corpus: str | None = None
    language: str | None = None
    resampling: Resampling = Resampling()
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an evaluation found.

    Attributes:
        evaluation: Tables, figures, examples.
        rejects: Rows that could not be read or scored.
    """

    evaluation: Evaluation
    rejects: tuple[Reject, ...] = ()


def evaluate(
    question: Question,
    estimator: Callable[[], QualityEstimator],
    *,
    progress: bool = False,
) -> Answer:
    """Answer a question about scores.

    Args:
        question: What is asked.
        estimator: Loads the model; called only if something has to be scored.
        progress: Whether to show progress bars on standard error.

    Raises:
        DataError: If files are missing, damaged or do not belong together, or the texts do not
            have what the protocol needs.
    """
    if question.families or question.protocol is Protocol.AMBIGUITY:
        return _with_errors(question, estimator, progress=progress)
    source = question.source
    gathered = (
        gather_scored(source.path)
        if source.is_scored
        else score_rows_once(source.rows(), estimator, signals=question.signals, progress=progress)
    )
    if not gathered.rows:
        raise DataError(f"`{source.path}` has no row that can be evaluated.")
    gold_name, gold = _gold(question, gathered)
    judged = judge(
        gathered.rows,
        gold=gold,
        others=_others(question, gathered, estimator, progress=progress),
        lower_is_better=question.lower_is_better,
        gold_name=gold_name,
        group_column=question.group,
        system_column=question.system,
    )
    protocol = question.protocol or fitting_protocol(judged.texts)
    texts = judged.texts
    notes = [*judged.notes, *_reject_notes(gathered.rejects, gathered.total)]
    if protocol in (Protocol.ERROR_DETECTION, Protocol.SPANS):
        texts = tuple(text for text in texts if text.scored.errors is not None)
        if unmarked := len(judged.texts) - len(texts):
            notes.append(f"{unmarked:,} texts without error marks or tags were left out.")
    return Answer(
        evaluation=ask(
            protocol,
            texts,
            gold_name=gold_name if gold is not None else "people",
            units=question.units,
            aggregations=question.aggregations,
            resampling=question.resampling,
            settings=_settings(question, protocol, scored_before=source.is_scored),
            notes=notes,
        ),
        rejects=gathered.rejects,
    )


def _with_errors(
    question: Question, estimator: Callable[[], QualityEstimator], *, progress: bool
) -> Answer:
    """Put errors into correct texts, and look for them."""
    protocol = question.protocol or Protocol.ERROR_DETECTION
    if question.source.is_scored:
        raise DataError(
            f"`{question.source.path}` is scored already; errors are put into pairs before they "
            "are scored."
        )
    rows = list(question.source.rows())
    pairs = [row for row in rows if isinstance(row, Pair)]
    rejects = tuple(row for row in rows if isinstance(row, Reject))
    loaded = estimator()
    negated = (ErrorKind.NEGATION,) if question.language is not None else ()
    try:
        found = corrupted_set(
            loaded,
            pairs,
            signals=question.signals or all_signals(loaded),
            alternatives_only=protocol is Protocol.AMBIGUITY,
            families=question.families or FAMILIES,
            corpus=None if question.corpus is None else _hypotheses(question.corpus),
            kinds=(*CRUDE_KINDS, *negated),
            language=question.language,
            seed=question.resampling.seed,
            progress=progress,
        )
    except ValueError as error:
        raise DataError(str(error)) from error
    made = " and ".join(found.copies)
    evaluation = ask(
        protocol,
        found.texts,
        gold_name=Path(question.source.path).name
        if protocol is Protocol.AMBIGUITY
        else f"{made} errors put in",
        units=question.units,
        aggregations=question.aggregations,
        resampling=question.resampling,
        settings=_settings(question, protocol, scored_before=False),
        notes=[*_error_notes(found), *_reject_notes(rejects, len(rows))],
        corrupted=found,
    )
    return Answer(evaluation=evaluation, rejects=rejects)


def _gold(question: Question, gathered: Gathered) -> tuple[str, list[float | None] | None]:
    """The gold and its name; ``None`` if the marks in the texts are the gold."""
    if question.gold_file is not None:
        path, column = question.gold_file
        return column or _GOLD, _joined(path, column, gathered, name=column or _GOLD)
    if question.gold is not None:
        return question.gold, numbers_of(gathered.rows, question.gold)
    return _GOLD, None


def _others(
    question: Question,
    gathered: Gathered,
    estimator: Callable[[], QualityEstimator],
    *,
    progress: bool,
) -> dict[str, list[float | None]]:
    found = {name: numbers_of(gathered.rows, name) for name in question.columns}
    for name, (path, column) in question.scores.items():
        found[name] = _joined(path, column, gathered, name=name)
    if question.monte_carlo:
        scored = [row.scored for row in gathered.rows]
        if any(Signal.SOFTMAX not in one.signals or not one.tokens for one in scored):
            raise DataError(
                "The Monte Carlo sequence probability needs the softmax of every token; score "
                "with --signals softmax and --level token, or give pairs."
            )
        found[MONTE_CARLO] = list(
            monte_carlo_probability(
                estimator(),
                scored,
                samples=question.monte_carlo,
                seed=question.resampling.seed,
                progress=progress,
            )
        )
    return found


def _joined(path: str, column: str | None, gathered: Gathered, *, name: str) -> list[float | None]:
    if len(gathered.rows) == gathered.total:
        return join_numbers(path, column, [row.scored for row in gathered.rows])
    return gathered.of_rows(read_numbers(path, column=column), name=name)


def _hypotheses(path: str) -> list[str]:
    return [row.hypothesis for row in read_pairs(path) if isinstance(row, Pair)]


def _settings(
    question: Question, protocol: Protocol, *, scored_before: bool
) -> dict[str, str | int | float | bool]:
    settings: dict[str, str | int | float | bool] = {
        "protocol": protocol.value,
        "input": Path(question.source.path).name,
    }
    if not scored_before and question.model:
        settings["model"] = question.model
    settings["seed"] = question.resampling.seed
    return settings


def _error_notes(found: CorruptedSet) -> list[str]:
    copies = ", ".join(f"{len(texts):,} {family}" for family, texts in found.copies.items())
    notes = [
        f"Errors were put into copies of {len(found.references):,} correct texts, one each: "
        f"{copies}. Some of them are no error to a reader, where a language leaves a choice."
    ]
    if found.unreadable:
        notes.append(f"{found.unreadable:,} texts that the model cannot read were left out.")
    return notes


def _reject_notes(rejects: Sequence[Reject], total: int) -> list[str]:
    if not rejects:
        return []
    return [f"{len(rejects):,} of {total:,} rows could not be read or scored and were left out."]
