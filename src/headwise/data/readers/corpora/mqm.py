"""MQM annotations: tab-separated, one row a rater's mark, gathered into one pair a segment.

References:
    Freitag et al. 2021, arXiv 2104.14478; the released files of the WMT metrics tasks.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from headwise.data.readers.column_names import folded
from headwise.data.readers.rows import Row, RowStream, check_unique
from headwise.data.records.error_spans import ErrorSpan, split_marks
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError, InputError

logger = logging.getLogger(__name__)

_MARK_COLUMNS = ("rater", "category", "severity")
_REQUIRED = (*_MARK_COLUMNS, "source", "target")
_SEGMENT_COLUMNS = ("system", "doc", "doc_id", "seg_id", "docsegid", "globalsegid")
# What the segment is numbered by: until WMT22, and from WMT23 on in a document or in all of them
_NUMBERED_BY = {"seg_id", "docsegid", "globalsegid"}
_WRITTEN = {"docsegid": "docSegId", "globalsegid": "globalSegId"}
# Whether raters are awake is tested with errors put into the text ("hands on the wheel")
_ATTENTION_TEST = "hotw"


def is_mqm_header(cells: Iterable[str]) -> bool:
    """Whether the rows of a table with this header are marks of raters."""
    return set(_MARK_COLUMNS) <= {folded(cell) for cell in cells}


def as_cells(table: RowStream, first: Row) -> RowStream:
    """A table of JSON objects or of Arrow as one of cells; all rows need the keys of the first."""
    columns = tuple(first.values)

    def rows() -> Iterator[Row | Reject]:
        for row in table.rows:
            if isinstance(row, Reject):
                yield row
            elif set(row.values) != set(columns):
                yield row.reject("Its keys are not those of the first row.")
            else:
                cells = {name: row.values[name] for name in columns}
                texts = {name: "" if v is None else str(v) for name, v in cells.items()}
                yield row._replace(values=texts)

    return replace(table, columns=columns, nested=False, rows=rows())


def gather_segments(table: RowStream, *, has_source: bool = True) -> Iterator[Pair | Reject]:
    """Make one pair of all marks of a segment.

    The rows of a segment need not be neighbours, so all of them are read before the first pair. A
    segment with a row that cannot be understood is rejected as a whole: without that row's marks,
    wrong text would pass as right. Rows of attention tests (``HOTW-test``), which mark errors that
    were put into the text, are left out. A segment is known by ``seg_id``, ``docSegId`` or
    ``globalSegId``, and by ``system``, ``doc`` and ``doc_id`` where there are such columns.

    Yields:
        For each segment, in order of its first row, a ``Pair``, whose ``extra`` names the segment,
        its ``raters``, the number of ``source_marks`` (in the source, such as omissions) and its
        ``mqm_score``, see :func:`penalty`; or a ``Reject`` that names the row at fault. Marks
        around nothing make no error span.

    Raises:
        DataError: If the header is another one, or a column is missing or not unique.
    """
    columns = tuple(map(folded, table.columns or ()))
    if not is_mqm_header(columns):
        raise DataError(
            f"`{table.name}` holds no MQM annotations: its header must name "
            f"{', '.join(_REQUIRED)}, and seg_id or globalSegId."
        )
    check_unique(columns, table.name)
    needed = _REQUIRED if _NUMBERED_BY & set(columns) else (*_REQUIRED, "seg_id")
    replace(table, columns=columns).require(needed, "MQM annotations")
    tests = 0
    segments: dict[tuple[str, ...], _Segment] = {}
    for row in table.rows:
        if isinstance(row, Reject):
            yield row
            continue
        # A remark in the last cell of the header is not in the rows
        row = row._replace(values=dict(zip(columns, row.values.values(), strict=False)))
        if any(folded(row.values[c]).startswith(_ATTENTION_TEST) for c in ("category", "severity")):
            tests += 1
            continue
        key = {_WRITTEN.get(c, c): row.values[c] for c in _SEGMENT_COLUMNS if c in columns}
        segments.setdefault(tuple(key.values()), _Segment(row.line, key)).add(row)
    if tests:
        logger.info("`%s`: %d rows of attention tests (HOTW) are left out.", table.name, tests)
    for segment in segments.values():
        yield segment.reject or segment.pair(has_source=has_source)


def penalty(severity: str, category: str) -> float | None:
    """What a mark costs: 25 for a non-translation, 5 for another major error, 1 for a minor one.

    Minor errors of punctuation cost 0.1, neutral marks nothing; a severity that the scheme does not
    know gives ``None``. Case does not matter, and a non-translation may end in an exclamation mark.
    A segment's ``mqm_score`` is minus the sum of its marks' costs, averaged over its raters: 0 is
    best.

    References:
        Freitag et al. 2021, arXiv 2104.14478, section 3 (weights of the MQM scheme).
    """
    kind = folded(category).rstrip("!").replace(" ", "-")
    match folded(severity):
        case "major":
            return 25.0 if kind == "non-translation" else 5.0
        case "minor":
            return 0.1 if kind == "fluency/punctuation" else 1.0
        case "neutral":
            return 0.0
        case _:
            return None


@dataclass(slots=True)
class _Segment:
    """What the rows of a segment have said so far."""

    line: int
    key: dict[str, str]
    texts: tuple[str, str] | None = None
    errors: list[ErrorSpan] = field(default_factory=list)
    raters: list[str] = field(default_factory=list)
    source_marks: int = 0
    penalties: float | None = 0.0
    reject: Reject | None = None

    def add(self, row: Row) -> None:
        """Take in a row, unless one before it was at fault."""
        if self.reject is None:
            try:
                self._add(row.values)
            except InputError as error:
                self.reject = row.reject(str(error))

    def _add(self, row: dict[str, str]) -> None:
        source, source_marks = _split(row, "source")
        target, target_marks = _split(row, "target")
        if self.texts is None:
            self.texts = (source, target)
        elif self.texts != (source, target):
            different = "source" if self.texts[0] != source else "target"
            raise InputError(
                f"The {different} differs from that of the same segment in line {self.line}; all "
                "rows of a segment must have the same texts."
            )
        marks = len(source_marks) + len(target_marks)
        no_error = any(row[c].strip().casefold() == "no-error" for c in ("category", "severity"))
        if no_error and marks:
            raise InputError("The row says that there is no error, and marks one.")
        if not no_error and not marks:
            raise InputError(
                f"The row says {row['severity']!r} and marks nothing; put the error between `<v>` "
                "and `</v>`."
            )
        if row["rater"] not in self.raters:
            self.raters.append(row["rater"])
        self.source_marks += len(source_marks)
        weight = 0.0 if no_error else penalty(row["severity"], row["category"])
        # A mark of unknown cost leaves the whole segment without a score
        known = self.penalties is not None and weight is not None
        self.penalties = (self.penalties or 0.0) + (weight or 0.0) if known else None
        self.errors += [
            ErrorSpan(start, end, row["severity"], row["category"], row["rater"])
            for start, end in target_marks
            if start < end
        ]

    def pair(self, *, has_source: bool) -> Pair:
        """What all rows said."""
        assert self.texts is not None
        source, target = self.texts
        extra = {
            **self.key,
            "raters": self.raters,
            "source_marks": self.source_marks,
            # Zero has no sign: a segment without errors scores 0, not -0
            "mqm_score": None
            if self.penalties is None
            else 0.0 - self.penalties / len(self.raters),
        }
        return Pair(
            source if has_source else None, target, self.line, extra, errors=tuple(self.errors)
        )


def _split(row: dict[str, str], column: str) -> tuple[str, list[tuple[int, int]]]:
    try:
        return split_marks(row[column])
    except ValueError as error:
        raise InputError(f"In the {column}, {error}.") from None
