"""Drawn words, against the model's own dense logits and its own greedy generation."""

import random

import pytest
import torch

from headwise.backbones import NAMED_PROMPTS, CausalBackbone, EncodedPair
from headwise.bundled.examples import example_pairs
from headwise.corruption.unlikely_words import TokenTexts, WordPlace, unlikely_words
from headwise.functional import dominant_tokens

PROMPT = NAMED_PROMPTS["tiny"]


@pytest.fixture(scope="module")
def places(tiny: CausalBackbone) -> list[WordPlace]:
    encoded = tiny.encode([(p.source, p.hypothesis) for p in example_pairs()], PROMPT)
    texts = TokenTexts(tiny.tokenizer)
    return [
        WordPlace(code, position)
        for code in encoded
        if isinstance(code, EncodedPair)
        for position, token in enumerate(code.targets[: len(code.ranges)])
        if texts.begins_word(token, spaced=True)
    ]


def draw(
    backbone: CausalBackbone, places: list[WordPlace], *, batch_tokens: int = 2048
) -> list[tuple[int, ...] | None]:
    generators = [random.Random(index) for index in range(len(places))]
    texts = TokenTexts(backbone.tokenizer)
    return unlikely_words(backbone, places, generators, texts, batch_tokens=batch_tokens)


def test_first_tokens_are_unlikely_and_the_rest_is_greedy(
    tiny: CausalBackbone, places: list[WordPlace]
) -> None:
    texts = TokenTexts(tiny.tokenizer)
    drawn = draw(tiny, places)
    assert len(drawn) == len(places)
    assert sum(word is not None for word in drawn) > 0.6 * len(places)
    assert any(word is not None and len(word) > 1 for word in drawn)
    for place, word in zip(places, drawn, strict=True):
        if word is None:
            continue
        given = place.encoded.input_ids[: place.encoded.first + place.position + 1]
        with torch.inference_mode():
            logits = tiny.model(torch.tensor([[*given, *word]])).logits[0].float()
        log_probs = logits[len(given) - 1 :].log_softmax(-1)  # of the word, and of what follows
        own = log_probs[0, word[0]]
        assert 15 <= int((log_probs[0] > own).sum()) + 1 <= 150
        assert own.exp() < 0.01
        assert not dominant_tokens(log_probs[:1]).contains(torch.tensor(word[:1])).any()
        assert texts.of(word)[0] == " "
        assert texts.of(word)[1:].isalpha()
        top, ids = log_probs[1:].max(-1)
        assert ids[:-1].tolist() == list(word[1:])
        assert (top[:-1].exp() >= 0.5).all()
        following = int(ids[-1])
        assert following in tiny.special_ids or not texts.of([*word, following])[1:].isalpha()


def test_batches_do_not_change_the_words(tiny: CausalBackbone, places: list[WordPlace]) -> None:
    together = draw(tiny, places)
    assert draw(tiny, places, batch_tokens=1) == together
    assert draw(tiny, places[:5]) == together[:5]


def test_rare_tokens_are_drawn_less(tiny: CausalBackbone, places: list[WordPlace]) -> None:
    texts = TokenTexts(tiny.tokenizer)
    generators = [random.Random(index) for index in range(600)]
    drawn = unlikely_words(tiny, [places[0]] * 600, generators, texts, batch_tokens=4096)
    encoded = places[0].encoded
    given = encoded.input_ids[: encoded.first + places[0].position + 1]
    with torch.inference_mode():
        logits = tiny.model(torch.tensor([given])).logits[0, -1].float()
    firsts = [word[0] for word in drawn if word is not None]
    ranks = torch.tensor([int((logits > logits[token]).sum()) + 1 for token in firsts])
    # In a falling distribution, the better half of the ranks gets most of the draws
    assert (ranks <= 82).float().mean() > 0.6


def test_words_stay_within_the_context(
    tiny: CausalBackbone, places: list[WordPlace], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = places[0]
    read = place.encoded.first + place.position + 1
    assert any(word is not None for word in draw(tiny, [place] * 10))
    monkeypatch.setattr(type(tiny), "max_length", read)
    assert draw(tiny, [place] * 10) == [None] * 10


def test_no_places(tiny: CausalBackbone) -> None:
    assert draw(tiny, []) == []
