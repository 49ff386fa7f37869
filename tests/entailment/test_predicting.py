"""Predictions: equal to plain formulas, each distinct text encoded once, errors in their places."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import log
from typing import Any

import numpy as np
import pytest
import torch
from plain_comparison import compared
from tiny_encoders import ENCODERS, tiny_encoder

from headwise.backbones import EncoderBackbone
from headwise.choices import NLIFeatures
from headwise.entailment import EntailmentModel, Prediction
from headwise.entailment.embedding import TextEmbeddings
from headwise.errors import ContextLengthError, InputError, MismatchError, TextError

MakeModel = Callable[..., EntailmentModel]

PAIRS = (
    ("A dog runs on the beach.", "A dog runs."),
    ("A woman reads a book in the park.", "The children play football."),
    ("A dog runs on the beach.", "Two men drink green tea."),
    ("The cat sat on the mat.", "A dog runs on the beach."),
)


def plain(model: EntailmentModel, premise: str, hypothesis: str) -> tuple[list[float], float]:
    """Probabilities and learned uncertainty, one pair at a time, without padding."""
    backbone, heads = model.backbone, model.heads
    assert heads is not None
    assert heads.abstention is not None
    parts = []

    def states(*texts: str) -> torch.Tensor:
        inputs = backbone.tokenizer(*texts, return_tensors="pt")
        return backbone.model(**inputs).last_hidden_state[0]

    def layers(text: str) -> torch.Tensor:
        inputs = backbone.tokenizer(text, return_tensors="pt")
        hidden = backbone.model(**inputs, output_hidden_states=True).hidden_states
        return torch.cat([hidden[number][0] for number in heads.config.layers], dim=-1)

    with torch.no_grad():
        if heads.config.features.needs_pair:
            u, v = states(premise).mean(0), states(hypothesis).mean(0)
            parts += [u, v, (u - v).abs(), u * v]
        if heads.config.features.needs_joint:
            parts.append(states(premise, hypothesis)[0])
        if heads.nli.interaction is not None:
            parts.append(compared(heads.nli.interaction, layers(premise), layers(hypothesis)))
        hidden = heads.nli.nli_hidden(torch.cat(parts))
        logits = heads.nli.nli_output(hidden)
        doubt = heads.abstention.abstention_head(torch.cat([hidden, logits])).softmax(0)[1]
    return logits.softmax(0).tolist(), doubt.item()


@pytest.mark.parametrize("features", NLIFeatures)
@pytest.mark.parametrize("encoder", ENCODERS)
def test_equals_the_plain_formula(make_model: MakeModel, encoder: str, features: str) -> None:
    model = make_model(features, encoder=encoder, threshold=0.5, layers=(0, 1, -1))
    found = model.predict(*map(list, zip(*PAIRS, strict=True)))
    for pair, prediction in zip(PAIRS, found, strict=True):
        probabilities, doubt = plain(model, *pair)
        assert list(prediction.probabilities) == ["entailment", "neutral", "contradiction"]
        assert list(prediction.probabilities.values()) == pytest.approx(probabilities, abs=1e-5)
        assert prediction.uncertainty == pytest.approx(doubt, abs=1e-5)
        assert prediction.confidence == max(prediction.probabilities.values())
        assert prediction.probabilities[prediction.label] == prediction.confidence
        assert prediction.abstain is (prediction.uncertainty >= 0.5)


def assert_same(found: Sequence[object], expected: Sequence[Prediction]) -> None:
    """Equal but for the last digits, which depend on what else was in a batch."""
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert isinstance(a, Prediction)
        assert (a.label, a.abstain) == (b.label, b.abstain)
        assert [a.uncertainty, *a.probabilities.values()] == pytest.approx(
            [b.uncertainty, *b.probabilities.values()], abs=1e-5
        )


def test_one_text_goes_with_all_of_the_other_side(make_model: MakeModel) -> None:
    model = make_model()
    texts = [pair[1] for pair in PAIRS]
    premise = PAIRS[0][0]
    one_by_one = [make_model().predict(premise, text) for text in texts]
    assert_same(model.predict(premise, texts), one_by_one)
    one_by_one = [make_model().predict(text, premise) for text in texts]
    assert_same(model.predict(texts, premise), one_by_one)
    assert isinstance(model.predict(premise, texts[0]), Prediction)
    assert isinstance(model.predict([premise], texts[0]), list)


@pytest.mark.parametrize("features", NLIFeatures)
def test_nothing_in_nothing_out(make_model: MakeModel, features: str) -> None:
    model = make_model(features)
    assert model.predict([], []) == []
    assert model.predict("A dog runs.", []) == []
    assert list(model.predict_many([])) == []


def counted(backbone: EncoderBackbone, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of all batches that the encoder reads from now on."""
    sizes: list[int] = []
    forward = backbone.forward

    def count(ids: torch.Tensor, *rest: torch.Tensor, **named: Any) -> torch.Tensor:
        sizes.append(len(ids))
        return forward(ids, *rest, **named)

    monkeypatch.setattr(backbone, "forward", count)
    return sizes


@pytest.mark.parametrize("features", ["pair", "interaction"])
def test_every_distinct_text_is_encoded_once(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch, features: str
) -> None:
    model = make_model(features)
    sizes = counted(model.backbone, monkeypatch)
    premises, hypotheses = map(list, zip(*PAIRS, strict=True))
    first = model.predict(premises * 5, hypotheses * 5)
    assert sum(sizes) == len({*premises, *hypotheses})
    assert_same(model.predict(premises, hypotheses), first[: len(PAIRS)])
    assert sum(sizes) == len({*premises, *hypotheses})
    model.predict("A dog runs.", "Something new.")
    assert sum(sizes) == len({*premises, *hypotheses}) + 1


def test_joint_features_are_read_pair_by_pair(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model("joint")
    sizes = counted(model.backbone, monkeypatch)
    model.predict(PAIRS[0][0], [pair[1] for pair in PAIRS])
    assert sum(sizes) == len(PAIRS)


def test_memory_of_embeddings_is_bounded(backbone: EncoderBackbone) -> None:
    remembered = TextEmbeddings(backbone, remembered=3)
    texts = [f"number {i}" for i in range(5)]
    found = remembered.embed(texts, what="text")
    assert len(remembered) == 3
    assert found.rows == list(range(5))
    remembered.embed([texts[2]], what="text")  # now used most recently
    remembered.embed(["new", "newer"], what="text")
    assert remembered.embed([texts[2]], what="text").vectors.equal(found.vectors[2:3])
    assert len(remembered) == 3


@pytest.mark.parametrize("features", ["pair", "joint", "pair+joint"])
def test_errors_stay_in_their_places(
    make_model: MakeModel, features: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwise.entailment.model.WINDOW", 3)
    model = make_model(features)
    long = "dog " * 70
    bad: list[tuple[object, object]] = [
        ("", "A dog runs."),
        ("A dog runs.", " \n"),
        (None, "A dog runs."),
        ("A dog runs.", ["a list"]),
        ("A \ud800 dog.", "A dog runs."),
        ("A dog runs.", "A [SEP] dog runs."),
        (long, "A dog runs."),
        ("A dog runs.", long),
    ]
    mixed = [row for pair, other in zip(PAIRS * 2, bad, strict=True) for row in (pair, other)]
    found = list(model.predict_many(mixed))  # type: ignore[arg-type]
    good = model.predict(*map(list, zip(*PAIRS, strict=True)))
    for index, result in enumerate(found):
        if index % 2:
            kind = ContextLengthError if long in mixed[index] else TextError
            assert type(result) is kind
        else:
            assert_same([result], [good[index // 2 % len(PAIRS)]])
    with pytest.raises(InputError, match=r"^pairs\[1\]: The premise is empty"):
        model.predict(["A dog.", ""], ["A cat.", "A cat."])


def test_a_pair_that_is_read_together_must_fit_together(make_model: MakeModel) -> None:
    text = "dog " * 40
    assert isinstance(make_model("pair").predict(text, text), Prediction)
    with pytest.raises(ContextLengthError, match="Premise and hypothesis take 83 tokens"):
        make_model("joint").predict(text, text)


@pytest.mark.parametrize(
    ("premises", "hypotheses", "message"),
    [
        (["a", "b"], ["c"], "same length, got 2 and 1"),
        (None, "a", "`premises` must be a list of texts, got NoneType"),
        ("a", 7, "`hypotheses` must be a list of texts, got int"),
        (b"a", "b", "got bytes"),
        ("", "b", "^The premise is empty"),
    ],
)
def test_wrong_arguments(
    make_model: MakeModel, premises: object, hypotheses: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_model().predict(premises, hypotheses)  # type: ignore[call-overload]


def entropy(values: Sequence[float]) -> float:
    return -sum(p * log(p) for p in values) / log(3)


@pytest.mark.parametrize(
    ("how", "formula"),
    [
        ("max_probability", lambda p: 1 - max(p)),
        ("entropy", entropy),
        ("margin", lambda p: 1 - (sorted(p)[-1] - sorted(p)[-2])),
    ],
)
def test_uncertainty_from_the_probabilities(
    make_model: MakeModel, how: str, formula: Callable[[Sequence[float]], float]
) -> None:
    model = make_model(abstain_by=how, threshold=0.0)
    assert model.abstain_by == how
    prediction = model.predict(*PAIRS[0])
    expected = formula(list(prediction.probabilities.values()))
    assert prediction.uncertainty == pytest.approx(expected, abs=1e-6)
    assert prediction.abstain
    model.threshold = 1.1
    assert not model.predict(*PAIRS[0]).abstain


def test_without_an_abstention_head_the_largest_probability_decides(make_model: MakeModel) -> None:
    model = make_model(abstention=False)
    assert model.abstain_by == "max_probability"
    prediction = model.predict(*PAIRS[0])
    assert prediction.uncertainty == pytest.approx(1 - prediction.confidence, abs=1e-6)


def test_a_threshold_overrides_that_of_the_heads(make_model: MakeModel) -> None:
    saved = make_model(threshold=0.25)
    assert saved.threshold == 0.25
    model = EntailmentModel(saved.backbone, saved.heads, threshold=0.75)
    assert model.threshold == 0.75
    for bad in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="`threshold` must be a number of at least 0"):
            model.threshold = bad
    assert model.threshold == 0.75


def test_heads_of_another_encoder(make_model: MakeModel, backbone: EncoderBackbone) -> None:
    heads = make_model().heads
    assert heads is not None
    wider = EncoderBackbone(backbone.model, backbone.tokenizer, pooling=("mean", "max"))  # type: ignore[arg-type]
    heads.config = replace(heads.config, backbone="some-encoder")
    with pytest.raises(MismatchError, match="some-encoder"):
        EntailmentModel(wider, heads)


def test_without_heads(backbone: EncoderBackbone) -> None:
    model = EntailmentModel(backbone)
    assert model.abstain_by is None
    for call in (
        lambda: model.predict("A dog.", "A cat."),
        lambda: model.predict_many([]),
        lambda: model.validate("A dog.", "A cat."),
        lambda: model.route("A dog.", ["A cat."], by="entailment"),
    ):
        with pytest.raises(ValueError, match="needs heads and none are loaded: give `heads`"):
            call()
    assert model.embed(["A dog.", "A cat."]).shape == (2, 32)
    assert model.rerank("A dog.", ["A cat."])[0].index == 0
    assert model.route("A dog.", ["A dog.", "A cat."], by="similarity").route == "A dog."


@pytest.mark.parametrize("features", ["pair", "joint"])
def test_half_precision(make_model: MakeModel, features: str) -> None:
    full = make_model(features)
    model, tokenizer = tiny_encoder("bert")
    half = EntailmentModel(EncoderBackbone(model.bfloat16(), tokenizer), full.heads)
    found, expected = (one.predict(*map(list, zip(*PAIRS, strict=True))) for one in (half, full))
    for a, b in zip(found, expected, strict=True):
        assert list(a.probabilities.values()) == pytest.approx(
            list(b.probabilities.values()), abs=0.03
        )


def test_many_pairs_come_in_order_and_are_read_as_needed(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwise.entailment.model.WINDOW", 2)
    model = make_model()
    read: list[int] = []

    def pairs() -> "object":
        for index, pair in enumerate(PAIRS):
            read.append(index)
            yield pair

    stream = model.predict_many(pairs())  # type: ignore[arg-type]
    assert read == []
    first = next(stream)
    assert read == [0, 1]
    assert_same([first, *stream], model.predict(*map(list, zip(*PAIRS, strict=True))))


def test_shows_what_matters(fitted: EntailmentModel) -> None:
    shown = repr(fitted.predict("A dog runs on the beach.", "A dog runs."))
    assert shown.startswith("Prediction(label='entailment', confidence=0.9")
    assert len(shown) < 200


@pytest.mark.parametrize("features", ["pair", "joint"])
@pytest.mark.parametrize("bad", ["ab", ("a", "b", "c"), ("a",), None, {"premise": "a"}])
def test_what_is_no_pair_is_an_error_in_its_place(
    make_model: MakeModel, features: str, bad: object
) -> None:
    pair = ("A dog runs.", "A dog.")
    first, wrong, last = make_model(features).predict_many([pair, bad, pair])  # type: ignore[list-item]
    assert isinstance(wrong, TextError)
    assert "A pair must be a tuple of premise and hypothesis" in str(wrong)
    assert isinstance(first, Prediction)
    assert first == last


def test_an_array_without_a_dimension_is_no_list(make_model: MakeModel) -> None:
    with pytest.raises(TextError, match="`premises` must be a list of texts, got ndarray"):
        make_model().predict(np.array("A dog."), "A dog.")


@pytest.mark.parametrize("features", NLIFeatures)
def test_texts_of_unknown_tokens_are_not_answered(make_model: MakeModel, features: str) -> None:
    model = make_model(features, threshold=1.0)
    unknown, known = "\u4e00\u4e8c \u2603", "A dog runs."
    found = model.predict(
        [unknown, known, known, f"{known} {unknown}"], [known, unknown, known, known]
    )
    assert [prediction.abstain for prediction in found] == [True, True, False, False]
    assert [prediction.uncertainty == 1.0 for prediction in found] == [True, True, False, False]
    model.threshold = 1.5
    assert not model.predict(unknown, known).abstain
