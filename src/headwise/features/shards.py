"""Features on disk: shards in safetensors format, mapped into memory, and an index.

A folder that has an index is complete. Until then, a plan says what it is going to hold, and a
receipt beside each complete shard what that looks like, so that an interrupted call continues.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from headwise.documents import read_object
from headwise.errors import DataError, MismatchError, OutputError
from headwise.features.fingerprint import check_fingerprint, check_version
from headwise.files import atomic_path, naming_output, write_tensors

INDEX_FILE = "index.json"
SHARD_BYTES = 128 * 2**20
_PLAN_FILE = "plan.json"


def shard_name(number: int) -> str:
    """File name of a shard, counted from 0."""
    return f"shard-{number:05d}.safetensors"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder_bytes(folder: Path) -> int:
    """Size of all shards."""
    return sum(path.stat().st_size for path in folder.glob("shard-*.safetensors"))


def read_index(folder: Path) -> dict[str, Any]:
    """Read a cache's index.

    Raises:
        DataError: If there is none or it is damaged.
        MismatchError: If another version of headwise wrote it.
    """
    path = folder / INDEX_FILE
    try:
        index = read_object(path)
        check_version(dict(index["fingerprint"]), folder=str(folder))
        for number, shard in enumerate(index["shards"]):
            if shard["file"] != shard_name(number):
                raise ValueError(f"shard {number} is called {shard['file']!r:.60}")
            # Looked up for the KeyError alone: an entry that lacks one is damaged
            shard["bytes"], shard["sha256"]
    except MismatchError:
        raise
    except FileNotFoundError:
        raise DataError(
            f"{folder} holds no finished features: it has no {INDEX_FILE}; extract them."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged ({error!r}); delete the folder.") from None
    return index


def read_shard(folder: Path, entry: dict[str, Any]) -> dict[str, Tensor]:
    """Map a shard into memory, of which the index holds an entry.

    Raises:
        DataError: If it is missing or damaged.
    """
    path = folder / entry["file"]
    if not path.is_file() or path.stat().st_size != entry["bytes"]:
        raise DataError(f"{path} is missing or cut short; delete the folder to extract anew.")
    if file_digest(path) != entry["sha256"]:
        raise DataError(f"{path} is damaged: its checksum is another one; delete the folder.")
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} cannot be read: {error}; delete the folder.") from error


@dataclass(frozen=True, slots=True)
class RowPlaces:
    """Where rows stand that come from several shards.

    ``parts`` says of each shard its number, which of the ``size`` rows it holds, and where.
    """

    size: int
    parts: list[tuple[int, Tensor, Tensor]]

    @classmethod
    def of(cls, shards: Tensor, rows: Tensor) -> Self:
        """Places of n rows, from the number of each one's shard and its row there, ``(n,)``."""
        parts = [
            (number, here := (shards == number).nonzero().squeeze(1), rows[here])
            for number in shards.unique().tolist()
        ]
        return cls(len(rows), parts)

    def take(self, shards: Sequence[Tensor]) -> Tensor:
        """The rows, ``(n, ...)``, in order."""
        if len(self.parts) == 1:
            number, _, rows = self.parts[0]
            return shards[number].index_select(0, rows)
        found = torch.empty(self.size, *shards[0].shape[1:], dtype=shards[0].dtype)
        for number, here, rows in self.parts:
            # Not index_copy_, which does not know 8-bit numbers
            found[here] = shards[number].index_select(0, rows)
        return found


def claim_folder(folder: Path, plan: dict[str, Any]) -> None:
    """Note what the folder is going to hold, or check what an interrupted call noted."""
    path = folder / _PLAN_FILE
    if path.is_file():
        try:
            noted = read_object(path)
        except DataError as error:
            raise DataError(f"{error} Delete the folder.") from None
        check_fingerprint(noted, plan, folder=str(folder))
        return
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(plan, ensure_ascii=False, indent=1), "utf-8")


def _receipt(folder: Path, number: int) -> Path:
    """The small file that says what a complete shard looks like."""
    return (folder / shard_name(number)).with_suffix(".json")


def write_shard(folder: Path, number: int, tensors: dict[str, Tensor]) -> None:
    """Write a shard, and then its receipt."""
    path = folder / shard_name(number)
    write_tensors(path, tensors)
    entry = {"file": path.name, "bytes": path.stat().st_size, "sha256": file_digest(path)}
    with atomic_path(_receipt(folder, number)) as temporary:
        temporary.write_text(json.dumps(entry), "utf-8")


def is_whole(folder: Path, number: int) -> bool:
    """Whether an earlier call finished this shard."""
    path, receipt = folder / shard_name(number), _receipt(folder, number)
    if not receipt.is_file() or not path.is_file():
        return False
    try:
        return bool(read_object(receipt)["sha256"] == file_digest(path))
    except (DataError, KeyError):  # a damaged receipt proves nothing
        return False


def finish_folder(folder: Path, wanted: dict[str, Any], shards: int) -> None:
    """Write the index: a folder that has one is complete."""
    receipts = [_receipt(folder, number) for number in range(shards)]
    index = {
        "fingerprint": wanted,
        "shards": [read_object(receipt) for receipt in receipts],
    }
    with atomic_path(folder / INDEX_FILE) as temporary:
        temporary.write_text(json.dumps(index, ensure_ascii=False, indent=1), "utf-8")
    tidy_folder(folder)


def tidy_folder(folder: Path) -> None:
    """Remove what only an unfinished extraction needs."""
    for path in (*folder.glob("shard-*.json"), folder / _PLAN_FILE):
        path.unlink(missing_ok=True)


@contextmanager
def naming_remedy(folder: Path, *, instead: str) -> Iterator[None]:
    """Say what to do where features cannot be written: make room, or do something else."""
    try:
        with naming_output(folder):
            yield
    except OutputError as error:
        raise OutputError(
            f"{error} What was extracted stays: make room and run the same again, or {instead}."
        ) from error
