"""An evaluation from beginning to end: read, score once, join the gold, ask the protocol."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from headwise.choices import ERROR_SETS
from headwise.corruption.error_copies import PLAUSIBLE
from headwise.data.readers import read_pairs
from headwise.data.readers.numbers import join_numbers, read_numbers
from headwise.data.records.pairs import Pair, Reject
from headwise.data.records.signals import Signal
from headwise.errors import DataError
from headwise.evaluation.quality.asked_rows import asked_rows, expect_systems
from headwise.evaluation.quality.corrupted_set import CorruptedSet, corrupted_set
from headwise.evaluation.quality.error_free import ERROR_FREE, brings, error_free
from headwise.evaluation.quality.evaluated_rows import (
    EvaluatedRows,
    chosen_signals,
    read_evaluated_rows,
    score_rows,
)
from headwise.evaluation.quality.independent_errors import INDEPENDENT
from headwise.evaluation.quality.judged_texts import judge, numbers_of
from headwise.evaluation.quality.protocol_choice import (
    EvaluationProtocol,
    fitting_protocol,
    run_protocol,
)
from headwise.evaluation.quality.question import MONTE_CARLO, Question
from headwise.evaluation.quality.reference_rows import is_reference
from headwise.evaluation.quality.sampling import monte_carlo_probability
from headwise.evaluation.quality.unscored_rows import Unscored
from headwise.evaluation.statistics.notes import nothing_to_evaluate, rejects_note, unmarked_note
from headwise.evaluation.statistics.results import Answer
from headwise.quality import QualityEstimator
from headwise.version import __version__

_GOLD, _PEOPLE = "gold", "people"


def evaluate(
    question: Question, estimator: Callable[[], QualityEstimator], *, progress: bool = False
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
    if question.puts_errors:
        return _with_errors(question, estimator, progress=progress)
    source = question.source
    scored_before = question.signals != () and source.is_scored
    unscored = None if scored_before else Unscored.of(question)
    if unscored is not None:
        evaluated = unscored.rows(question)
        question = replace(question, columns=unscored.columns)
    elif question.signals == ():
        raise DataError(
            "--signals none is for scores that the rows bring, against the gold of whole texts: "
            "name it with --gold or --gold-file."
        )
    elif scored_before:
        evaluated = read_evaluated_rows(source.path, signals=question.signals)
    else:
        rows = asked_rows(question)
        evaluated = score_rows(rows, estimator, signals=question.signals, progress=progress)
    if not evaluated.rows:
        raise nothing_to_evaluate(source.path, "row", evaluated.rejects)
    gold_name, gold, rule = _gold(question, evaluated)
    system = question.system or "system"
    if question.system is not None:
        expect_systems(evaluated.rows, system)
    by_people = {
        place
        for place, row in enumerate(evaluated.rows)
        if question.protocol is EvaluationProtocol.REFERENCES
        and is_reference(str((row.scored.extra or {}).get(system)))
    }
    judged = judge(
        evaluated.rows,
        gold=gold,
        others=_others(question, evaluated, estimator, progress=progress),
        lower_is_better=question.lower_is_better,
        gold_name=gold_name,
        group_column=question.group,
        system_column=system,
        ungraded=by_people,
    )
    if not judged.texts:
        raise DataError(f"No text is left to evaluate: {' '.join(judged.notes)}")
    protocol = question.protocol or fitting_protocol(judged.texts)
    texts = judged.texts
    notes = [*rejects_note(evaluated.rejects, evaluated.total), *judged.notes]
    notes += [*rule, *([] if unscored is None else [unscored.reason])]
    if protocol in (EvaluationProtocol.ERROR_DETECTION, EvaluationProtocol.SPANS):
        texts = tuple(text for text in texts if text.scored.errors is not None)
        notes += unmarked_note(len(texts), len(judged.texts))
    if question.group is not None:
        notes.append(f"Texts with the same `{question.group}` belong together, as a source.")
    for name in question.lower_is_better:
        notes.append(f"Of `{name}`, lower is better: `-{name}` is turned round.")
    return Answer(
        evaluation=run_protocol(
            protocol,
            texts,
            question.setup(
                gold_name=_PEOPLE
                if gold is None
                else f"-{gold_name}"
                if gold_name in question.lower_is_better
                else gold_name,
                settings=_settings(
                    question, protocol, with_model=not scored_before and unscored is None
                ),
                notes=notes,
            ),
        ),
        rejects=evaluated.rejects,
    )


def _with_errors(
    question: Question, estimator: Callable[[], QualityEstimator], *, progress: bool
) -> Answer:
    """Put errors into correct texts, and look for them."""
    protocol = question.protocol or EvaluationProtocol.ERROR_DETECTION
    if question.source.is_scored:
        raise DataError(
            f"`{question.source.path}` is scored already, and errors are put into texts before "
            "they are scored; give the pairs."
        )
    rows = list(question.source.rows())
    pairs = [row for row in rows if isinstance(row, Pair)]
    rejects = tuple(row for row in rows if isinstance(row, Reject))
    if not pairs:
        raise nothing_to_evaluate(question.source.path, "row", rejects)
    loaded = estimator()
    try:
        found = corrupted_set(
            loaded,
            pairs,
            signals=chosen_signals(loaded, question.signals),
            alternatives_only=protocol is EvaluationProtocol.AMBIGUITY,
            families=question.families or ERROR_SETS,
            corpus=None
            if question.corpus is None
            else [row.hypothesis for row in read_pairs(question.corpus) if isinstance(row, Pair)],
            language=question.language,
            seed=question.resampling.seed,
            progress=progress,
        )
    except ValueError as error:
        raise DataError(str(error)) from error
    rejects = (*rejects, *found.unreadable)
    made = f"{', '.join(found.copies)} errors"
    file = Path(question.source.path).name
    evaluation = run_protocol(
        protocol,
        found.texts,
        question.setup(
            gold_name=file if protocol is EvaluationProtocol.AMBIGUITY else made,
            settings=_settings(question, protocol, with_model=True),
            notes=[*_error_notes(found), *rejects_note(rejects, len(rows))],
        ),
        corrupted=found,
    )
    if protocol is not EvaluationProtocol.AMBIGUITY:
        evaluation = replace(evaluation, title=f"{made.capitalize()} put into {file}")
    return Answer(evaluation=evaluation, rejects=rejects)


def _gold(
    question: Question, evaluated: EvaluatedRows
) -> tuple[str, list[float | None] | None, list[str]]:
    """The gold and its name, with the rule of one that is derived of others.

    It is ``None`` if the marks in the texts are the gold.
    """
    if question.gold_file is not None:
        path, column = question.gold_file
        name = column or _GOLD
        return name, _joined(question, path, column, evaluated, name=name), []
    if question.gold == ERROR_FREE and not brings(evaluated.rows, ERROR_FREE):
        rule, gold = error_free(evaluated.rows)
        return ERROR_FREE, gold, [rule]
    if question.gold is not None:
        return question.gold, numbers_of(evaluated.rows, question.gold), []
    return _GOLD, None, []


def _others(
    question: Question,
    evaluated: EvaluatedRows,
    estimator: Callable[[], QualityEstimator],
    *,
    progress: bool,
) -> dict[str, list[float | None]]:
    found = {name: numbers_of(evaluated.rows, name) for name in question.columns}
    for name, (path, column) in question.scores.items():
        found[name] = _joined(question, path, column, evaluated, name=name)
    if question.monte_carlo:
        scored = [row.scored for row in evaluated.rows]
        if any(Signal.SOFTMAX not in one.signals or not one.tokens for one in scored):
            raise DataError(
                "The Monte Carlo sequence probability needs the softmax of every token; score "
                "with --signals softmax and --level token, or give pairs."
            )
        found[MONTE_CARLO] = [
            *monte_carlo_probability(
                estimator(),
                scored,
                samples=question.monte_carlo,
                seed=question.resampling.seed,
                progress=progress,
            )
        ]
    return found


def _joined(
    question: Question, path: str, column: str | None, evaluated: EvaluatedRows, *, name: str
) -> list[float | None]:
    encoding = question.source.layout.encoding
    if len(evaluated.rows) == evaluated.total:
        ours = [row.scored for row in evaluated.rows]
        return join_numbers(path, column, ours, encoding=encoding)
    return evaluated.of_rows(read_numbers(path, column=column, encoding=encoding), name=name)


def _settings(
    question: Question, protocol: EvaluationProtocol, *, with_model: bool
) -> dict[str, str | int | float | bool]:
    settings: dict[str, str | int | float | bool] = {
        "protocol": protocol.value,
        "input": Path(question.source.path).name,
    }
    if (with_model or question.monte_carlo) and question.model:
        settings["model"] = question.model
        if question.head is not None:
            settings["head"] = question.head
    if question.monte_carlo:
        settings["samples a source"] = question.monte_carlo
    return settings | {"seed": question.resampling.seed, "headwise": __version__}


def _error_notes(found: CorruptedSet) -> list[str]:
    copies = ", ".join(f"{len(texts):,} {family}" for family, texts in found.copies.items())
    notes = [
        f"Errors were put into copies of {len(found.references):,} correct texts: "
        f"{copies}. Some of them are no error to a reader, where a language leaves a choice."
    ]
    if PLAUSIBLE in found.copies:
        notes.append(
            "Plausible errors are drawn by the language model's own probability (below 0.01) and "
            "rank (15 to 150) of their first token: softmax, logprob, rank and boosted are judged "
            "by errors that they define."
        )
    if INDEPENDENT in found.copies:
        notes.append(
            "Independent errors are made by rules of the evaluation alone, which no head was "
            "trained or calibrated with; a quarter of the longer texts has two."
        )
    return notes
