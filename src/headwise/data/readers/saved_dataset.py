"""Folders that the package `datasets` saved, one record batch in memory at a time."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from headwise.data.pairs import Pair, Reject
from headwise.data.readers.arrow_rows import BATCH_ROWS, read_batches
from headwise.data.readers.layout import Layout
from headwise.errors import DataError

if TYPE_CHECKING:
    import datasets

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
