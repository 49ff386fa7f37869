"""Rows as a question asks for them: read, and seen to have what it names before they are scored."""

from collections.abc import Sequence

from headwise.data.readers.numbers import read_numbers
from headwise.data.readers.scored import ScoredRow
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError
from headwise.evaluation.quality.error_free import ERROR_FREE
from headwise.evaluation.quality.judged_texts import cells, numbers_of
from headwise.evaluation.quality.protocol_choice import EvaluationProtocol
from headwise.evaluation.quality.question import Question
from headwise.evaluation.quality.reference_rows import apart
from headwise.evaluation.statistics.columns import LENGTH


def asked_rows(question: Question, *, scored: bool = False) -> list[Pair | Reject]:
    """All rows; references that stand in columns have rows of their own where they are asked for.

    Args:
        question: Where the rows are, and what it names.
        scored: Whether the rows bring scores, and nothing else is to be scored.

    Raises:
        DataError: If a file is damaged, or a column or file lacks what it should have.
    """
    rows = list(question.source.rows())
    if pairs := [row for row in rows if isinstance(row, Pair)]:
        _expect_columns(question, pairs)
    if question.protocol is not EvaluationProtocol.REFERENCES:
        return rows
    found = apart(rows, question.reference_columns, system=question.system or "system")
    by_row = scored or question.scores or question.columns or question.gold_file
    if len(found) > len(rows) and by_row:
        raise DataError(
            "References that stand in columns are texts of which no other column and no file has "
            "numbers; give each text a row of its own, with a column `system` that says who wrote "
            "it, or have the texts scored by a model."
        )
    return found


def expect_systems(rows: Sequence[ScoredRow], column: str) -> None:
    """See that a column that was named tells systems apart.

    Raises:
        DataError: If it is not there, or names fewer than two.
    """
    names = {str(name) for name in cells(rows, column) if name is not None}
    if len(names) < 2:
        raise DataError(
            f"`{column}` names {' and '.join(names) or 'no system'} alone, and systems are "
            "compared with each other; give the texts of several, or leave out --system."
        )


def _expect_columns(question: Question, pairs: list[Pair]) -> None:
    for column in (question.gold, *question.columns):
        if column not in (None, ERROR_FREE):
            numbers_of(pairs, str(column))
    for column in (question.group, question.system):
        if column is not None:
            cells(pairs, column)
    if question.by not in (None, LENGTH):
        cells(pairs, str(question.by))
    for place in (question.gold_file, *question.scores.values()):
        if place is not None:
            path, column = place
            read_numbers(path, column=column, encoding=question.source.layout.encoding)
