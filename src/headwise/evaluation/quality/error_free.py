"""A gold that is derived of what people marked: whether a text is free of errors."""

from collections.abc import Sequence

from headwise.data.readers.scored import ScoredRow
from headwise.data.records.token_marks import has_error
from headwise.errors import DataError
from headwise.evaluation.quality.judged_texts import numbers_of

ERROR_FREE = "error-free"
"""The name that asks for it in the place of a column."""

_ESA, _LEAST_ESA = "esa", 85.0


def brings(rows: Sequence[ScoredRow], column: str) -> bool:
    """Whether any row has a column of this very name."""
    return any(column in (row.scored.extra or {}) for row in rows)


def error_free(rows: Sequence[ScoredRow]) -> tuple[str, list[float | None]]:
    """Say of each text whether people found nothing wrong with it.

    That is so if nothing is marked, neither in the text nor as missing, and its ``esa``, if rows
    have such a column, is 85 or more.

    Returns:
        The rule, for a reader, and 1 for an error-free text, 0 for another, ``None`` for a text
        that nobody looked at.

    Raises:
        DataError: If no text was looked at, or all of them or none are free of errors.
    """
    with_scores = brings(rows, _ESA)
    scores = numbers_of(rows, _ESA) if with_scores else [_LEAST_ESA] * len(rows)
    found = [
        None
        if row.scored.errors is None or score is None
        else float(score >= _LEAST_ESA and not has_error(row.scored))
        for row, score in zip(rows, scores, strict=True)
    ]
    rule = "nothing is marked" + (f", {_ESA} is {_LEAST_ESA:g} or more" if with_scores else "")
    known = [value for value in found if value is not None]
    if not known:
        raise DataError(
            f"`{ERROR_FREE}` needs texts with error marks or word tags (and `{_ESA}`, if rows have "
            "such a column); no text has any. A text that was found to be right has `annotations` "
            "that are an empty list."
        )
    if len(set(known)) < 2:
        which = "All" if known[0] else "None"
        raise DataError(
            f"{which} of the {len(known):,} texts are error-free ({rule}): there is nothing to "
            "tell apart; give more texts, or compare with numbers (--gold COLUMN)."
        )
    return f"Error-free: {rule}.", found
