"""Features of target positions on disk."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from headwise.features.batch import FeatureBatch, consecutive, position_keys
from headwise.features.fingerprint import check_fingerprint
from headwise.features.shards import RowPlaces, folder_bytes, read_index, read_shard

# One row a target position
ROWS = ("hidden", "targets", "top_ids", "top_log_probs", "closing")
# Only in shards with an example that somebody looked at
MARKS = ("errors", "missing", "missing_known", "errors_known")
# Only if asked for, in all shards
OF_VOCABULARY = ("entropy", "statistics")
# Beside them one row a pair: "pairs", "lengths", "counts"


class CachedFeatures:
    """What :func:`~headwise.features.extract_features` wrote into a folder, as a source.

    Every example's rows stand together in one shard.

    Raises:
        DataError: If the index is missing or a shard is missing or damaged.
        MismatchError: If another version of headwise wrote it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        index = read_index(self.folder)
        self.has_errors = self.has_missing = self.has_unsure = False
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
        self.has_unsure |= "errors_known" in tensors
        for name in MARKS:
            # One byte for all positions: no mark where nobody looked, and marks that say all
            rest = torch.tensor([name == "errors_known"])
            tensors.setdefault(name, rest.expand(len(tensors["targets"])))
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
        """How often each token is a target, ``(V,)``, float32.

        Args:
            vocabulary_size: V.
        """
        total = torch.zeros(vocabulary_size, dtype=torch.int64)
        for shard in self._shards:
            total += torch.bincount(shard["targets"], minlength=vocabulary_size)
        return total.float()

    def batch(self, indices: Sequence[int]) -> FeatureBatch:
        """Features of some examples, on the CPU.

        Args:
            indices: Numbers of examples, from 0.
        """
        counts = tuple(self.counts[i] for i in indices)
        shards, starts = torch.tensor([self._places[i] for i in indices]).T
        sizes = torch.tensor(counts)
        places = RowPlaces.of(shards.repeat_interleave(sizes), consecutive(starts, sizes))
        wanted = [*ROWS]
        wanted += ["errors"] if self.has_errors else []
        wanted += ["missing", "missing_known"] if self.has_missing else []
        wanted += ["errors_known"] if self.has_unsure else []
        wanted += [name for name in OF_VOCABULARY if name in self._shards[0]]
        rows = {name: places.take([shard[name] for shard in self._shards]) for name in wanted}
        return FeatureBatch(
            hidden=rows["hidden"],
            targets=rows["targets"].long(),
            keys=position_keys([self.pairs[i] for i in indices], counts),
            top_ids=rows["top_ids"].long(),
            top_log_probs=rows["top_log_probs"].float(),
            entropy=rows.get("entropy"),
            errors=rows.get("errors"),
            counts=counts,
            closing=rows["closing"],
            missing=rows.get("missing"),
            missing_known=rows.get("missing_known"),
            statistics=rows.get("statistics"),
            errors_known=rows.get("errors_known"),
        )


def open_features(folder: str | Path, *, wanted: dict[str, Any]) -> CachedFeatures:
    """Open a cache that must have been made from what a fingerprint names.

    Args:
        folder: Where the cache is.
        wanted: What it must have been made from, as its index records it.

    Raises:
        MismatchError: If it was made from something else; the message names what.
        DataError: If it is not finished or damaged.
    """
    check_fingerprint(read_index(Path(folder))["fingerprint"], wanted, folder=str(folder))
    return CachedFeatures(folder)
