"""Premises, hypotheses and labels, in the column layouts of SNLI, MultiNLI and ANLI."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headwise.data.readers.files import read_pairs
from headwise.data.readers.layout import Columns, Format, Layout, folded
from headwise.data.readers.lines import content_lines
from headwise.data.readers.opening import STDIN, check_readable, open_bytes, resolve_format
from headwise.data.records.inferences import InferencePair, parse_label
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

PREMISE_NAMES = ("premise", "sentence1", "context")
HYPOTHESIS_NAMES = ("hypothesis", "sentence2")
# The first that is there: beside the gold label there may be those of single annotators
LABEL_NAMES = ("gold_label", "label")


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceLayout:
    """What a reader is told about a file; what is ``None`` is found out.

    Attributes:
        premise_column: By default one of ``premise``, ``sentence1`` and ``context``, in any case.
        hypothesis_column: By default one of ``hypothesis`` and ``sentence2``.
        label_column: By default ``gold_label`` if there is one, else ``label``.
        format: The file's format; by default its suffix says it.
    """

    premise_column: str | None = None
    hypothesis_column: str | None = None
    label_column: str | None = None
    format: Format | None = None


_DEFAULT_LAYOUT = InferenceLayout()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roles(Layout):
    """The columns of an inference, for readers that know sources and hypotheses."""

    asked: InferenceLayout = field(default_factory=InferenceLayout)
    labelled: bool = True

    @property
    def names_columns(self) -> bool:
        """True: no row is a conversation or a rater's mark."""
        return True

    def is_header(self, cells: Sequence[str]) -> bool:
        """Whether the first row of a TSV file names its columns."""
        asked = (self.asked.premise_column, self.asked.hypothesis_column, self.asked.label_column)
        known = {*PREMISE_NAMES, *HYPOTHESIS_NAMES, *LABEL_NAMES}
        return any(asked) or any(folded(cell) in known for cell in cells)

    def columns(self, names: Iterable[str]) -> Columns:
        """Find premise and hypothesis, and see that a label is there if one is wanted.

        Raises:
            LookupError: If a column is not there.
        """
        present, asked = list(names), self.asked
        if self.labelled:
            _find(present, asked.label_column, LABEL_NAMES, "label")
        return Columns(
            source=_find(present, asked.premise_column, PREMISE_NAMES, "premise"),
            hypothesis=_find(present, asked.hypothesis_column, HYPOTHESIS_NAMES, "hypothesis"),
        )


def read_inferences(
    path: str | Path, layout: InferenceLayout = _DEFAULT_LAYOUT, *, labelled: bool = True
) -> Iterator[InferencePair | Reject]:
    """Read pairs of premise and hypothesis, lazily and in order.

    Args:
        path: A TSV, JSONL or Parquet file (the text formats also with ``.gz``), a folder that
            ``datasets`` saved, or ``-`` for standard input. A TSV file without a header holds
            premise, hypothesis and, if there is a third column, the label.
        layout: Format and columns, as far as they should not be found out.
        labelled: Whether every pair needs a label. Without, labels are read where there are any; a
            column that is called like one and holds something else is handed through.

    Returns:
        For each row an ``InferencePair``, or a ``Reject`` if it cannot be one.

    Raises:
        DataError: If the file is missing, damaged, of an unknown format or lacks a column.
    """
    roles = _Roles(format=layout.format, asked=layout, labelled=labelled)
    if str(path) != STDIN and not Path(path).is_dir():
        check_readable(path)
        if resolve_format(path, roles) is Format.TSV and (width := _headless_width(path, roles)):
            return _read_headless(path, width, labelled=labelled)
    return _labelled_rows(read_pairs(path, roles), layout, labelled=labelled)


def _labelled_rows(
    rows: Iterator[Pair | Reject], layout: InferenceLayout, *, labelled: bool
) -> Iterator[InferencePair | Reject]:
    for row in rows:
        if isinstance(row, Reject):
            yield row
            continue
        assert row.source is not None
        extra = dict(row.extra)
        try:
            name = _find(list(extra), layout.label_column, LABEL_NAMES, "label")
            value = extra.pop(name)
        except LookupError:  # _Roles refuses the row where a label is needed
            value = None
        may_be_other = not labelled and layout.label_column is None and value is not None
        if may_be_other and not _is_label(value):  # a column of that name with something else in it
            extra[name], value = value, None
        content = "\t".join((row.source, row.hypothesis))
        yield _pair((row.source, row.hypothesis, value), row.line, extra, content, labelled)


def _is_label(value: object) -> bool:
    try:
        parse_label(value)
    except ValueError:
        return False
    return True


def _headless_width(path: str | Path, roles: _Roles) -> int | None:
    """Columns of a TSV file without a header; ``None`` if it has one or holds nothing."""
    with open_bytes(path) as stream:
        lines = (line for _, line in content_lines(stream, str(path)))
        first = next((line for line in lines if isinstance(line, str)), None)
    if first is None or roles.is_header(cells := first.split("\t")):
        return None
    if len(cells) not in (2, 3) or (len(cells) == 2 and roles.labelled):
        needed = "premise, hypothesis and label" if roles.labelled else "premise and hypothesis"
        raise DataError(
            f"`{path}` has no header with known names, and its first row has {len(cells)} "
            f"columns; it needs {needed}, or a header with {', '.join(PREMISE_NAMES)}; "
            f"{', '.join(HYPOTHESIS_NAMES)}; {', '.join(LABEL_NAMES)}."
        )
    return len(cells)


def _read_headless(
    path: str | Path, width: int, *, labelled: bool
) -> Iterator[InferencePair | Reject]:
    with open_bytes(path) as stream:
        for number, line in content_lines(stream, str(path)):
            if isinstance(line, Reject):
                yield line
            elif len(cells := line.split("\t")) != width:
                yield Reject(number, f"Columns in the row: {len(cells)}, expected {width}.", line)
            else:
                label = cells[2] if width == 3 else None
                yield _pair((cells[0], cells[1], label), number, {}, line, labelled)


def _pair(
    row: tuple[str, str, object],
    line: int,
    extra: Mapping[str, Any],
    content: str,
    labelled: bool,
) -> InferencePair | Reject:
    premise, hypothesis, value = row
    try:
        label = None if value is None else parse_label(value)
    except ValueError as error:
        return Reject(line, str(error), content)
    if labelled and label is None:
        return Reject(line, "It has no label that annotators agreed on; leave it out.", content)
    return InferencePair(premise, hypothesis, label, line, extra)


def _find(present: Sequence[str], asked: str | None, known: Sequence[str], role: str) -> str:
    listed = ", ".join(f"`{name}`" for name in present) or "none"
    if asked is not None:
        if asked not in present:
            raise LookupError(f"there is no `{asked}`; found {listed}")
        return asked
    for wanted in known:
        found = [name for name in present if folded(name) == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            several = ", ".join(f"`{name}`" for name in found)
            raise LookupError(f"{several} could each be the {role}; name it with `{role}_column`")
    raise LookupError(
        f"there is no {role} ({', '.join(known)}); found {listed}; name it with `{role}_column`"
    )
