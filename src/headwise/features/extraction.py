"""One pass of the frozen backbone over the data, written to disk shard by shard."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor

from headwise.backbones import Backbone, PromptTemplate
from headwise.backbones.encodings import length_batches
from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.pairs import Pair, Pairlike
from headwise.errors import DataError
from headwise.features.batch import consecutive
from headwise.features.cache import MARKS, OF_VOCABULARY, ROWS, CachedFeatures, open_features
from headwise.features.examples import Example, encode_examples, none_read
from headwise.features.fingerprint import FeatureSpec, fingerprint
from headwise.features.live import LiveFeatures
from headwise.features.shards import (
    INDEX_FILE,
    SHARD_BYTES,
    claim_folder,
    finish_folder,
    is_whole,
    naming_remedy,
    tidy_folder,
    write_shard,
)
from headwise.files import only_writer
from headwise.progress import progress_bar

# Pairs that are tokenised at a time
_WINDOW = 1024


def bytes_per_position(backbone: Backbone, spec: FeatureSpec) -> int:
    """What one target position takes on disk."""
    wide = spec.dtype == "float32"
    hidden = backbone.layers_width(spec.layers) * (4 if wide else 2)
    candidate = _id_dtype(backbone.vocabulary_size).itemsize + (4 if wide else 2)
    statistics = 3 * 4 if spec.statistics else 0
    # A target and an entropy of four bytes each, and one byte for whether it closes a text and for
    # each mark; few texts have the last one, and without it shards are as large as they were
    return hidden + spec.candidates * candidate + statistics + 4 + 4 + 1 + len(MARKS) - 1


def estimate_bytes(
    backbone: Backbone, pairs: Sequence[Pair], prompt: PromptTemplate, spec: FeatureSpec
) -> int:
    """About how much disk the features of some pairs will take, from a sample of them.

    Args:
        backbone: The language model.
        pairs: All of the pairs.
        prompt: The template that they stand in.
        spec: What is kept of each position, and in which type.
    """
    sample = random.Random(0).sample(range(len(pairs)), min(len(pairs), 512))
    examples = _encoded(backbone, [pairs[i] for i in sample], prompt, spec)
    targets = sum(len(example.code.targets) for example in examples)
    per_pair = targets / max(1, len(sample))
    return int(per_pair * len(pairs) * bytes_per_position(backbone, spec))


def extract_features(
    backbone: Backbone,
    pairs: Sequence[Pairlike],
    prompt: PromptTemplate,
    folder: str | Path,
    *,
    spec: FeatureSpec = FeatureSpec(),
    batch_tokens: int = 4096,
    shard_bytes: int = SHARD_BYTES,
    rank: int = 0,
    world_size: int = 1,
    wait: Callable[[], None] = lambda: None,
    progress: bool = False,
    instead: str = "train without a cache (features 'live')",
) -> CachedFeatures:
    """Write features to a folder, or take those that are there.

    An interrupted extraction continues: shards that are complete stay. Several processes share
    the shards among themselves.

    Args:
        backbone: The frozen language model.
        pairs: The data, as pairs or what stands for them
            (:func:`~headwise.data.readers.nested_rows.as_pair`); those that cannot be read are
            left out.
        prompt: How a pair is laid out.
        folder: Where to; made if it is missing.
        spec: What to extract.
        batch_tokens: Bound on the padded tokens of a batch.
        shard_bytes: About how large a shard becomes; one is held in memory while it is made.
        rank: Number of this process among those that extract.
        world_size: How many there are.
        wait: Returns when all processes have called it.
        progress: Whether to show a bar on standard error.
        instead: What can be done on a full disk but make room, for the message.

    Raises:
        MismatchError: If the folder holds features of something else; it names what.
        DataError: If no pair can be read, or a shard is damaged.
        OutputError: If the disk is full or not writable, or another process is writing the folder.
            The same call continues.
    """
    folder = Path(folder)
    pairs = as_pairs(pairs)
    wanted = fingerprint(backbone, pairs, prompt, spec)
    if (folder / INDEX_FILE).is_file():
        features = open_features(folder, wanted=wanted)
        if rank == 0:  # an earlier call may have been killed between the index and its tidying
            tidy_folder(folder)
        return features
    rows = max(1, shard_bytes // bytes_per_position(backbone, spec))
    alone = only_writer(folder) if rank == 0 else nullcontext()
    with naming_remedy(folder, instead=instead), alone:
        if rank == 0:
            claim_folder(folder, wanted | {"positions a shard": rows})
        wait()
        shards = _shards(backbone, pairs, prompt, spec, rows)
        finished = 0
        with progress_bar("Extracting features", total=len(pairs), enabled=progress) as advance:
            for number, (examples, read) in enumerate(shards):
                if number % world_size == rank and not is_whole(folder, number):
                    write_shard(folder, number, _shard(backbone, examples, spec, batch_tokens))
                finished = number + 1
                advance(read)
        if not finished:
            if rank == 0:
                tidy_folder(folder)
            raise DataError(f"The data {none_read(backbone, pairs, prompt, spec.max_length)}")
        wait()
        if rank == 0:
            finish_folder(folder, wanted, finished)
        wait()
    return CachedFeatures(folder)


def _shards(
    backbone: Backbone,
    pairs: Sequence[Pair],
    prompt: PromptTemplate,
    spec: FeatureSpec,
    rows: int,
) -> Iterator[tuple[list[Example], int]]:
    """Cut the data into shards of about equal size; with each, how many pairs were read."""
    gathered: list[Example] = []
    positions = read = 0
    for first in range(0, len(pairs), _WINDOW):
        window = pairs[first : first + _WINDOW]
        read += len(window)
        for example in _encoded(backbone, window, prompt, spec, first=first):
            if gathered and positions + len(example.code.targets) > rows:
                yield gathered, read
                gathered, positions, read = [], 0, 0
            gathered.append(example)
            positions += len(example.code.targets)
    if gathered:
        yield gathered, read


def _encoded(
    backbone: Backbone,
    pairs: Sequence[Pair],
    prompt: PromptTemplate,
    spec: FeatureSpec,
    *,
    first: int = 0,
) -> list[Example]:
    return encode_examples(
        backbone,
        pairs,
        prompt,
        first=first,
        max_length=spec.max_length,
        cut=spec.cut,
        closing_tokens=spec.closing_tokens,
        gaps_marked=spec.gaps_marked,
    )


def _shard(
    backbone: Backbone, examples: list[Example], spec: FeatureSpec, batch_tokens: int
) -> dict[str, Tensor]:
    """All rows of a shard, in the order of its examples."""
    source = LiveFeatures(
        backbone,
        examples,
        candidates=spec.candidates,
        statistics=spec.statistics,
        layers=spec.layers,
    )
    wide = spec.dtype == "float32"
    dtypes = {
        "hidden": torch.float32 if wide else torch.bfloat16,
        "targets": torch.int32,
        "top_ids": _id_dtype(backbone.vocabulary_size),
        "top_log_probs": torch.float32 if wide else torch.float16,
        "entropy": torch.float32,
        "statistics": torch.float32,
        **dict.fromkeys(("closing", *MARKS), torch.bool),
    }
    counts = torch.tensor(source.counts)
    starts, total = counts.cumsum(0) - counts, int(counts.sum())
    filled: dict[str, Tensor] = {}
    for batch in length_batches(source.lengths, max_tokens=batch_tokens):
        features = source.batch(batch)
        rows = consecutive(starts[batch], counts[batch])
        for name in (*ROWS, *MARKS, *OF_VOCABULARY):
            value: Tensor | None = getattr(features, name)
            if value is None:  # nobody looked for errors in this shard, or asked for it
                continue
            if name not in filled:
                filled[name] = torch.empty(total, *value.shape[1:], dtype=dtypes[name])
            if name == "top_log_probs":
                # Below the range of float16 it would become minus infinity
                value = value.clamp(min=torch.finfo(dtypes[name]).min)
            filled[name][rows] = value.to("cpu", dtypes[name])
    return filled | {
        "pairs": torch.tensor([example.pair for example in examples]),
        "lengths": torch.tensor(source.lengths),
        "counts": counts,
    }


def _id_dtype(vocabulary_size: int) -> torch.dtype:
    return torch.int16 if vocabulary_size <= torch.iinfo(torch.int16).max else torch.int32
