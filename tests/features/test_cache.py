"""Cached features against live ones; caches that are damaged or of another version."""

import json
from pathlib import Path

import psutil
import pytest
import torch
from extracting import Extract, random_backbone
from plain_features import assert_close, assert_equal, joined
from tiny_encoder_decoders import KINDS, learned_pieces
from tiny_models import PAIRS

from headwise.backbones import (
    NAMED_PROMPTS,
    Backbone,
    CausalBackbone,
    EncoderDecoderBackbone,
    PromptTemplate,
)
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.errors import DataError, MismatchError
from headwise.features import (
    CachedFeatures,
    FeatureBatch,
    LiveFeatures,
    encode_examples,
    open_features,
)

TINY = NAMED_PROMPTS["tiny"]
ORDERS = ([0], [3, 1, 2], list(range(30)), [17, 17, 0], list(reversed(range(0, 30, 3))))
# Marian's tokeniser would rather have a package that only normalises punctuation
quiet_marian = pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")


def alone(
    backbone: Backbone, pairs: list[Pair], prompt: PromptTemplate = TINY
) -> tuple[LiveFeatures, list[FeatureBatch]]:
    """Live features, and those of each example in a batch of its own, which nothing pads."""
    live = LiveFeatures(backbone, encode_examples(backbone, pairs, prompt), candidates=7)
    return live, [live.batch([i]) for i in range(len(live.counts))]


def assert_same_examples(cached: CachedFeatures, live: LiveFeatures) -> None:
    assert cached.lengths == live.lengths
    assert cached.counts == live.counts
    assert cached.has_errors == live.has_errors
    for size in (live.vocabulary_size, live.vocabulary_size + 9):
        assert torch.equal(cached.target_counts(size), live.target_counts(size))


def test_float32_is_exact_in_any_order(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair]
) -> None:
    cached = extract(batch_tokens=1)  # every example in a batch of its own
    live, expected = alone(backbone, pairs)
    assert_same_examples(cached, live)
    assert len(list(cached.folder.glob("shard-*.safetensors"))) > 4
    for order in ORDERS:
        assert_equal(cached.batch(order), joined([expected[i] for i in order]))


def test_padded_batches_agree_up_to_rounding(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair]
) -> None:
    cached = extract(batch_tokens=512)
    live, _ = alone(backbone, pairs)
    for order in ORDERS:
        assert_close(cached.batch(order), live.batch(order))


def test_half_precision_is_the_nearest_number(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair]
) -> None:
    cached = extract(dtype="bfloat16", batch_tokens=1)
    _, expected = alone(backbone, pairs)
    for order in ORDERS:
        exact, found = joined([expected[i] for i in order]), cached.batch(order)
        assert torch.equal(found.hidden, exact.hidden.bfloat16())
        assert torch.equal(found.top_log_probs, exact.top_log_probs.half().float())
        for name in ("targets", "keys", "top_ids", "entropy"):
            assert torch.equal(getattr(found, name), getattr(exact, name))


def test_hopeless_candidates_stay_finite_in_half_precision(extract: Extract) -> None:
    sure = random_backbone()
    with torch.no_grad():
        sure.model.lm_head.weight.mul_(1e7)
    found = extract(backbone=sure, dtype="bfloat16").batch([0]).top_log_probs
    assert found[:, -1].tolist() == [-65504.0] * len(found)


def test_ids_of_a_large_vocabulary_are_kept(extract: Extract, pairs: list[Pair]) -> None:
    large = random_backbone()
    large.model.resize_token_embeddings(70_000, mean_resizing=False)
    large = CausalBackbone(large.model, large.tokenizer)
    cached = extract(backbone=large, pairs=pairs[:3], batch_tokens=1)
    _, expected = alone(large, pairs[:3])
    assert expected[0].top_ids.max() > 2**16
    assert_equal(cached.batch([0, 1, 2]), joined(expected))


@quiet_marian
@pytest.mark.parametrize("kind", KINDS)
def test_encoder_decoder_models(extract: Extract, tmp_path: Path, kind: str) -> None:
    torch.manual_seed(0)
    model, tokenizer, prompt = KINDS[kind](learned_pieces(), tmp_path)
    backbone = EncoderDecoderBackbone(model, tokenizer)
    pairs = [Pair(s, h, errors=(ErrorSpan(0, 4),)) for s, h in PAIRS]
    cached = extract(
        backbone=backbone, pairs=pairs, prompt=prompt, batch_tokens=1, shard_bytes=4000
    )
    live, expected = alone(backbone, pairs, prompt)
    assert_same_examples(cached, live)
    assert expected[0].errors.any()
    assert len(list(cached.folder.glob("shard-*.safetensors"))) > 1
    for order in ([0], [5, 1], [3, 4, 2, 0]):
        assert_equal(cached.batch(order), joined([expected[i] for i in order]))
    # Encoding has set the tokeniser's languages meanwhile; that makes it no other tokeniser
    again = extract(backbone=backbone, pairs=pairs, prompt=prompt, batch_tokens=1, shard_bytes=4000)
    assert again.counts == cached.counts


def test_conversations(extract: Extract, backbone: CausalBackbone, pairs: list[Pair]) -> None:
    turns = [
        Pair(
            pair.source,
            pair.hypothesis,
            history=(
                {"role": "user", "content": "Hello!"},
                {"role": "assistant", "content": "Guten Tag!"},
                {"role": "user", "content": pair.source or ""},
            )[-1 - 2 * (number % 2) :],
        )
        for number, pair in enumerate(pairs)
    ]
    chat = NAMED_PROMPTS["chat"]
    cached = extract(pairs=turns, prompt=chat, batch_tokens=1)
    live, expected = alone(backbone, turns, chat)
    assert_same_examples(cached, live)
    for order in ORDERS:
        assert_equal(cached.batch(order), joined([expected[i] for i in order]))


def annotated(pairs: list[Pair], where: range) -> list[Pair]:
    return [
        Pair(pair.source, pair.hypothesis, errors=(ErrorSpan(4, 9 + i),) if i in where else None)
        for i, pair in enumerate(pairs)
    ]


@pytest.mark.parametrize("where", [range(36), range(0, 36, 5), range(35, 36)])
def test_error_marks_of_some_shards_or_all(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair], where: range
) -> None:
    pairs = annotated(pairs, where)
    cached = extract(pairs=pairs, batch_tokens=1)
    live, expected = alone(backbone, pairs)
    assert_same_examples(cached, live)
    assert cached.has_errors
    for order in (*ORDERS, list(where)):
        assert_equal(cached.batch(order), joined([expected[i] for i in order]))
    marks = [cached.batch([i]).errors.any().item() for i in range(36)]
    assert marks == [i in where for i in range(36)]


def test_marks_of_a_pair_that_cannot_be_read_are_no_marks(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair]
) -> None:
    pairs[4] = Pair("", pairs[4].hypothesis, errors=(ErrorSpan(0, 3),))
    cached = extract(pairs=pairs)
    assert_same_examples(cached, alone(backbone, pairs)[0])
    assert cached.batch([4]).errors is None


def test_rejected_pairs_leave_the_others_as_they_are(extract: Extract, pairs: list[Pair]) -> None:
    whole = extract("whole", batch_tokens=1)
    bad = {0: Pair("A dog.", ""), 7: Pair("A dog.", "Ein Hund. " * 200), 8: Pair(None, "x")}
    left = extract("left", pairs=[bad.get(i, p) for i, p in enumerate(pairs)], batch_tokens=1)
    kept = [i for i in range(len(pairs)) if i not in bad]
    assert len(left.counts) == len(kept)
    assert_equal(left.batch(range(len(kept))), whole.batch(kept))


def test_a_limit_holds_in_the_cache_as_well(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair]
) -> None:
    for cut in (False, True):
        examples = encode_examples(backbone, pairs, TINY, max_length=24, cut=cut)
        live = LiveFeatures(backbone, examples, candidates=7)
        cached = extract(f"cut {cut}", max_length=24, cut=cut)
        assert_same_examples(cached, live)
        assert_close(cached.batch(range(9)), live.batch(range(9)))
    assert len(examples) > len(encode_examples(backbone, pairs, TINY, max_length=24)) > 9


def damage(folder: Path, name: str) -> None:
    shard, index = folder / "shard-00002.safetensors", folder / "index.json"
    content = json.loads(index.read_text())
    match name:
        case "flipped":
            flipped = bytearray(shard.read_bytes())
            flipped[len(flipped) // 2] ^= 1
            shard.write_bytes(flipped)
        case "cut":
            shard.write_bytes(shard.read_bytes()[:-1])
        case "gone":
            shard.unlink()
        case "no safetensors":
            content["shards"][2] |= {
                "bytes": 1,
                "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
            }  # of "x"
            shard.write_bytes(b"x")
            index.write_text(json.dumps(content))
        case "no index":
            index.unlink()
        case "half an index":
            index.write_text(index.read_text()[:-20])
        case "binary index":
            index.write_bytes(b"\xff\xfe\x00")
        case "a list":
            index.write_text("[]")
        case "no shards":
            del content["shards"]
            index.write_text(json.dumps(content))
        case "a shard without checksum":
            del content["shards"][1]["sha256"]
            index.write_text(json.dumps(content))
        case "fingerprint is a number":
            index.write_text(json.dumps(content | {"fingerprint": 3}))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("flipped", r"shard-00002\.safetensors is damaged: .*checksum.*delete the folder"),
        ("cut", r"shard-00002\.safetensors is missing or cut short; delete the folder"),
        ("gone", r"shard-00002\.safetensors is missing or cut short; delete the folder"),
        ("no safetensors", r"shard-00002\.safetensors cannot be read: .*delete the folder"),
        ("no index", r"holds no finished features: it has no index\.json; extract them"),
        ("half an index", r"index\.json is damaged .*delete the folder"),
        ("binary index", r"index\.json is damaged .*delete the folder"),
        ("a list", r"index\.json is damaged .*delete the folder"),
        ("no shards", r"index\.json is damaged .*'shards'.*delete the folder"),
        ("a shard without checksum", r"index\.json is damaged .*'sha256'.*delete the folder"),
        ("fingerprint is a number", r"index\.json is damaged .*delete the folder"),
    ],
)
def test_damage_gets_a_named_error(extract: Extract, name: str, message: str) -> None:
    folder = extract().folder
    fingerprint = json.loads((folder / "index.json").read_text())["fingerprint"]
    damage(folder, name)
    with pytest.raises(DataError, match=message):
        CachedFeatures(folder)
    with pytest.raises(DataError, match=message):
        open_features(folder, wanted=fingerprint)
    if name != "no index":
        with pytest.raises(DataError, match=message):
            extract()


def test_a_folder_that_is_not_there_holds_no_features(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no finished features"):
        CachedFeatures(tmp_path / "nothing")


@pytest.mark.parametrize("version", [0, 1, 2, None])
def test_another_version_of_the_format_is_named(extract: Extract, version: int | None) -> None:
    index = extract().folder / "index.json"
    content = json.loads(index.read_text())
    wanted = dict(content["fingerprint"])
    content["fingerprint"]["format version"] = version
    # Whatever else that version wrote
    index.write_text(json.dumps({"fingerprint": content["fingerprint"], "parts": []}))
    message = rf"another version of headwise \(format {version}, this one writes 3\); delete"
    with pytest.raises(MismatchError, match=message):
        extract()
    with pytest.raises(MismatchError, match=message):
        CachedFeatures(index.parent)
    with pytest.raises(MismatchError, match=message):
        open_features(index.parent, wanted=wanted)


def test_opening_maps_and_a_batch_copies_its_own_rows(extract: Extract, pairs: list[Pair]) -> None:
    # All tokens as candidates make much data of little computing
    folder = extract(pairs=pairs * 20, candidates=420, shard_bytes=2**23).folder
    process = psutil.Process()
    before = process.memory_info().rss
    cached = CachedFeatures(folder)
    assert cached.bytes > 20 * 2**20
    assert process.memory_info().rss - before < cached.bytes / 4
    batch = cached.batch([700, 3, 40])
    rows = sum(cached.counts[i] for i in (700, 3, 40))
    assert batch.top_log_probs.untyped_storage().nbytes() == rows * 420 * 4
    assert process.memory_info().rss - before < cached.bytes / 4
