"""Premises, hypotheses and labels, in the column layouts of SNLI, MultiNLI and ANLI."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from headwise.choices import NLI_LABELS, NLILabel
from headwise.data.readers.column_names import Role, knows_any
from headwise.data.readers.layout import Format
from headwise.data.readers.rows import Columns, Row, RowStream, records, with_notice
from headwise.data.readers.tables import check_input, open_table
from headwise.data.records.inferences import InferencePair, parse_label
from headwise.data.records.json_values import listed
from headwise.data.records.pairs import Reject
from headwise.errors import DataError, InputError

_PREMISES_ABROAD = "prämisse prémisse premisa premessa premissa предпосылка 前提 전제"
_HYPOTHESES_ABROAD = "hypothese hypothèse hipótesis ipotesi hipótese гипотеза 假设 假設 仮説 가설"
_PREMISE = Role(
    "premise",
    (("premise",), ("sentence1",), ("context",)),
    others=("evidence", "text1"),
    last=(tuple(_PREMISES_ABROAD.split()),),
)
_HYPOTHESIS = Role(
    "hypothesis",
    (("hypothesis",), ("sentence2",)),
    others=("claim", "text2"),
    last=(tuple(_HYPOTHESES_ABROAD.split()),),
)
# Beside the gold label there may be those of single annotators
_LABEL = Role("label", (("gold_label",), ("label",)))
_ROLES = (_PREMISE, _HYPOTHESIS, _LABEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceLayout:
    """What a reader is told about a file; what is ``None`` is found out.

    Attributes:
        premise_column: By default one of ``premise``, ``sentence1`` and ``context``, in any case.
        hypothesis_column: By default one of ``hypothesis`` and ``sentence2``.
        label_column: By default ``gold_label`` if there is one, else ``label``. In Parquet and
            data sets, numbers of the type ``ClassLabel`` mean what its names say.
        header: Whether the first row of a table names the columns; by default it does if a known
            name stands in it.
        encoding: The encoding of text; by default UTF-8, or UTF-16 if it is that.
        quotes: Whether quotation marks around cells belong to the format; by default those of CSV
            do, and those of TSV that looks so.
        format: The format; by default what the suffix says.
    """

    premise_column: str | None = None
    hypothesis_column: str | None = None
    label_column: str | None = None
    format: Format | None = None
    header: bool | None = None
    encoding: str | None = None
    quotes: bool | None = None


_DEFAULT_LAYOUT = InferenceLayout()


class _Columns(NamedTuple):
    """Where texts and label are, and the labels that numbers stand for, if the file names them."""

    texts: Columns
    label: str | None
    classes: tuple[NLILabel | None, ...] | None = None


def read_inferences(
    path: str | Path, layout: InferenceLayout = _DEFAULT_LAYOUT, *, labelled: bool = True
) -> Iterator[InferencePair | Reject]:
    """Read pairs of premise and hypothesis, lazily and in order.

    Args:
        path: A TSV, CSV, JSONL, Parquet or XLSX file (the text formats also with ``.gz``), a folder
            that ``datasets`` saved, or ``-`` for standard input. A table without a header holds
            premise, hypothesis and, if there is a third column, the label.
        layout: Format and columns, as far as they should not be found out.
        labelled: Whether every pair needs a label. Without, labels are read where there are any; a
            column that is called like one and holds something else is handed through.

    Raises:
        DataError: If the file is missing, damaged, of an unknown format or lacks a column. What
            only reading can show is raised while iterating.
    """
    check_input(path, layout.format)
    return _read(path, layout, labelled=labelled)


Inferencelike = InferencePair | tuple[str, str] | tuple[str, str, object] | Mapping[str, Any]
"""What is understood as a pair of premise and hypothesis, see :func:`as_inference`."""


def as_inference(value: Inferencelike) -> InferencePair:
    """A pair from what stands for one in Python.

    Args:
        value: A pair; a tuple of premise, hypothesis and, if it is known, the label; or a row as
            files of JSON lines hold it, such as ``{"premise": ..., "hypothesis": ...,
            "label": ...}``.

    Raises:
        InputError: If a text is none, or a label is not known.
        TypeError: If it is none of these.
    """
    if isinstance(value, InferencePair):
        return value
    if isinstance(value, Mapping):
        row = Row(0, dict(value))
    elif isinstance(value, Sequence) and not isinstance(value, str) and len(value) in (2, 3):
        row = Row(0, dict(zip(("premise", "hypothesis", "label"), value, strict=False)))
    else:
        raise TypeError(
            "A pair must be (premise, hypothesis) or (premise, hypothesis, label), an "
            f"`InferencePair`, or an object with these keys, got {value!r}."
        )
    try:
        columns = _find(tuple(row.values), _DEFAULT_LAYOUT, {}, labelled=False)
    except LookupError as error:
        raise InputError(f"In this row {error.args[0]}.") from None
    return _inference(row, columns, labelled=False, may_be_other=False)


def as_inferences(values: Iterable[Inferencelike]) -> list[InferencePair]:
    """All ``values`` as pairs, see :func:`as_inference`."""
    return list(map(as_inference, values))


def _read(
    path: str | Path, layout: InferenceLayout, *, labelled: bool
) -> Iterator[InferencePair | Reject]:
    with open_inferences(path, layout, labelled=labelled) as table:
        if layout.header is None and not table.named:
            table = with_notice(table)
        yield from inferences_of(table, layout, labelled=labelled)


def open_inferences(
    path: str | Path, layout: InferenceLayout, *, labelled: bool
) -> AbstractContextManager[RowStream]:
    """Open a table whose columns are named as :func:`inferences_of` knows them.

    Args:
        path: The file, ``-`` for standard input, or a folder of a data set.
        layout: What is said about its format and columns.
        labelled: Whether a column of labels must be there.
    """
    naming = partial(_name_columns, path=path, layout=layout, labelled=labelled)
    return open_table(
        path, layout.format, naming=naming, encoding=layout.encoding, quotes=layout.quotes
    )


def inferences_of(
    table: RowStream, layout: InferenceLayout, *, labelled: bool
) -> Iterator[InferencePair | Reject]:
    """Make pairs of the rows of a table.

    Args:
        table: The rows of a table, with the names of its columns.
        layout: What is said about its columns.
        labelled: Whether rows must have a label; without one, labels are not read.

    Raises:
        DataError: If its header lacks a column, or leaves open which one is meant.
    """
    columns = table.find(
        lambda present, _: _find(present, layout, table.classes, labelled=labelled)
    )
    may_be_other = not labelled and layout.label_column is None
    return records(table.rows, lambda row: _inference(row, columns(row), labelled, may_be_other))


def inference_columns(table: RowStream, layout: InferenceLayout) -> dict[str, str]:
    """The columns of a table that hold texts, by ``premise`` and ``hypothesis``.

    Args:
        table: The rows of a table, with the names of its columns.
        layout: What is said about its columns.

    Raises:
        DataError: As of :func:`inferences_of`.
    """
    find = table.find(lambda present, _: _find(present, layout, table.classes, labelled=False))
    texts = find(Row(0, {})).texts
    return {"premise": texts.source or "", "hypothesis": texts.hypothesis}


def _name_columns(
    cells: Sequence[str], *, path: str | Path, layout: InferenceLayout, labelled: bool
) -> Sequence[str] | None:
    asked = (layout.premise_column, layout.hypothesis_column, layout.label_column)
    if any(asked) or _is_header(cells) if layout.header is None else layout.header:
        return None
    if len(cells) not in ((3,) if labelled else (2, 3)):
        needed = "premise, hypothesis and label" if labelled else "premise and hypothesis"
        raise DataError(
            f"`{path}` has no header with known names, and its first row has {len(cells)} "
            f"columns; it needs {needed}, or a header with "
            f"{'; '.join(', '.join(role.names) for role in _ROLES)}."
        )
    return ("premise", "hypothesis", "label")[: len(cells)]


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a name that is known stands in a row, or those of both texts do."""
    try:
        return knows_any(cells, *_ROLES) or None not in (
            _PREMISE.look_for(cells),
            _HYPOTHESIS.look_for(cells),
        )
    except LookupError:
        return False


def _find(
    present: Sequence[str],
    layout: InferenceLayout,
    classes: Mapping[str, Sequence[str]],
    *,
    labelled: bool,
) -> _Columns:
    if labelled:
        _LABEL.find(present, layout.label_column)
    texts = Columns(
        _PREMISE.find(present, layout.premise_column),
        _HYPOTHESIS.find(present, layout.hypothesis_column),
    )
    others = [name for name in present if name not in (texts.source, texts.hypothesis)]
    try:
        label = _LABEL.find(others, layout.label_column)
    except LookupError:
        return _Columns(texts, None)
    if (names := classes.get(label)) is None:
        return _Columns(texts, label)
    try:
        return _Columns(texts, label, _labels_of(names, label))
    except LookupError:
        if labelled or layout.label_column is not None:
            raise
        return _Columns(texts, None)  # classes of something else are handed through


def _labels_of(names: Sequence[str], column: str) -> tuple[NLILabel | None, ...]:
    """The label that each class stands for; a name that is none is a ``LookupError``."""
    try:
        return tuple(map(parse_label, names))
    except ValueError:
        unknown = [name for name in names if not _is_label(name)]
        raise LookupError(
            f"`{column}` has the classes {listed(names)}; {listed(unknown)} is none of "
            f"{listed(NLI_LABELS)}: name the classes so, or map them to these"
        ) from None


def _is_label(name: str) -> bool:
    try:
        parse_label(name)
    except ValueError:
        return False
    return True


def _inference(row: Row, columns: _Columns, labelled: bool, may_be_other: bool) -> InferencePair:
    extra = row.values.copy()
    premise, hypothesis = columns.texts.texts(extra)
    assert premise is not None
    label = None
    if columns.label is not None and (value := extra.pop(columns.label)) is not None:
        try:
            label = _label(value, columns.classes)
        except ValueError as error:
            if not may_be_other:
                raise InputError(str(error)) from None
            extra[columns.label] = value
    if labelled and label is None:
        raise InputError("It has no label that annotators agreed on; leave it out.")
    return InferencePair(premise, hypothesis, label, row.line, extra)


def _label(value: object, classes: Sequence[NLILabel | None] | None) -> NLILabel | None:
    """The label that a value stands for; numbers of named classes mean what their names say."""
    if classes is None or not isinstance(value, int):
        return parse_label(value)
    if value == -1:
        return None
    if not 0 <= value < len(classes):
        raise ValueError(
            f"A label must be the number of one of {len(classes)} classes, or -1 where annotators "
            f"did not agree; got {value}."
        )
    return classes[value]
