"""MQM annotations: tab-separated, one row a rater's mark, gathered into one pair a segment.

References:
    Freitag et al. 2021, arXiv 2104.14478; the released files of the WMT metrics tasks.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from headwise.data.readers.column_names import folded
from headwise.data.readers.rows import Row, RowStream, check_unique
from headwise.data.records.error_spans import ErrorSpan, Range, split_marks
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
_NON_TRANSLATION = "non-translation"


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

    The rows of a segment need not be neighbours, so all of them are read before the first pair.
    White space at the ends of its texts, which a mark may have added, is that of the first row. A
    segment with a row that cannot be understood is rejected as a whole: without that row's marks,
    wrong text would pass as right. Rows of attention tests (``HOTW-test``), which mark errors that
    were put into the text, are left out. A segment is known by ``seg_id``, ``docSegId`` or
    ``globalSegId``, and by ``system``, ``doc`` and ``doc_id`` where there are such columns.

    Yields:
        For each segment, in order of its first row, a ``Pair``, whose ``extra`` names the segment,
        its ``raters``, the number of ``source_marks`` (in the source, such as omissions) and its
        ``mqm_score``, see :func:`penalty`; or a ``Reject`` that names the row at fault. Marks
        around nothing make no error span. A non-translation without a mark is the whole target; a
        segment without a rater has been judged by nobody, and its ``errors`` are ``None``.

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


def penalty(severity: str, category: str = "", *, critical: float = 5.0) -> float | None:
    """What a mark costs: 25 for a non-translation, 5 for another major error, 1 for a minor one.

    Minor errors of punctuation cost 0.1; neutral marks, issues of the source and creative
    reinterpretations (categories since WMT23) nothing; critical errors, which few tables have, as
    much as major ones. A severity that the scheme does not know gives ``None``. Case does not
    matter, nor whether the words of a category are joined by spaces, hyphens or underscores, nor
    what it is part of (``Fluency/Punctuation`` or ``punctuation``).

    References:
        Freitag et al. 2021, arXiv 2104.14478, section 3 (weights of the MQM scheme); those of the
        WMT metrics tasks since then. So weighed, the annotations of the TED talks of WMT21 give
        each of the 13,752 scores of segments that were released with them.
    """
    kind = _kind(category)
    if kind == "source-issue" or kind.endswith("reinterpretation"):
        return 0.0
    match folded(severity):
        case "major" | "critical" if kind == _NON_TRANSLATION:
            return 25.0
        case "major":
            return 5.0
        case "critical":
            return critical
        case "minor":
            return 0.1 if kind == "punctuation" else 1.0
        case "neutral":
            return 0.0
        case _:
            return None


def mqm_score(costs: Iterable[float | None], raters: int) -> float | None:
    """Minus the costs of all marks of a segment, averaged over its raters: 0 is best.

    ``None`` if the cost of one is not known, or nobody has judged.
    """
    known = list(costs)
    total = sum(cost for cost in known if cost is not None)
    # Zero has no sign: a segment without errors scores 0, not -0
    return None if None in known or not raters else 0.0 - total / raters


def _kind(category: str) -> str:
    """The last part of a category's name, as schemes that spell it differently have in common."""
    last = folded(category).rpartition("/")[2].strip().rstrip("!")
    return last.replace(" ", "-").replace("_", "-")


@dataclass(slots=True)
class _Segment:
    """What the rows of a segment have said so far."""

    line: int
    key: dict[str, str]
    texts: tuple[str, str] | None = None
    errors: list[ErrorSpan] = field(default_factory=list)
    raters: list[str] = field(default_factory=list)
    source_marks: int = 0
    costs: list[float | None] = field(default_factory=list)
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
        for name, text, known in (
            ("source", source, self.texts[0]),
            ("target", target, self.texts[1]),
        ):
            if text.strip() != known.strip():
                raise InputError(
                    f"The {name} differs from that of the same segment in line {self.line}; all "
                    "rows of a segment must have the same texts."
                )
        if not source_marks and not target_marks and _kind(row["category"]) == _NON_TRANSLATION:
            target_marks = [(0, len(target))]
        marks = len(source_marks) + len(target_marks)
        said = {row[column].strip().casefold() for column in ("category", "severity")}
        no_error = said == {""} or "no-error" in said
        if not marks and not any(row[column].strip() for column in _MARK_COLUMNS):
            return
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
        if not no_error:
            self.costs.append(penalty(row["severity"], row["category"]))
        places = (_moved(mark, target, self.texts[1]) for mark in target_marks)
        self.errors += [
            ErrorSpan(start, end, row["severity"], row["category"], row["rater"])
            for start, end in places
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
            "mqm_score": mqm_score(self.costs, len(self.raters)),
        }
        errors = tuple(self.errors) if self.raters else None
        return Pair(source if has_source else None, target, self.line, extra, errors=errors)


def _moved(mark: Range, text: str, known: str) -> Range:
    """A mark in the text as it is known, which may have other white space at its ends."""
    before, wanted = (len(one) - len(one.lstrip()) for one in (text, known))
    start, end = (min(max(place - before + wanted, 0), len(known)) for place in mark)
    return start, end


def _split(row: dict[str, str], column: str) -> tuple[str, list[tuple[int, int]]]:
    try:
        return split_marks(row[column])
    except ValueError as error:
        raise InputError(f"In the {column}, {error}.") from None
