"""Features of target positions on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from headwise.features.batch import FeatureBatch, consecutive, position_keys
from headwise.features.fingerprint import check_fingerprint
from headwise.features.shards import folder_bytes, read_index, read_shard

# One row a target position
ROWS = ("hidden", "targets", "top_ids", "top_log_probs", "entropy", "closing")
# Only in shards with an example that somebody looked at
MARKS = ("errors", "missing", "missing_known")
# Only if asked for, in all shards
STATISTICS = "statistics"
# Beside them one row a pair: "pairs", "lengths", "counts"


class _RowPlaces(NamedTuple):
    """Where the rows of a batch stand.

    Attributes:
        positions: N.
        parts: For each shard its number, which of the N rows it holds, and where.
    """

    positions: int
    parts: list[tuple[int, Tensor, Tensor]]


class CachedFeatures:
    """Features read from a cache; every example's rows stand together in one shard.

    Args:
        folder: A folder that :func:`~headwise.features.extract_features` filled.

    Attributes:
        pairs: Number of each example's pair among all pairs of the data.
        lengths: Tokens that the model reads for each example.
        counts: Target positions of each example.
        has_errors: Whether any example carries error marks.
        has_missing: Whether of any example it is known where something is missing.

    Raises:
        DataError: If the index is missing or a shard is missing or damaged.
        MismatchError: If another version of headwise wrote it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        index = read_index(self.folder)
        self.has_errors = self.has_missing = self._has_statistics = False
        self.pairs: list[int] = []
        self.lengths: list[int] = []
        self.counts: list[int] = []
        self._places: list[tuple[int, int]] = []  # shard, first row
        self._shards: list[dict[str, Tensor]] = []
        for shard in index["shards"]:
            self._add(read_shard(self.folder, shard))

    def _add(self, tensors: dict[str, Tensor]) -> None:
        self.has_errors |= "errors" in tensors
        self.has_missing |= "missing" in tensors
        self._has_statistics |= STATISTICS in tensors
        for name in MARKS:
            # One byte for all positions where nobody looked
            tensors.setdefault(
                name, torch.zeros(1, dtype=torch.bool).expand(len(tensors["targets"]))
            )
        counts = tensors["counts"].tolist()
        starts = (tensors["counts"].cumsum(0) - tensors["counts"]).tolist()
        self._places += [(len(self._shards), start) for start in starts]
        self.pairs += tensors["pairs"].tolist()
        self.lengths += tensors["lengths"].tolist()
        self.counts += counts
        self._shards.append(tensors)

    @property
    def bytes(self) -> int:
        """Size of all shards."""
        return folder_bytes(self.folder)

    def target_counts(self, vocabulary_size: int) -> Tensor:
        """How often each token is a target, ``(V,)``, float32."""
        total = torch.zeros(vocabulary_size, dtype=torch.int64)
        for shard in self._shards:
            total += torch.bincount(shard["targets"], minlength=vocabulary_size)
        return total.float()

    def batch(self, indices: Sequence[int]) -> FeatureBatch:
        """Features of some examples, on the CPU."""
        counts = tuple(self.counts[i] for i in indices)
        places = self._row_places(indices, counts)
        rows = {name: self._rows(name, places) for name in ROWS}
        return FeatureBatch(
            hidden=rows["hidden"],
            targets=rows["targets"].long(),
            keys=position_keys([self.pairs[i] for i in indices], counts),
            top_ids=rows["top_ids"].long(),
            top_log_probs=rows["top_log_probs"].float(),
            entropy=rows["entropy"],
            errors=self._rows("errors", places) if self.has_errors else None,
            counts=counts,
            closing=rows["closing"],
            missing=self._rows("missing", places) if self.has_missing else None,
            missing_known=self._rows("missing_known", places) if self.has_missing else None,
            statistics=self._rows(STATISTICS, places) if self._has_statistics else None,
        )

    def _row_places(self, indices: Sequence[int], counts: Sequence[int]) -> _RowPlaces:
        """Where the rows of some examples stand."""
        shards, starts = torch.tensor([self._places[i] for i in indices]).T
        sizes = torch.tensor(counts)
        rows = consecutive(starts, sizes)
        numbers = shards.repeat_interleave(sizes)
        parts = [
            (number, here := (numbers == number).nonzero().squeeze(1), rows[here])
            for number in shards.unique().tolist()
        ]
        return _RowPlaces(len(rows), parts)

    def _rows(self, name: str, places: _RowPlaces) -> Tensor:
        if len(places.parts) == 1:
            number, _, rows = places.parts[0]
            return self._shards[number][name].index_select(0, rows)
        like = self._shards[0][name]
        found = torch.empty(places.positions, *like.shape[1:], dtype=like.dtype)
        for number, here, rows in places.parts:
            found.index_copy_(0, here, self._shards[number][name].index_select(0, rows))
        return found


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
