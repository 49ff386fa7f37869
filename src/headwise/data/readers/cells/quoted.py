"""Cells in quotation marks: records of such text, the delimiter between cells, and TSV that is so.

A cell that begins with a quotation mark ends with one; inside, marks are doubled, and delimiters
and line ends are text. What breaks these rules costs one line and not those after it.
"""

import csv
import re
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from headwise.data.readers.lines import MAX_LINE_BYTES, Line
from headwise.data.records.pairs import Reject
from headwise.errors import DataError

DELIMITERS = ",;\t"
_BAR = "|"  # parts cells only below a header that it parts, too
_DECLARED = re.compile('"?sep=(.)"?')  # how spreadsheets are told the delimiter, in a first line
_SAMPLE_LINES = 50
# A cell that goes on for longer was never closed
_MAX_CHARACTERS = 2**20


class Record(NamedTuple):
    """The cells of a row and the text that they were read from."""

    cells: list[str]
    text: str


NumberedRecord = tuple[int, Record | Reject | str]
"""The number of its first line; the record, why there is none, or ``""`` if all cells are empty."""


class Dialect(NamedTuple):
    """How cells are parted."""

    delimiter: str
    skips_spaces: bool = False
    quotes: bool = True


TABS = Dialect("\t")


def quoted_records(lines: Iterable[Line], dialect: Dialect = TABS) -> Iterator[NumberedRecord]:
    """Read records of one line or more; an empty line may come as a reject without content."""
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE_BYTES))
    feed = _Feed(iter(lines))
    reader = csv.reader(
        feed,
        delimiter=dialect.delimiter,
        skipinitialspace=dialect.skips_spaces,
        quoting=csv.QUOTE_MINIMAL if dialect.quotes else csv.QUOTE_NONE,
        strict=True,
    )
    while True:
        feed.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number, first = feed.put_back_all_but_first()
            text = first.content if isinstance(first, Reject) else first
            reason = (
                f"Its quotation marks do not pair ({error}): a cell that begins with one must end "
                "with one, and those inside it are doubled."
                if "new-line" not in str(error)
                else "A cell without quotation marks holds a carriage return; put it into some."
            )
            yield number, first if isinstance(first, Reject) else Reject(number, reason, text)
            continue
        number = feed.taken[0][0]
        lines_of = [line for _, line in feed.taken]
        text = "\n".join(line if isinstance(line, str) else line.content for line in lines_of)
        bad = next((line for line in lines_of if isinstance(line, Reject) and line.content), None)
        if bad is not None:
            yield number, Reject(number, bad.reason, text)
        else:
            yield number, Record(cells, text) if any(cells) else ""


class _Feed:
    """Lines for a reader of records, which may be put back."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._waiting: deque[Line] = deque()
        self._characters = 0
        self.taken: list[Line] = []

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        if not self.taken:
            self._characters = 0
        elif self._characters > _MAX_CHARACTERS:
            raise csv.Error("none closes the first one")
        numbered = self._waiting.popleft() if self._waiting else next(self._lines)
        self.taken.append(numbered)
        line = numbered[1]
        text = line if isinstance(line, str) else line.content
        self._characters += len(text)
        return text + "\n"

    def put_back_all_but_first(self) -> Line:
        """Take back a record that is none: the lines behind its first one may be records."""
        first, *others = self.taken
        self._waiting.extendleft(reversed(others))
        return first


def find_dialect(
    lines: Iterator[Line],
    name: str,
    header_of: Callable[[Sequence[Record]], Record | None],
    *,
    live: bool,
) -> tuple[Dialect, Iterator[Line]]:
    """Find the delimiter of CSV by its first lines, and give back all lines.

    Cells that are known as a header decide, then rows of equally many cells; a delimiter with a
    space behind it is punctuation, unless it is so in the header. ``live`` text is looked at no
    further than its first line.

    Raises:
        DataError: If a first line ``sep=`` declares a delimiter that is none.
    """
    sample = list(islice(lines, 1 if live else _SAMPLE_LINES))
    first = next((line for _, line in sample if line), None)
    if not isinstance(first, str):
        return Dialect(DELIMITERS[0]), chain(sample, lines)
    if declared := _DECLARED.fullmatch(first):
        if declared[1] in '"\\ ' or declared[1].isalnum():
            raise DataError(
                f"`{name}` declares the delimiter {declared[1]!r}; take one of , ; | tab."
            )
        return Dialect(declared[1]), chain(sample[1:], lines)

    def fitness(delimiter: str) -> tuple[bool, bool, float, float]:
        found = [r for _, r in quoted_records(sample, Dialect(delimiter)) if isinstance(r, Record)]
        if not found:
            return False, False, 0.0, 0.0
        header = header_of([r._replace(cells=[cell.strip() for cell in r.cells]) for r in found])
        width = len((header or found[0]).cells)
        alike = sum(len(record.cells) == width for record in found) / len(found)
        behind = [cell for record in found for cell in record.cells[1:]]
        spaced = sum(cell.startswith(" ") for cell in behind) / max(len(behind), 1)
        return header is not None, width > 1 and alike >= 0.5, alike, -spaced

    best = max(DELIMITERS, key=fitness)
    if not fitness(best)[0] and fitness(_BAR)[:2] == (True, True):
        best = _BAR
    spaced = 0 < first.count(best) == first.count(f"{best} ")
    return Dialect(best, skips_spaces=spaced), chain(sample, lines)


# How far TSV is looked at that may be quoted: records with quotation marks, and lines
_LOOK, _LOOK_LIVE = (100, 20_000), (2, 10)


def looks_quoted(
    lines: Iterator[Line], widths: Container[int] | None, *, live: bool
) -> tuple[bool, Iterator[Line]]:
    """Whether tab-separated lines, of which the first has a quotation mark, hold quoted cells.

    Programs that write quoted cells quote each cell that has to be: one with a quotation mark, a
    tab or a line end in it. So cells that were quoted for a reason speak for it, and marks that
    stand unquoted inside a cell, or do not pair, speak against it. Where there are neither, cells
    are quoted if all of them are, or those with a comma and no others, as spreadsheets do it.
    Everything else is running text, in which a quotation mark is a character.

    Args:
        lines: The lines from there on.
        widths: How many cells a row may have, if it is known.
        live: Whether someone may be waiting for the rows; then few lines are looked at.

    Returns:
        The answer, and the same lines.
    """
    seen: list[Line] = []

    def noted() -> Iterator[Line]:
        for line in lines:
            seen.append(line)
            yield line

    most_records, most_lines = _LOOK_LIVE if live else _LOOK
    marks = _Marks()
    for number, record in quoted_records(noted()):
        if isinstance(record, Reject):
            marks.against += 1
        elif isinstance(record, Record):
            marks.count(record, widths)
        if (
            marks.against + marks.records >= most_records
            or number - seen[0][0] >= most_lines
            or (live and marks.reasons != marks.against)
        ):
            break
    return marks.verdict, chain(seen, lines)


class _Marks:
    """What was seen of quotation marks.

    Attributes:
        records: Rows that have any.
        reasons: Quoted cells that had to be.
        against: Rows that cannot be quoted ones.
        with_comma, without: Quoted cells that had not to be.
        bare, bare_comma: Unquoted texts, and those with a comma.
    """

    def __init__(self) -> None:
        self.records = self.reasons = self.against = 0
        self.with_comma = self.without = self.bare = self.bare_comma = 0

    def count(self, record: Record, widths: Container[int] | None) -> None:
        cells, text = record
        if '"' in text:
            self.records += 1
            # A cell that goes on in the next line takes in no cells of the first one
            first = text.partition("\n")[0].count("\t") + 1
            takes_in = "\n" in text and len(cells) < first
            if takes_in if widths is None else len(cells) not in widths:
                self.against += 1
                return
        place = 0
        for cell in cells:
            if text.startswith('"', place):
                place += len(cell) + cell.count('"') + 3
                if any(mark in cell for mark in '"\t\n\r'):
                    self.reasons += 1
                elif "," in cell:
                    self.with_comma += 1
                else:
                    self.without += 1
                continue
            place += len(cell) + 1
            self.against += '"' in cell
            self.bare += any(map(str.isalpha, cell))
            self.bare_comma += "," in cell

    @property
    def verdict(self) -> bool:
        if self.reasons or self.against:
            return self.reasons > self.against
        if self.with_comma and not self.without:
            return not self.bare_comma
        return self.records > 1 and not self.bare
