"""Error spans as the QE shared tasks release them: tab-separated, one row a rater and segment.

``start_ids``, ``end_ids`` and ``errors`` hold the spans of a row in parallel, with spaces between;
``-1``, ``-1`` and ``no-error`` say that there is none. Offsets count characters of the target as it
lies, and the end is exclusive. That was checked on the released files: all 5,946 spans of
newstest-2021 in English-German and 13,844 of 13,845 in Chinese-English begin and end where words
do, read so; one character further, 299 and 60 would end within a word. In dev-2022, whose cells are
quoted, one span in seventeen lies a few characters beside its word, by either reading, and one in
eight marks the space where a word is missing.

What the shared tasks left out when they made these tables of MQM annotations is not in them:
categories, marks in the source, neutral and critical marks as such (they are ``major``). They cut
ids at underscores, so that some cells of newstest-2021 stand one column too far right, and
segments have ids in common: texts tell them apart.

References:
    Zerva et al. 2022 and Blain et al. 2023, findings of the WMT shared tasks on quality estimation.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headwise.data.readers.column_names import folded
from headwise.data.readers.corpora.mqm import mqm_score, penalty
from headwise.data.readers.rows import Row, RowStream, check_unique, records
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import InputError

# The columns of the released tables, some of which have no header
_COLUMNS = (
    *("mt_system", "doc_id", "seg_id", "annotator_id", "source", "target"),
    *(_MARKS := ("start_ids", "end_ids", "errors")),
)
_RENAMED = {"mt_system": "system", "mt_model": "system", "annotator_id": "rater"}
_ID = ("system", "doc_id", "seg_id", "source", "target")

_NO_ERROR = "no-error"
_PLACES = re.compile(r"-?[0-9]+(?: -?[0-9]+)*")
_SEVERITIES = re.compile(r"[A-Za-z-]+(?: [A-Za-z-]+)*")
# What a critical error cost in these tasks, twice a major one; in the tasks on metrics it is one
_CRITICAL = 10.0


def is_span_header(cells: Iterable[str]) -> bool:
    """Whether the rows of a table with this header hold the spans of a rater each."""
    return set(_MARKS) <= {folded(cell) for cell in cells}


def span_columns(cells: Sequence[str]) -> tuple[str, ...] | None:
    """The columns of a table without a header, if its first row is one of the released tables."""
    if len(cells) != len(_COLUMNS):
        return None
    starts, ends, severities = cells[-len(_MARKS) :]
    parallel = len({cell.count(" ") for cell in (starts, ends, severities)}) == 1
    fits = _PLACES.fullmatch(starts) and _PLACES.fullmatch(ends)
    return _COLUMNS if parallel and fits and _SEVERITIES.fullmatch(severities) else None


@dataclass(frozen=True, slots=True)
class _Judgement:
    """What one rater said of a segment, and where it stood."""

    line: int
    cells: dict[str, str]
    errors: tuple[ErrorSpan, ...]


def gather_spans(table: RowStream, *, has_source: bool = True) -> Iterator[Pair | Reject]:
    """Make one pair of the rows of all raters of a segment.

    They need not be neighbours, so all rows are read before the first pair. A segment is known by
    its texts, and by ``mt_system``, ``doc_id`` and ``seg_id`` where there are such columns.

    Yields:
        A ``Reject`` for each row that cannot be understood, which leaves other raters' rows as they
        are; then for each segment, in order of its first row, a ``Pair``. Its ``extra`` has the
        other columns of that row (``mt_system`` as ``system``), its ``raters``, and its
        ``mqm_score``: minus the costs of all spans (major 5, minor 1, critical 10), averaged over
        raters; ``None`` if a severity has another name, which stays as it is. A span without
        characters is a gap.

    Raises:
        DataError: If a column is missing or not unique.
    """
    header = tuple(map(folded, table.columns or ()))
    columns = tuple(_RENAMED.get(name, name) for name in header)
    check_unique(columns, table.name)
    replace(table, columns=columns).require(("source", "target", *_MARKS), "tables of error spans")

    def judgement(row: Row) -> _Judgement:
        cells = dict(zip(columns, row.values.values(), strict=True))
        for name in ("source", "target"):
            if "\t" in cells[name] and "\t" in (row.text or ""):  # none of JSON or Parquet
                raise InputError(
                    f"The {name} holds a tab: it begins with a quotation mark that only a later "
                    "cell closes, so that both are one; double the mark and quote its cell."
                )
        return _Judgement(row.line, cells, _take_spans(cells))

    segments: dict[tuple[str, ...], list[_Judgement]] = {}
    for one in records(table.rows, judgement):
        if isinstance(one, Reject):
            yield one
        else:
            key = tuple(one.cells[name] for name in _ID if name in one.cells)
            segments.setdefault(key, []).append(one)
    for judgements in segments.values():
        yield _pair(judgements, has_source=has_source)


def _pair(judgements: Sequence[_Judgement], *, has_source: bool) -> Pair:
    """All that the raters of a segment said."""
    first = judgements[0]
    extra: dict[str, Any] = dict(first.cells)
    source, target = extra.pop("source"), extra.pop("target")
    raters = dict.fromkeys(one.cells["rater"] for one in judgements if "rater" in one.cells)
    errors = tuple(error for one in judgements for error in one.errors)
    costs = [penalty(error.severity or "", critical=_CRITICAL) for error in errors]
    extra.pop("rater", None)
    extra |= {"raters": list(raters), "mqm_score": mqm_score(costs, len(judgements))}
    return Pair(source if has_source else None, target, first.line, extra, errors=errors)


def _take_spans(cells: dict[str, str]) -> tuple[ErrorSpan, ...]:
    """Take the three columns of spans out of a row, and make spans of them."""
    starts, ends = (_numbers(cells, name) for name in _MARKS[:2])
    severities = cells["errors"].split()
    counts = len(starts), len(ends), len(severities)
    if len(set(counts)) > 1:
        raise InputError(
            "`start_ids`, `end_ids` and `errors` must hold as many entries as there are spans, "
            f"with spaces between; there are {counts[0]}, {counts[1]} and {counts[2]}."
        )
    rater, length = cells.get("rater"), len(cells["target"])
    for name in _MARKS:
        del cells[name]
    spans = []
    for number, span in enumerate(zip(starts, ends, severities, strict=True), start=1):
        start, end, severity = span
        none = folded(severity) == _NO_ERROR
        if none and (start, end) == (-1, -1):
            continue
        if none or not 0 <= start <= end <= length:
            raise InputError(
                f"Span {number} is {severity!r} from {start} to {end} in a target of {length} "
                f"characters; 0 <= start <= end <= {length} must hold, or -1, -1 and {_NO_ERROR} "
                "where there is no error."
            )
        spans.append(ErrorSpan(start, end, severity, rater=rater))
    return tuple(spans)


def _numbers(cells: dict[str, str], name: str) -> list[int]:
    cell = " ".join(cells[name].split())
    if not _PLACES.fullmatch(cell):
        raise InputError(
            f"`{name}` must be whole numbers with spaces between, or -1, got {cells[name]!r}."
        )
    return [int(number) for number in cell.split()]
