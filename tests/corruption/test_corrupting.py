import logging
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.bundled.examples import example_pairs
from headwise.corruption import Corruption, CorruptionMix, ErrorFamily, corrupt
from headwise.corruption.error_maker import OF_WRITING
from headwise.corruption.known_texts import KnownTranslations
from headwise.data.records.pairs import Pair
from headwise.data.records.word_tags import WordTags
from headwise.errors import TrainingError

PAIRS = example_pairs()
CORPUS = [pair.hypothesis for pair in PAIRS]
PROMPT = NAMED_PROMPTS["tiny"]
MIX = CorruptionMix.default("de")
LONG = Pair(
    "On Monday the old man went slowly to the market because he needed two new shoes.",
    "Am Montag ging der alte Mann langsam zum Markt, weil er zwei neue Schuhe brauchte.",
)

WRITTEN = {
    *(ErrorFamily.PUNCTUATION, ErrorFamily.CAPITAL, ErrorFamily.SPACING),
    *(ErrorFamily.WORD_PART, ErrorFamily.CHUNK),
}


def mix(*families: ErrorFamily, language: str | None = "de") -> CorruptionMix:
    return CorruptionMix(proportions=dict.fromkeys(families, 1.0), language=language)


def made_of(made: list[Corruption], original: str) -> list[Corruption]:
    return [one for one in made if one.original == original]


def test_what_a_pair_gets_depends_on_seed_index_and_corpus_alone() -> None:
    made = corrupt(PAIRS, mix=MIX, seed=1, copies=2, corpus=CORPUS)
    assert made == corrupt(PAIRS, mix=MIX, seed=1, copies=2, corpus=CORPUS)
    assert made != corrupt(PAIRS, mix=MIX, seed=2, copies=2, corpus=CORPUS)
    # The first four are all translations of two sources, and hold no name
    assert corrupt(PAIRS[:4], mix=MIX, seed=1, copies=2, corpus=CORPUS) == made[:8]
    assert [one.original for one in made] == [p.hypothesis for p in PAIRS for _ in range(2)]


def test_proportions_are_those_of_the_mix() -> None:
    weights = {ErrorFamily.DELETION: 3.0, ErrorFamily.REPETITION: 1.0, ErrorFamily.SWAP: 0.0}
    made = corrupt([LONG], mix=CorruptionMix(proportions=weights), seed=0, copies=800)
    counts = Counter(one.family for one in made)
    assert set(counts) == {ErrorFamily.DELETION, ErrorFamily.REPETITION}
    assert 540 < counts[ErrorFamily.DELETION] < 660  # 600, give or take five standard deviations


def test_a_family_that_the_text_does_not_allow_gives_way_to_the_others() -> None:
    pair = Pair("Old dogs bark.", "Alte Hunde bellen.")
    made = corrupt([pair], mix=mix(ErrorFamily.NUMBER, ErrorFamily.SWAP), seed=0, copies=20)
    assert [one.family for one in made] == [ErrorFamily.SWAP] * 20
    assert corrupt([pair], mix=mix(ErrorFamily.NUMBER), seed=0) == []


def test_long_texts_get_several_errors() -> None:
    twice = CorruptionMix(
        proportions=dict.fromkeys(ErrorFamily, 1.0), language="de", errors_per_text={2: 1.0}
    )
    few, four = Pair(None, "Hunde bellen laut."), Pair(None, "Alte Hunde bellen laut.")
    made = corrupt([LONG, few, four], mix=twice, seed=0, copies=40)
    long = made_of(made, LONG.hypothesis)
    assert len(long) == 40
    for one in long:
        errors = one.pair.errors or ()
        assert 2 <= len(errors) <= 4  # a swap at a distance has two places
        assert one.family in {error.category for error in errors}
        assert [(e.start, e.end) for e in errors] == sorted((e.start, e.end) for e in errors)
    assert len({error.category for one in long for error in one.pair.errors or ()}) > 6
    # One for every two words at most
    assert min(len(one.pair.errors or ()) for one in made_of(made, four.hypothesis)) == 2
    once = [one for one in made_of(made, few.hypothesis) if one.family is ErrorFamily.REPLACEMENT]
    assert {len(one.pair.errors or ()) for one in once} == {1}


def test_pairs_are_kept_as_they_are() -> None:
    tags = WordTags(((0, 2),), (False,))
    history = ({"role": "user", "content": "Sag etwas"},)
    pair = Pair("x", LONG.hypothesis, 7, {"id": 3}, history, None, tags)
    (one,) = corrupt([pair], mix=mix(ErrorFamily.DELETION), seed=0)
    assert (one.pair.source, one.pair.line, one.pair.extra) == ("x", 7, {"id": 3})
    assert one.pair.history == history
    assert one.pair.tags is None


def test_an_answer_translates_nothing() -> None:
    answer = replace(LONG, history=({"role": "user", "content": LONG.source or ""},))
    name = Pair("in Boston", "in Boston")
    made = corrupt([answer, name], mix=MIX, seed=0, copies=200)
    families = {one.family for one in made_of(made, answer.hypothesis)}
    assert families == {
        *(ErrorFamily.REPLACEMENT, ErrorFamily.DELETION, ErrorFamily.INSERTION),
        *(ErrorFamily.REPETITION, ErrorFamily.SWAP, ErrorFamily.TRUNCATION),
        *(ErrorFamily.ENDING, ErrorFamily.FOREIGN_SPAN),
        *WRITTEN,
    }
    # With its final mark it might be whole
    cut = corrupt([answer], mix=mix(ErrorFamily.TRUNCATION), seed=0, copies=40)
    assert not any(one.pair.hypothesis.endswith(".") for one in cut)
    with pytest.raises(TrainingError, match="number needs texts that translate a source"):
        corrupt([answer], mix=mix(ErrorFamily.NUMBER), seed=0)


def test_one_translation_does_not_become_another() -> None:
    source = "He comes today."
    pairs = [Pair(source, text) for text in ("Er kommt heute an", "Er kommt an", "Sie kommt an")]
    known = KnownTranslations(pairs)
    families = [family for family in ErrorFamily if family is not ErrorFamily.PLAUSIBLE]
    made = corrupt(pairs, mix=mix(*families), seed=0, copies=60, corpus=["Na heute sie nun mal"])
    for one in made:
        exactly = one.family in OF_WRITING
        assert not known.include(source, one.pair.hypothesis, exactly=exactly)
    put_in = {
        one.pair.hypothesis[error.start : error.end]
        for one in made_of(made, "Er kommt an")
        if one.family in (ErrorFamily.REPLACEMENT, ErrorFamily.INSERTION)
        for error in one.pair.errors or ()
    }
    assert {word.casefold() for word in put_in} == {"nun", "mal"}


def test_families_without_what_they_need_are_left_out_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    texts = [Pair(None, text) for text in CORPUS]
    with caplog.at_level(logging.WARNING):
        made = corrupt(texts, mix=CorruptionMix.default("tlh"), seed=0, copies=30)
        # Said once, however many parts a corpus has
        corrupt(texts[:2], mix=CorruptionMix.default("tlh"), seed=0)
    (record,) = caplog.records
    for said in ("plausible needs a language model", "name needs texts that translate a source"):
        assert said in record.message
    assert "ending needs the mix to name a `language` out of de, en, got 'tlh'" in record.message
    assert {one.family for one in made} == {
        *(ErrorFamily.REPLACEMENT, ErrorFamily.DELETION, ErrorFamily.INSERTION),
        *(ErrorFamily.REPETITION, ErrorFamily.SWAP, ErrorFamily.TRUNCATION),
        *(ErrorFamily.FOREIGN_SPAN, *WRITTEN),
    }
    # Among texts with sources as well, a text without one gets none that only a source shows
    made = corrupt([LONG, *texts], mix=MIX, seed=0, copies=30)
    shown = {one.family for one in made if one.pair.source is None}
    assert not shown & {ErrorFamily.NUMBER, ErrorFamily.NEGATION, ErrorFamily.PRONOUN}
    assert ErrorFamily.ENDING in shown


@pytest.mark.parametrize(
    ("family", "reason"),
    [
        (ErrorFamily.PLAUSIBLE, "plausible needs a language model"),
        (ErrorFamily.NAME, "name needs texts that translate a source"),
        (ErrorFamily.ENDING, "ending needs the mix to name a `language`"),
    ],
)
def test_a_mix_that_cannot_be_made_is_refused(family: ErrorFamily, reason: str) -> None:
    with pytest.raises(TrainingError, match=f"No family of errors can be made: {reason}"):
        corrupt([Pair(None, "Ja.")], mix=mix(family, language=None), seed=0)


def test_what_makes_no_sense_is_refused(tiny: CausalBackbone) -> None:
    with pytest.raises(ValueError, match="`copies` must be at least 1, got 0"):
        corrupt(PAIRS, mix=MIX, seed=0, copies=0)
    with pytest.raises(ValueError, match="`backbone` needs a `prompt`"):
        corrupt(PAIRS, mix=MIX, seed=0, backbone=tiny)


def test_the_language_model_makes_plausible_errors(tiny: CausalBackbone) -> None:
    only = mix(ErrorFamily.PLAUSIBLE)
    made = corrupt(PAIRS, mix=only, seed=0, copies=2, backbone=tiny, prompt=PROMPT)
    assert len(made) > len(PAIRS)
    for one in made:
        (error,) = one.pair.errors or ()
        assert error.category == "plausible"
        assert error.end > error.start
        assert one.original.startswith(one.pair.hypothesis[: error.start])
        assert one.original.endswith(one.pair.hypothesis[error.end :])
    assert made[:2] == corrupt(
        PAIRS[:1], mix=only, seed=0, copies=2, backbone=tiny, prompt=PROMPT, batch_tokens=64
    )


def test_the_model_s_errors_stand_beside_others(tiny: CausalBackbone) -> None:
    both = CorruptionMix(
        proportions={ErrorFamily.PLAUSIBLE: 1.0, ErrorFamily.REPETITION: 1.0},
        errors_per_text={1: 0.5, 2: 0.5},
    )
    made = corrupt([LONG], mix=both, seed=0, copies=40, backbone=tiny, prompt=PROMPT)
    assert len(made) == 40
    found = Counter(
        tuple(sorted(str(error.category) for error in one.pair.errors or ())) for one in made
    )
    assert {("plausible",), ("repetition",), ("plausible", "repetition")} <= set(found)


@pytest.mark.parametrize("text", ["", " ", "Ja", "Ja!", "?!", "7", "👩‍🚀", "我喝茶。", "a\tb\nc"])
def test_short_texts(text: str) -> None:
    for one in corrupt([Pair("Yes!", text)], mix=MIX, seed=0, copies=20, corpus=CORPUS):
        assert one.original == text
        assert one.pair.hypothesis.strip()
        assert one.pair.errors
        assert "  " not in one.pair.hypothesis


def test_no_pairs_and_an_empty_corpus() -> None:
    assert corrupt([], mix=MIX, seed=0) == []
    made = corrupt([LONG], mix=mix(ErrorFamily.REPLACEMENT), seed=0, corpus=[])
    assert made == []


@given(st.text(max_size=40), st.none() | st.text(max_size=40), st.integers(0, 5))
def test_any_text(text: str, source: str | None, seed: int) -> None:
    pair = Pair(source, text)
    for one in corrupt([pair], mix=MIX, seed=seed, copies=2, corpus=CORPUS):
        assert one.pair.hypothesis != text
        assert one.pair.hypothesis.strip()
        assert one.pair.errors
        assert all(0 <= e.start <= e.end <= len(one.pair.hypothesis) for e in one.pair.errors)
