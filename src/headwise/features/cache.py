"""Features on disk: shards in safetensors format, mapped into memory, and an index."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from headwise.errors import DataError, MismatchError
from headwise.features.batch import FeatureBatch, position_keys
from headwise.features.fingerprint import check_fingerprint, check_version

INDEX_FILE = "index.json"
# One row a target position; "errors" only in shards with an example that a person looked at
ROWS = ("hidden", "targets", "top_ids", "top_log_probs", "entropy", "errors")
# Beside them one row a pair: "pairs", "lengths", "counts"


def shard_name(number: int) -> str:
    """File name of a shard, counted from 0."""
    return f"shard-{number:05d}.safetensors"


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class CachedFeatures:
    """Features read from a cache; every example's rows stand together in one shard.

    Args:
        folder: A folder that :func:`~headwise.features.extract_features` filled.

    Raises:
        DataError: If the index is missing or a shard is missing or damaged.
        MismatchError: If another version of headwise wrote it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        index = read_index(self.folder)
        self.has_errors = False
        self.lengths: list[int] = []
        self.counts: list[int] = []
        self._pairs: list[int] = []
        self._places: list[tuple[int, int]] = []  # shard, first row
        self._shards: list[dict[str, Tensor]] = []
        for shard in index["shards"]:
            self._open(self.folder / shard["file"], shard)

    def _open(self, path: Path, entry: dict[str, Any]) -> None:
        if not path.is_file() or path.stat().st_size != entry["bytes"]:
            raise DataError(f"{path} is missing or cut short; delete the folder to extract anew.")
        if file_digest(path) != entry["sha256"]:
            raise DataError(f"{path} is damaged: its checksum is another one; delete the folder.")
        try:
            with safe_open(path, framework="pt") as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise DataError(f"{path} cannot be read: {error}; delete the folder.") from error
        self.has_errors |= "errors" in tensors
        # One byte for all positions where nobody looked
        tensors.setdefault(
            "errors", torch.zeros(1, dtype=torch.bool).expand(len(tensors["targets"]))
        )
        counts = tensors["counts"].tolist()
        starts = (tensors["counts"].cumsum(0) - tensors["counts"]).tolist()
        self._places += [(len(self._shards), start) for start in starts]
        self._pairs += tensors["pairs"].tolist()
        self.lengths += tensors["lengths"].tolist()
        self.counts += counts
        self._shards.append(tensors)

    @property
    def bytes(self) -> int:
        """Size of all shards."""
        return sum(path.stat().st_size for path in self.folder.glob("shard-*.safetensors"))

    def target_counts(self, vocabulary_size: int) -> Tensor:
        """How often each token is a target, ``(V,)``, float32."""
        total = torch.zeros(vocabulary_size, dtype=torch.int64)
        for shard in self._shards:
            total += torch.bincount(shard["targets"], minlength=vocabulary_size)
        return total.float()

    def batch(self, indices: Sequence[int]) -> FeatureBatch:
        """Features of some examples, on the CPU."""
        rows = {name: self._rows(name, indices) for name in ROWS[:5]}
        return FeatureBatch(
            hidden=rows["hidden"],
            targets=rows["targets"].long(),
            keys=position_keys(
                [self._pairs[i] for i in indices], [self.counts[i] for i in indices]
            ),
            top_ids=rows["top_ids"].long(),
            top_log_probs=rows["top_log_probs"].float(),
            entropy=rows["entropy"],
            errors=self._rows("errors", indices) if self.has_errors else None,
        )

    def _rows(self, name: str, indices: Sequence[int]) -> Tensor:
        places = [(*self._places[i], self.counts[i]) for i in indices]
        return torch.cat(
            [self._shards[shard][name][start : start + count] for shard, start, count in places]
        )


def read_index(folder: Path) -> dict[str, Any]:
    """Read a cache's index.

    Raises:
        DataError: If there is none or it is damaged.
        MismatchError: If another version of headwise wrote it.
    """
    path = folder / INDEX_FILE
    try:
        index: dict[str, Any] = json.loads(path.read_text("utf-8"))
        check_version(dict(index["fingerprint"]), folder=str(folder))
        for shard in index["shards"]:
            shard["file"], shard["bytes"], shard["sha256"]
    except MismatchError:
        raise
    except FileNotFoundError:
        raise DataError(
            f"{folder} holds no finished features: it has no {INDEX_FILE}; extract them."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is damaged ({error!r}); delete the folder.") from None
    return index


def open_features(folder: str | Path, *, wanted: dict[str, Any]) -> CachedFeatures:
    """Open a cache that must have been made from given things.

    Args:
        folder: The cache.
        wanted: Their :func:`~headwise.features.fingerprint.fingerprint`.

    Raises:
        MismatchError: If it was made from something else; the message names what.
        DataError: If it is not finished or damaged.
    """
    check_fingerprint(read_index(Path(folder))["fingerprint"], wanted, folder=str(folder))
    return CachedFeatures(folder)
