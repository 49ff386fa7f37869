"""Correct and marked texts: what is taken, split, and refused."""

import logging
import re
from dataclasses import replace

import pytest

from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.corruption import CorruptionMix, ErrorFamily, corrupt, with_error_copies
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.data.records.word_tags import WordTags
from headwise.errors import TrainingError
from headwise.training.errors.settings import ErrorTraining
from headwise.training.errors.texts import (
    correct_pairs,
    error_copies,
    gaps_are_marked,
    labelled_pairs,
    split_labels,
)

TAGS = WordTags(((0, 3), (4, 8)), (False, True))
GAP_TAGS = WordTags(((0, 3), (4, 8)), (False, True), (False, True, False))


def test_marked_pairs_are_no_correct_ones(caplog: pytest.LogCaptureFixture) -> None:
    wrong = Pair("a", "Ein Hund", errors=(ErrorSpan(0, 3),))
    right = Pair("b", "Ein Hund", errors=(), tags=WordTags(((0, 3),), (False,)))
    found = correct_pairs([wrong, right, Pair("c", "Ein Hund")], part="training")
    assert [(pair.source, pair.errors, pair.tags) for pair in found] == [
        ("b", (), None),
        ("c", (), None),
    ]
    assert "1 training pairs have errors" in caplog.text
    # Something is missing, and nobody knows where, or only a gap is bad
    nowhere = Pair("a", "Ein Hund", errors=(), extra={"missing_marks": 1})
    only_gap = Pair("a", "Ein Hund", tags=WordTags(((0, 3),), (False,), (True, False)))
    assert len(correct_pairs([nowhere, only_gap, right], part="training")) == 1
    with pytest.raises(TrainingError, match="All 2 dev pairs have errors"):
        correct_pairs([wrong, Pair("d", "Ein Hund", tags=TAGS)], part="dev")
    with pytest.raises(TrainingError, match="no dev pairs"):
        correct_pairs([], part="dev")


def test_copies_stand_behind_the_texts(parrot: CausalBackbone) -> None:
    pairs = [Pair(f"Dog {i}", f"Ein Hund läuft {i} Mal am Strand", errors=()) for i in range(5)]
    made = corrupt(
        pairs,
        mix=CorruptionMix(proportions={ErrorFamily.DELETION: 1.0, ErrorFamily.SWAP: 1.0}),
        seed=0,
        copies=2,
        corpus=[pair.hypothesis for pair in pairs],
        backbone=parrot,
        prompt=NAMED_PROMPTS["tiny"],
    )
    texts = with_error_copies(pairs, made)
    assert texts.pairs[:5] == tuple(pairs)
    assert texts.families[:5] == (None,) * 5
    assert len(texts.pairs) == len(texts.families) == len(texts.groups) == 15
    assert sum(texts.counts().values()) == 10
    for pair, group in zip(texts.pairs, texts.groups, strict=True):
        assert group == pair.source
    assert all(pair.errors for pair in texts.pairs[5:])


def test_labels_are_spans_or_words() -> None:
    spans = Pair("a", "Ein Hund", errors=(ErrorSpan(0, 3),))
    words = Pair("b", "Ein Hund", tags=TAGS)
    found = labelled_pairs([spans, words], part="labelled")
    assert found[0] == spans
    assert [(error.start, error.end) for error in found[1].errors or ()] == [(4, 8)]
    with pytest.raises(TrainingError, match="labelled pair at line 7 does not say"):
        labelled_pairs([spans, Pair("c", "Ein Hund", line=7)], part="labelled")


def test_a_source_is_held_out_with_all_its_texts() -> None:
    pairs = [Pair(f"source {i // 3}", f"text {i}", errors=()) for i in range(60)]
    train, dev = split_labels(pairs, dev_share=0.2, seed=0)
    assert (len(train), len(dev)) == (48, 12)
    assert not {pair.source for pair in train} & {pair.source for pair in dev}
    assert split_labels(pairs, dev_share=0.2, seed=0) == (train, dev)
    assert split_labels(pairs, dev_share=0.2, seed=1) != (train, dev)
    with pytest.raises(TrainingError, match="1 source"):
        split_labels(pairs[:3], dev_share=0.2, seed=0)


def test_plain_texts_are_their_own_sources() -> None:
    pairs = [Pair(None, f"text {i}", errors=()) for i in range(4)]
    train, dev = split_labels(pairs, dev_share=0.25, seed=0)
    assert (len(train), len(dev)) == (3, 1)


def test_gaps_are_marked_where_a_span_is_one() -> None:
    span = Pair("a", "Ein Hund", errors=(ErrorSpan(0, 3),))
    gap = Pair("a", "Ein Hund", errors=(ErrorSpan(4, 4),))
    assert not gaps_are_marked([span, Pair("b", "Ein Hund", errors=())])
    assert gaps_are_marked([span, gap])
    # What tags say of gaps says nothing of texts with spans
    tagged = Pair("a", "Ein Hund", errors=(ErrorSpan(4, 4),), tags=GAP_TAGS)
    assert not gaps_are_marked([span, tagged])


def test_nothing_is_said_where_all_pairs_are_correct(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        correct_pairs([Pair("a", "b")], part="training")
    assert not caplog.text


def test_errors_are_of_the_language_of_their_row(parrot: CausalBackbone) -> None:
    german = [Pair(f"{i} dogs", f"Hier sind {i} Hunde im alten Haus.") for i in range(12)]
    english = [Pair(f"{i} Hunde", f"There run {i} dogs and never cats.") for i in range(12)]
    pairs = [
        replace(pair, extra={"lang": language})
        for both in zip(german, english, strict=True)
        for pair, language in zip(both, ("de", "English"), strict=True)
    ]
    families = (ErrorFamily.REPLACEMENT, ErrorFamily.INSERTION, ErrorFamily.NEGATION)
    texts = error_copies(
        pairs,
        pairs[:4],
        ErrorTraining(mix=CorruptionMix(proportions=dict.fromkeys(families, 1.0)), copies=3),
        backbone=parrot,
        prompt=NAMED_PROMPTS["bilingual"].bind_columns(target_language="lang"),
        progress=False,
    )["train"]
    assert set(texts.counts()) == {family.value for family in families}
    words = {
        language: {
            word
            for pair in texts.pairs
            if pair.extra["lang"] == language
            for word in re.findall(r"[a-z]+", pair.hypothesis.casefold())
        }
        for language in ("de", "English")
    }
    assert words["de"] & words["English"] == set()
    assert words["English"] & {"always", "often"}
    assert "nicht" in words["de"]
