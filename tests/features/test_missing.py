"""Where something is missing, and statistics of targets, live and from the cache."""

import json
from dataclasses import replace

import pytest
import torch
from extracting import Extract
from plain_features import assert_equal, joined

from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.data.records.word_tags import WordTags
from headwise.errors import MismatchError
from headwise.features import Example, LiveFeatures, SelectedFeatures, encode_examples
from headwise.functional import vocabulary_statistics

TINY, CHAT = NAMED_PROMPTS["tiny"], NAMED_PROMPTS["chat"]
SOURCE, TEXT = "A dog runs on the beach.", "Ein Hund läuft am Strand."
WORDS = ((0, 3), (4, 8), (9, 14), (15, 17), (18, 24), (24, 25))


def example(backbone: CausalBackbone, prompt: object = TINY, **marks: object) -> Example:
    return encode_examples(backbone, [Pair(SOURCE, TEXT, **marks)], prompt)[0]


def starting_at(found: Example, place: int) -> int:
    return next(i for i, (start, _) in enumerate(found.code.ranges) if start == place)


def only(count: int, *chosen: int) -> tuple[bool, ...]:
    return tuple(i in chosen for i in range(count))


@pytest.mark.parametrize("prompt", [TINY, CHAT])
def test_a_gap_belongs_to_what_follows_it(backbone: CausalBackbone, prompt: object) -> None:
    found = example(backbone, prompt, errors=(ErrorSpan(9, 9),))
    here = only(len(found.code.targets), starting_at(found, 9))
    assert found.missing == here
    assert found.errors == here  # the reader stumbles there


@pytest.mark.parametrize("prompt", [TINY, CHAT])
def test_a_missing_end_belongs_to_the_first_closing_token(
    backbone: CausalBackbone, prompt: object
) -> None:
    found = example(backbone, prompt, errors=(ErrorSpan(len(TEXT), len(TEXT)), ErrorSpan(0, 3)))
    count, closing = len(found.code.targets), len(found.code.ranges)
    assert closing < count
    assert found.missing == only(count, closing)
    wrong = [i for i, (start, end) in enumerate(found.code.ranges) if start < min(3, end)]
    assert found.errors == only(count, closing, *wrong)


def test_without_a_closing_token_the_end_is_nowhere(backbone: CausalBackbone) -> None:
    open_end = TINY.model_copy(update={"end": ""})
    found = example(backbone, open_end, errors=(ErrorSpan(len(TEXT), len(TEXT)),))
    assert found.missing == found.errors == (False,) * len(found.code.ranges)


def test_tags_speak_of_gaps_and_make_no_neighbour_wrong(backbone: CausalBackbone) -> None:
    bad = (False, True, False, False, False, False)
    gaps = (False, False, True, False, False, False, True)
    tags = WordTags(WORDS, bad, gaps)
    for marks in ({"tags": tags}, {"tags": tags, "errors": tags.errors}):
        found = example(backbone, **marks)
        count = len(found.code.targets)
        hund = [i for i, (s, e) in enumerate(found.code.ranges) if s < 8 and e > 4]
        assert found.errors == only(count, *hund)
        assert found.missing == only(count, starting_at(found, 9), len(found.code.ranges))


def test_who_looked_for_what(backbone: CausalBackbone) -> None:
    bad = (False,) * len(WORDS)
    assert example(backbone).missing is None
    nothing = example(backbone, errors=())
    assert nothing.missing == nothing.errors == (False,) * len(nothing.code.targets)
    words_alone = example(backbone, tags=WordTags(WORDS, bad), errors=())
    assert words_alone.missing is None
    assert words_alone.errors is not None
    both = example(backbone, tags=WordTags(WORDS, bad), errors=(ErrorSpan(9, 9),))
    assert both.missing is not None
    assert any(both.missing)


def test_where_nobody_marked_gaps_nobody_knows_them(backbone: CausalBackbone) -> None:
    tags = WordTags(WORDS, (False,) * len(WORDS), (False,) * (len(WORDS) + 1))
    told = {"spans": {"errors": (ErrorSpan(0, 3),)}, "nothing wrong": {"errors": ()}}
    told["tags"] = {"errors": (), "tags": tags}
    told["a gap without a place"] = {"errors": (), "extra": {"missing_marks": 1}}
    told["an omission in the source"] = {"errors": (), "extra": {"source_marks": 2}}
    pairs = [Pair(SOURCE, TEXT, **marks) for marks in told.values()]
    for gaps_marked in (True, False):
        found = encode_examples(backbone, pairs, TINY, gaps_marked=gaps_marked)
        known = dict(zip(told, (e.missing is not None for e in found), strict=True))
        assert known == {
            "spans": gaps_marked,
            "nothing wrong": gaps_marked,
            "tags": True,
            "a gap without a place": False,
            "an omission in the source": False,
        }
        assert all(example.errors is not None for example in found)


def test_each_text_says_whether_its_gaps_are_known(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair]
) -> None:
    pairs = [
        replace(pair, errors=(), extra={"missing_marks": int(i % 3 == 0)})
        for i, pair in enumerate(gapped(pairs, range(36)))
    ]
    cached = extract(pairs=pairs, batch_tokens=1)
    live = LiveFeatures(backbone, encode_examples(backbone, pairs, TINY), candidates=7)
    order = [30, 3, 17, 17, 0, 35]
    found = cached.batch(order)
    assert_equal(found, joined([live.batch([i]) for i in order]))
    assert found.missing_known is not None
    known = [set(part.tolist()) for part in found.missing_known.split(found.counts)]
    assert known == [{i % 3 != 0} for i in order]
    with pytest.raises(MismatchError, match="data"):
        extract(pairs=[replace(pair, extra={}) for pair in pairs])
    with pytest.raises(MismatchError, match="gaps marked: true there, false now"):
        extract(pairs=pairs, gaps_marked=False)


def test_nothing_is_learned_of_what_is_unsure(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair]
) -> None:
    plain = [replace(pair, errors=(ErrorSpan(0, 1),)) for pair in pairs]
    some = [replace(p, unsure=((0, 4), (5, 5)) if i % 3 else ()) for i, p in enumerate(plain)]
    cached = extract(pairs=some, batch_tokens=1)
    examples = encode_examples(backbone, some, TINY)
    live = LiveFeatures(backbone, examples, candidates=7)
    order = [30, 4, 17, 17, 0, 35]
    found = cached.batch(order)
    assert_equal(found, joined([live.batch([i]) for i in order]))
    assert torch.equal(found.errors_known, live.batch(order).errors_known)
    code = examples[4].code
    unknown = [start < min(4, end) for start, end in code.ranges]
    rest = len(code.targets) - len(unknown)
    assert examples[4].errors_known == (*(not u for u in unknown), *[True] * rest)
    gap = next(i for i, (_, end) in enumerate(code.ranges) if end > 5)
    alone = cached.batch([4])
    assert alone.missing_known.tolist() == [i != gap for i in range(len(code.targets))]
    assert cached.batch([0]).errors_known.all()
    # Where nothing is unsure there is no mask, and what was extracted before is what it was
    known = extract("known", pairs=plain, batch_tokens=1)
    assert known.batch(order).errors_known is None
    with pytest.raises(MismatchError, match="data"):
        extract("known", pairs=some)


def gapped(pairs: list[Pair], where: range) -> list[Pair]:
    return [
        Pair(p.source, p.hypothesis, errors=(ErrorSpan(4, 4),) if i in where else None)
        for i, p in enumerate(pairs)
    ]


@pytest.mark.parametrize("where", [range(36), range(3, 36, 7), range(35, 36), range(0)])
def test_the_cache_knows_what_is_missing(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair], where: range
) -> None:
    pairs = gapped(pairs, where)
    cached = extract(pairs=pairs, batch_tokens=1)
    live = LiveFeatures(backbone, encode_examples(backbone, pairs, TINY), candidates=7)
    assert cached.has_missing == live.has_missing == bool(where)
    assert cached.pairs == live.pairs == list(range(36))
    order = [30, 3, 17, 17, 0, 35]
    found = cached.batch(order)
    assert_equal(found, joined([live.batch([i]) for i in order]))
    assert found.counts == tuple(cached.counts[i] for i in order)
    if where:
        assert found.missing is not None
        marks = [part.any().item() for part in found.missing.split(found.counts)]
        assert marks == [i in where for i in order]


def test_gaps_of_tags_make_other_data(extract: Extract, pairs: list[Pair]) -> None:
    def tagged(gap: bool) -> list[Pair]:
        tags = WordTags(((0, 3),), (False,), (gap, False))
        return [Pair(p.source, p.hypothesis, errors=(), tags=tags) for p in pairs[:4]]

    extract(pairs=tagged(False))
    with pytest.raises(MismatchError, match="something else"):
        extract(pairs=tagged(True))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_statistics_of_the_targets(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair], dtype: str
) -> None:
    cached = extract(statistics=True, candidates=1, dtype=dtype, batch_tokens=1)
    examples = encode_examples(backbone, pairs, TINY)
    live = LiveFeatures(backbone, examples, candidates=1, statistics=True)
    for i in (0, 20):
        found, alone = cached.batch([i]).statistics, live.batch([i])
        known = vocabulary_statistics(
            alone.hidden, backbone.unembedding, alone.targets, entropy=True, rank=True
        )
        expected = torch.stack([known.log_prob, known.entropy, known.rank.log()], dim=1)
        assert alone.statistics is not None
        assert torch.equal(alone.statistics, expected)
        assert torch.equal(found, expected)
    assert extract("without").batch([0]).statistics is None
    index = json.loads((cached.folder / "index.json").read_text())
    assert index["fingerprint"]["statistics"] is True
    with pytest.raises(MismatchError, match="statistics: true there, false now"):
        extract(candidates=1, dtype=dtype, batch_tokens=1)


@pytest.mark.parametrize("kind", ["cached", "live"])
def test_a_selection_is_a_source_of_its_own(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair], kind: str
) -> None:
    pairs = gapped(pairs, range(0, 36, 2))
    examples = encode_examples(backbone, pairs, TINY, first=100)
    whole = (
        extract(pairs=pairs)
        if kind == "cached"
        else LiveFeatures(backbone, examples, candidates=7, statistics=True)
    )
    chosen = [31, 4, 4, 0]
    some = SelectedFeatures(whole, chosen)
    assert some.pairs == [whole.pairs[i] for i in chosen]
    assert some.counts == [whole.counts[i] for i in chosen]
    assert some.lengths == [whole.lengths[i] for i in chosen]
    assert some.has_errors
    assert some.has_missing
    assert_equal(some.batch([3, 0]), whole.batch([0, 31]))
    targets = whole.batch(chosen).targets
    size = backbone.vocabulary_size
    assert torch.equal(some.target_counts(size), torch.bincount(targets, minlength=size).float())
    assert_equal(SelectedFeatures(some, [1]).batch([0]), whole.batch([4]))
    assert not SelectedFeatures(whole, []).target_counts(size).any()
    with pytest.raises(IndexError):
        SelectedFeatures(whole, [36])


def test_a_batch_moves_with_all_its_parts(backbone: CausalBackbone, pairs: list[Pair]) -> None:
    examples = encode_examples(backbone, gapped(pairs, range(36)), TINY)
    batch = LiveFeatures(backbone, examples, candidates=1, statistics=True).batch([0, 1])
    moved = batch.to(torch.device("meta"))
    assert moved.counts == batch.counts
    assert moved.missing is not None
    assert moved.statistics is not None
    assert moved.missing.is_meta
    assert moved.statistics.is_meta
