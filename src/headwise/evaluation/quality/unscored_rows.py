"""Rows that are evaluated as they are: with scores of others and without any of ours."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from headwise.data.readers.column_names import HYPOTHESIS, knows_any
from headwise.data.readers.opening import STDIN, shown_name
from headwise.data.readers.pairs import name_columns, pairs_of
from headwise.data.readers.rows import Row, RowStream
from headwise.data.readers.scored import ScoredRow
from headwise.data.readers.tables import open_table
from headwise.data.records.json_values import listed
from headwise.data.records.pairs import Pair, Reject
from headwise.data.records.scored import ScoredHypothesis
from headwise.errors import DataError
from headwise.evaluation.quality.asked_rows import asked_rows
from headwise.evaluation.quality.evaluated_rows import EvaluatedRows
from headwise.evaluation.quality.protocol_choice import EvaluationProtocol
from headwise.evaluation.quality.question import Question

_SCORE = "score"
_OF_NUMBERS = (
    None,
    EvaluationProtocol.CORRELATION,
    EvaluationProtocol.BINARY,
    EvaluationProtocol.REFERENCES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unscored:
    """Why nothing is scored, and what is compared with the gold instead.

    Attributes:
        reason: A note for the reader.
        columns: Columns with scores that the rows bring.
        has_texts: Whether they hold texts, too.
    """

    reason: str
    columns: tuple[str, ...]
    has_texts: bool

    @classmethod
    def of(cls, question: Question) -> "Unscored | None":
        """What the question and the first row say; ``None`` if the texts are to be scored.

        That is so if the signals are ``none``, or if none are named and the rows hold no texts, or
        a ``score`` that somebody else gave them.

        Raises:
            DataError: If the file is damaged, or brings no scores.
        """
        source = question.source
        asked = question.signals == ()
        with_gold = question.gold is not None or question.gold_file is not None
        if question.signals or question.protocol not in _OF_NUMBERS or not with_gold:
            return None
        if question.monte_carlo or source.tags is not None:
            return None
        if not asked and (source.path == STDIN or source.hypotheses is not None):
            return None
        if source.path == STDIN or source.hypotheses is not None:
            found: tuple[tuple[str, ...], bool] = (), True
        else:
            found = _look_at(question)
        names, has_texts = found
        own = _SCORE in names and question.gold != _SCORE and _SCORE not in question.columns
        if not asked and has_texts and not own:
            return None
        columns = (*([_SCORE] if own else ()), *question.columns)
        if not columns and not question.scores:
            raise DataError(
                f"`{source.path}` brings no scores to compare with the gold: name columns with "
                f"--column, or files with --scores; found {listed(names)}."
            )
        if asked:
            reason = "Nothing was scored, as --signals none says."
        elif not has_texts:
            reason = "The rows hold no texts, and nothing was scored."
        else:
            reason = (
                "The rows bring a `score`, which is evaluated as it is; name signals with "
                "--signals to score the texts instead."
            )
        return cls(reason=reason, columns=columns, has_texts=has_texts)

    def rows(self, question: Question) -> EvaluatedRows:
        """All rows, with what their other columns hold.

        Raises:
            DataError: If a file is damaged.
        """
        found = asked_rows(question, scored=True) if self.has_texts else _plain_rows(question)
        everything = [row if isinstance(row, Reject) else _unscored(row) for row in found]
        return EvaluatedRows(
            rows=tuple(row for row in everything if isinstance(row, ScoredRow)),
            rejects=tuple(row for row in everything if isinstance(row, Reject)),
            numbers=tuple(i for i, row in enumerate(everything) if isinstance(row, ScoredRow)),
            total=len(everything),
        )


def _look_at(question: Question) -> tuple[tuple[str, ...], bool]:
    """The names of the first row, and whether it holds texts."""
    layout = question.source.layout
    with _open(question) as table:
        if table.nested and table.columns is None:
            row = next((row for row in table.rows if isinstance(row, Row)), None)
            names = () if row is None else tuple(row.values)
            rows: Iterator[Row | Reject] = iter([] if row is None else [row])
            table = RowStream(name=table.name, nested=True, rows=rows)
            first = next(iter(pairs_of(table, layout)), None)
            # A text that cannot be read is a text all the same, and its row is named
            return names, isinstance(first, Pair) or knows_any(names, HYPOTHESIS)
        if not table.named:
            return (), True
        try:
            next(iter(pairs_of(table, layout)), None)
        except DataError:
            return table.columns or (), False
        return table.columns or (), True


def _plain_rows(question: Question) -> Iterator[Row | Reject]:
    with _open(question) as table:
        yield from table.rows


def _open(question: Question) -> AbstractContextManager[RowStream]:
    """Open the table, whose first row is a header if it has a name that the question has."""
    layout, path = question.source.layout, question.source.path
    asked = {question.gold, question.group, question.system, question.by, *question.columns}
    asked.add(_SCORE)

    def naming(cells: list[str]) -> Sequence[str] | None:
        if layout.header is not False and asked & set(cells):
            return None
        return name_columns(cells, layout, name=shown_name(path))

    return open_table(
        path, layout.format, naming=naming, encoding=layout.encoding, quotes=layout.quotes
    )


def _unscored(row: Row | Pair) -> ScoredRow:
    pair = row if isinstance(row, Pair) else Pair(None, "", row.line, row.values)
    scored = ScoredHypothesis(
        source=pair.source,
        hypothesis=pair.hypothesis,
        tokens=(),
        special_tokens=(),
        signals=(),
        extra=dict(pair.extra),
        errors=pair.errors,
        tags=pair.tags,
    )
    return ScoredRow(line=row.line, scored=scored, means={}, has_tokens=False)
