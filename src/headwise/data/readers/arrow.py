"""Rows of Arrow record batches, which Parquet files and data sets are made of."""

import importlib.util
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from headwise.data.readers.layout import Layout, finding_columns
from headwise.data.readers.nested_rows import TRANSLATION, find_nested
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError, InputError

if TYPE_CHECKING:
    import datasets
    import pyarrow


BATCH_ROWS = 1024


def read_batches(
    batches: "Iterable[pyarrow.RecordBatch | pyarrow.Table]",
    schema: "pyarrow.Schema",
    name: str,
    layout: Layout,
) -> Iterator[Pair | Reject]:
    """Read rows; a row's number, counted from 1, is its line.

    Raises:
        DataError: If a column is missing or not unique.
    """
    with finding_columns(schema.names, name):
        columns = find_nested(schema.names, layout, languages=_languages(schema))
    line = 0
    for batch in batches:
        for row in batch.to_pylist():
            line += 1
            try:
                pairs = columns.pairs(row, line)
            except InputError as error:
                yield Reject(line, str(error), json.dumps(row, ensure_ascii=False, default=str))
            else:
                yield from pairs


def _languages(schema: "pyarrow.Schema") -> list[str] | None:
    import pyarrow

    if TRANSLATION not in schema.names:
        return None
    kind = schema.field(TRANSLATION).type
    return [field.name for field in kind] if pyarrow.types.is_struct(kind) else None


def read_parquet(path: Path, layout: Layout) -> Iterator[Pair | Reject]:
    """Read rows of a Parquet file; a row's number, counted from 1, is its line.

    Raises:
        DataError: If the file is damaged, or a column is missing or not unique.
    """
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            batches = file.iter_batches(batch_size=BATCH_ROWS)
            yield from read_batches(batches, file.schema_arrow, str(path), layout)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"`{path}` cannot be read as Parquet: {error}.") from error


_OF_DATASET = "state.json"


_OF_SPLITS = "dataset_dict.json"


def check_saved_dataset(folder: Path) -> None:
    """Refuse a folder that cannot be read here, before anything heavy is imported.

    Raises:
        DataError: If it holds no data set or several splits, or the package is not installed.
    """
    if (folder / _OF_SPLITS).exists():
        raise DataError(f"`{folder}` holds several splits; name one of {_splits(folder)}.")
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


def read_saved_dataset(folder: Path, layout: Layout) -> Iterator[Pair | Reject]:
    """Read rows of a data set; a row's number, counted from 1, is its line.

    Raises:
        DataError: If the folder is damaged, or a column is missing or not unique.
    """
    dataset = _load(folder).with_format("arrow")
    batches = dataset.iter(batch_size=BATCH_ROWS)
    yield from read_batches(batches, dataset.features.arrow_schema, str(folder), layout)


def _load(folder: Path) -> "datasets.Dataset":
    import datasets

    try:
        return datasets.Dataset.load_from_disk(folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"`{folder}` cannot be read as a saved data set: {error}.") from error


def _splits(folder: Path) -> str:
    try:
        names = json.loads((folder / _OF_SPLITS).read_bytes())["splits"]
        return ", ".join(f"`{folder / name}`" for name in names)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"`{folder / _OF_SPLITS}` names no splits: {error}.") from error
