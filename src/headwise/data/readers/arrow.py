"""Tables of Arrow record batches, which Parquet files and saved data sets are made of."""

import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from headwise.data.readers.rows import TRANSLATION, Row, RowStream, check_unique
from headwise.data.records.json_values import listed
from headwise.data.records.pairs import Reject
from headwise.documents import parse_json, read_json
from headwise.errors import DataError

if TYPE_CHECKING:
    import pyarrow

# Enough to be quick, few enough for rows of long texts
_BATCH_ROWS = 1024
_OF_DATASET = "state.json"
_OF_SPLITS = "dataset_dict.json"


@contextmanager
def open_parquet(path: Path, *, flat: bool) -> Iterator[RowStream]:
    """Open a Parquet file; ``flat`` leaves out columns of lists and objects.

    Raises:
        DataError: If it is damaged, or has two columns of one name.
    """
    import pyarrow.parquet

    with _naming_damage(path, "Parquet"):
        file = pyarrow.parquet.ParquetFile(path)
    with file:
        schema = file.schema_arrow
        if flat:
            schema = [field for field in schema if not pyarrow.types.is_nested(field.type)]
        columns = [field.name for field in schema]
        batches = file.iter_batches(batch_size=_BATCH_ROWS, columns=columns if flat else None)
        yield _arrow_table(batches, file.schema_arrow, path, "Parquet", columns=columns)


def dataset_table(folder: Path) -> RowStream:
    """The table in a folder that ``datasets`` saved; errors are those of :func:`open_parquet`."""
    check_saved_dataset(folder)
    import datasets

    # Whatever a damaged folder makes the package say
    with _naming_damage(folder, "a saved data set", ValueError, KeyError, TypeError):
        dataset = datasets.Dataset.load_from_disk(folder).with_format("arrow")
    batches = dataset.iter(batch_size=_BATCH_ROWS)
    return _arrow_table(batches, dataset.features.arrow_schema, folder, "a saved data set")


def table_rows(table: "pyarrow.Table", name: str) -> RowStream:
    """The rows of a table in memory; errors call it ``name``, and lines are numbers of rows.

    Columns of JSON text, as `headwise.data.writers.arrow_columns` notes them, hold values again.
    """
    batches = table.to_batches(max_chunksize=_BATCH_ROWS)
    read = _arrow_table(batches, table.schema, name, name)
    as_json = [field.name for field in table.schema if is_json(field)]
    return replace(read, rows=_with_values(read.rows, as_json)) if as_json else read


def is_json(field: "pyarrow.Field") -> bool:
    """Whether a column is noted to hold values as JSON text."""
    return (field.metadata or {}).get(b"content") == b"json"


def _with_values(rows: Iterable[Row | Reject], names: Sequence[str]) -> Iterator[Row | Reject]:
    for row in rows:
        if isinstance(row, Row):
            for name in names:
                if (text := row.values[name]) is not None:
                    row.values[name] = parse_json(text, allow_nan=True)
        yield row


def _arrow_table(
    batches: "Iterable[pyarrow.RecordBatch | pyarrow.Table]",
    schema: "pyarrow.Schema",
    path: str | Path,
    what: str,
    *,
    columns: Sequence[str] | None = None,
) -> RowStream:
    import pyarrow

    columns = schema.names if columns is None else columns
    check_unique(columns, str(path))
    languages = None
    if TRANSLATION in columns and pyarrow.types.is_struct(schema.field(TRANSLATION).type):
        languages = tuple(field.name for field in schema.field(TRANSLATION).type)

    def rows() -> Iterator[Row | Reject]:
        with _naming_damage(path, what):
            number = 0
            for batch in batches:
                yield from _rows(batch, number)
                number += len(batch)

    return RowStream(
        name=str(path),
        columns=tuple(columns),
        nested=True,
        languages=languages,
        rows=rows(),
        classes=_class_names(schema, path),
    )


def _rows(batch: "pyarrow.RecordBatch | pyarrow.Table", before: int) -> Iterator[Row | Reject]:
    """The rows of a batch; one that Python has no value for is a reject."""
    try:
        yield from map(Row, count(before + 1), batch.to_pylist())
    except (ValueError, OverflowError):  # bytes that are not UTF-8, days beyond the calendar
        if len(batch) > 1:
            for place in range(len(batch)):
                yield from _rows(batch.slice(place, 1), before + place)
            return
        yield Reject(before + 1, _fault(batch), "")


def _fault(row: "pyarrow.RecordBatch | pyarrow.Table") -> str:
    """Which value of a row has no counterpart in Python, and why."""
    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            column.to_pylist()
        except (ValueError, OverflowError) as error:
            return f"`{name}` cannot be read: {str(error).partition(chr(10))[0]:.200}."
    return "The row cannot be read."


def _class_names(schema: "pyarrow.Schema", path: str | Path) -> dict[str, tuple[str, ...]]:
    """Names of the classes of columns of the type ``ClassLabel``, which `datasets` notes down."""
    noted = (schema.metadata or {}).get(b"huggingface")
    if noted is None:
        return {}
    try:
        features = parse_json(noted.decode())["info"]["features"]
        return {
            str(column): tuple(map(str, feature["names"]))
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"What `datasets` noted down about the columns of `{path}` is damaged ({error!r}), so "
            "that the classes of labels are unknown; save it anew."
        ) from error


@contextmanager
def _naming_damage(path: str | Path, what: str, *more: type[Exception]) -> Iterator[None]:
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError, *more) as error:
        raise DataError(f"`{path}` cannot be read as {what}: {error}.") from error


def check_saved_dataset(folder: Path) -> None:
    """Refuse a folder that cannot be read here, before anything heavy is imported.

    Raises:
        DataError: If it holds no data set or several splits, or the package is not installed.
    """
    if (folder / _OF_SPLITS).exists():
        try:
            names = read_json(folder / _OF_SPLITS)["splits"]
            splits = listed(str(folder / name) for name in names)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"`{folder / _OF_SPLITS}` names no splits: {error}.") from error
        raise DataError(f"`{folder}` holds several splits; name one of {splits}.")
    if not (folder / _OF_DATASET).exists():
        raise DataError(
            f"`{folder}` is a folder, and not one that `datasets` saved with `save_to_disk`; name "
            "a file in it."
        )
    if importlib.util.find_spec("datasets") is None:
        raise DataError(
            f"`{folder}` is a saved data set, and reading it needs the package `datasets`; "
            "install it with: pip install 'headwise[datasets]'"
        )
