"""Claims: what decides, in which order, and sources of any length."""

from collections.abc import Callable

import pytest
import torch

from headwise.entailment import EntailmentModel, Prediction, Validation, Verdict
from headwise.entailment.passages import sentences
from headwise.entailment.validating import validate_passages
from headwise.errors import ContextLengthError, TextError

MakePrediction = Callable[..., Prediction]
MakeModel = Callable[..., EntailmentModel]
SOURCE = "One cat sat. Two dogs ran. Three men drank. Four hens slept."


@pytest.fixture
def decide(make_prediction: MakePrediction) -> Callable[..., Validation]:
    """What comes of predictions, given as probabilities and abstention, for the first sentences.

    The first sentence is the most similar to the claim, and so on.
    """

    def run(
        *given: tuple[float, float, float, bool], top_k: int = 4, min_similarity: float = 0.3
    ) -> Validation:
        found = sentences(SOURCE, language="en")
        texts = [passage.of(SOURCE) for passage in found]
        predictions = {
            text: make_prediction(*values, abstain=abstain)
            for text, (*values, abstain) in zip(texts, given, strict=False)
        }
        return validate_passages(
            SOURCE,
            found[: len(given)],
            similarity=lambda asked: torch.tensor([0.9 - 0.08 * texts.index(t) for t in asked]),
            predict=lambda asked: [predictions[text] for text in asked],
            top_k=top_k,
            min_similarity=min_similarity,
        )

    return run


def order(found: Validation) -> list[str]:
    for one in found.evidence:
        assert SOURCE[one.start : one.end] == one.text
    return [one.text.split()[0] for one in found.evidence]


def test_one_passage_that_entails_suffices(decide: Callable[..., Validation]) -> None:
    found = decide(
        (0.1, 0.1, 0.8, False), (0.7, 0.2, 0.1, False), (0.99, 0.01, 0, True), (0.8, 0.2, 0, False)
    )
    assert found.verdict is Verdict.SUPPORTED
    assert (found.supported, found.contradicted, found.uncertain) == (True, False, False)
    assert found.confidence == 0.8
    assert order(found) == ["Four", "Two", "One", "Three"]
    assert [one.similarity for one in found.evidence] == pytest.approx([0.66, 0.82, 0.9, 0.74])


def test_contradicted(decide: Callable[..., Validation]) -> None:
    found = decide((0.2, 0.7, 0.1, False), (0.1, 0.2, 0.7, False), (0.9, 0.1, 0, True))
    assert found.verdict is Verdict.CONTRADICTED
    assert found.confidence == 0.7
    assert order(found) == ["Two", "One", "Three"]


def test_only_a_passage_about_the_claim_contradicts_it(decide: Callable[..., Validation]) -> None:
    against = (0.1, 0.1, 0.8, False)
    far = decide((0.2, 0.7, 0.1, False), (0.9, 0.1, 0, True), against)
    assert far.verdict is Verdict.NOT_ENOUGH_INFORMATION
    assert order(far) == ["One", "Two", "Three"]
    assert decide(against, against, min_similarity=0.89).contradicted
    assert not decide(against, against, min_similarity=0.91).contradicted


def test_the_only_passage_must_be_about_the_claim_too(decide: Callable[..., Validation]) -> None:
    against = (0.1, 0.1, 0.8, False)
    assert decide(against, min_similarity=0.89).contradicted
    found = decide(against, min_similarity=0.91)
    assert found.verdict is Verdict.NOT_ENOUGH_INFORMATION
    # What entails the claim is about it
    assert decide((0.8, 0.1, 0.1, False), min_similarity=0.91).supported


def test_not_enough_information(decide: Callable[..., Validation]) -> None:
    found = decide((0.9, 0.1, 0, True), (0.2, 0.6, 0.2, False), (0.1, 0.8, 0.1, False))
    assert found.verdict is Verdict.NOT_ENOUGH_INFORMATION
    assert (found.supported, found.contradicted, found.uncertain) == (False, False, False)
    assert found.confidence == 0.6
    assert order(found) == ["Two", "One", "Three"]


def test_uncertain(decide: Callable[..., Validation]) -> None:
    """What the model is sure of in a passage about something else does not count."""
    found = decide((0.6, 0.4, 0, True), (0.9, 0.1, 0, True), (0.1, 0.8, 0.1, False))
    assert found.verdict is Verdict.UNCERTAIN
    assert (found.supported, found.contradicted, found.uncertain) == (False, False, True)
    assert found.confidence == 0.6
    assert order(found) == ["One", "Two", "Three"]


def test_only_similar_passages_are_asked(decide: Callable[..., Validation]) -> None:
    given = [(0.2, 0.7, 0.1, False), (0.1, 0.8, 0.1, False), (0.9, 0.1, 0, False)]
    assert decide(*given, top_k=2).verdict is Verdict.NOT_ENOUGH_INFORMATION
    assert decide(*given, top_k=3).verdict is Verdict.SUPPORTED


@pytest.mark.parametrize("features", ["pair", "joint", "pair+joint"])
def test_a_short_source_goes_straight_to_the_head(make_model: MakeModel, features: str) -> None:
    model = make_model(features, threshold=1.1)
    source, claim = "  A dog runs on the beach.\n", "A dog runs."
    found = model.validate(source, claim, min_similarity=-1.0)
    prediction = model.predict(source.strip(), claim)
    assert found.confidence == pytest.approx(prediction.confidence, abs=1e-5)
    assert found.supported is (prediction.label == "entailment")
    assert found.contradicted is (prediction.label == "contradiction")
    assert [source[one.start : one.end] for one in found.evidence] == [source.strip()]


def test_a_long_source(fitted: EntailmentModel) -> None:
    source = "The cat sat on the mat. A dog runs on the beach. Two men drink green tea."
    found = fitted.validate(source, "A dog runs.")
    assert found.supported
    assert found.evidence[0].text == "A dog runs on the beach."
    assert len(found.evidence) == 3
    assert len(fitted.validate(source, "A dog runs.", top_k=1).evidence) == 1
    assert len(fitted.validate(source, "A dog runs.", window=2).evidence) == 2


@pytest.mark.parametrize("features", ["pair", "joint", "pair+joint"])
@pytest.mark.parametrize("encoder", ["bert", "roberta", "modernbert"])
def test_a_source_beyond_the_context(make_model: MakeModel, features: str, encoder: str) -> None:
    """One sentence of 300 tokens, beside a claim that takes half of the context."""
    model = make_model(features, encoder=encoder)
    source = "the dog runs on the beach " * 50
    claim = "dog " * (25 if encoder == "bert" else 12)
    found = model.validate(source, claim, top_k=100)
    assert len(found.evidence) > 4
    assert max(one.end for one in found.evidence) == len(source.strip())
    assert all(source[one.start : one.end] == one.text for one in found.evidence)


@pytest.mark.parametrize(
    ("source", "claim", "options", "error", "message"),
    [
        ("", "A dog.", {}, TextError, "The source is empty"),
        ("A dog.", " ", {}, TextError, "The claim is empty"),
        (None, "A dog.", {}, TextError, "The source must be text, got NoneType"),
        ("A dog. A [SEP] cat.", "A dog.", {}, TextError, "The source spells out"),
        ("A dog.", "dog " * 70, {}, ContextLengthError, "The claim is longer than the 64 tokens"),
        ("A dog.", "A dog.", {"top_k": 0}, ValueError, "`top_k` must be a whole number"),
        ("A dog.", "A dog.", {"window": 0}, ValueError, "`window` must be a whole number"),
    ],
)
def test_bad_input(
    fitted: EntailmentModel,
    source: str,
    claim: str,
    options: dict[str, int],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        fitted.validate(source, claim, **options)  # type: ignore[arg-type]


def test_a_claim_that_fills_the_context(make_model: MakeModel) -> None:
    with pytest.raises(ContextLengthError, match="leaves no room"):
        make_model("joint").validate("A dog runs. A cat sat.", "dog " * 61)


def test_a_similarity_that_is_no_number(make_model: MakeModel) -> None:
    with pytest.raises(ValueError, match="`min_similarity` must be a number, got nan"):
        make_model().validate("A dog.", "A dog.", min_similarity=float("nan"))
