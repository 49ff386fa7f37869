"""Claims: what decides, in which order, and sources of any length."""

from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import Mock

import pytest
import torch
from sentencex import get_sentence_boundaries

from headwise.entailment import EntailmentModel, Prediction, Validation, Verdict
from headwise.entailment.claims.sources import CheckOptions
from headwise.entailment.claims.validating import judging_steps
from headwise.entailment.passages import result_of, sentences
from headwise.errors import ContextLengthError, TextError

MakePrediction = Callable[..., Prediction]
MakeModel = Callable[..., EntailmentModel]
Values = tuple[float, float, float]
SOURCE = "One cat sat. Two dogs ran. Three men drank. Four hens slept."


@pytest.fixture
def decide(make_prediction: MakePrediction) -> Callable[..., Validation]:
    """What comes of predictions, given as probabilities and abstention, for the first sentences.

    The first sentence is the most similar to the claim, and so on.
    """

    def run(
        *given: tuple[float, float, float, bool],
        joined: Mapping[tuple[int, ...], Values] | None = None,
        fits: Callable[[str], bool] = lambda _: True,
        **options: Any,
    ) -> Validation:
        found = sentences(SOURCE, language="en")[: len(given)]
        predictions = {
            passage.of(SOURCE): make_prediction(*values, abstain=abstain)
            for passage, (*values, abstain) in zip(found, given, strict=True)
        }
        for places, values in (joined or {}).items():
            text = " ".join(found[place].of(SOURCE) for place in places)
            predictions[text] = make_prediction(*values)
        steps = judging_steps(
            SOURCE,
            found,
            torch.tensor([0.9 - 0.08 * place for place in range(len(found))]),
            predict=lambda asked: [predictions[text] for text in asked],
            fits=fits,
            options=CheckOptions(**{"together": 1, **options}),
            step=2,
        )
        return result_of(steps)

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
    # The first may entail the claim, for all that the model abstains
    assert found.confidence == pytest.approx(1 - 0.9)
    assert order(found) == ["Two", "One", "Three"]


def test_how_sure_it_is_that_nothing_decides(decide: Callable[..., Validation]) -> None:
    """What contradicts a claim that it is not about says nothing of the verdict."""
    says_nothing, against = (0.1, 0.7, 0.2, False), (0.0, 0.01, 0.99, False)
    assert decide(says_nothing).confidence == pytest.approx(0.8)
    far = decide(says_nothing, says_nothing, against)
    assert far.verdict is Verdict.NOT_ENOUGH_INFORMATION
    assert far.confidence == pytest.approx(0.8)
    unlike = decide(against, min_similarity=0.91)
    assert unlike.verdict is Verdict.NOT_ENOUGH_INFORMATION
    assert unlike.confidence == pytest.approx(1.0)


def test_uncertain(decide: Callable[..., Validation]) -> None:
    """What the model is sure of in a passage about something else does not count."""
    found = decide((0.6, 0.4, 0, True), (0.9, 0.1, 0, True), (0.1, 0.8, 0.1, False))
    assert found.verdict is Verdict.UNCERTAIN
    assert (found.supported, found.contradicted, found.uncertain) == (False, False, True)
    assert found.confidence == pytest.approx(1 - 0.9)
    assert order(found) == ["One", "Two", "Three"]


def test_only_similar_passages_are_asked(decide: Callable[..., Validation]) -> None:
    given = [(0.2, 0.7, 0.1, False), (0.1, 0.8, 0.1, False), (0.9, 0.1, 0, False)]
    assert decide(*given, top_k=2).verdict is Verdict.NOT_ENOUGH_INFORMATION
    assert decide(*given, top_k=3).verdict is Verdict.SUPPORTED


FOR, NEITHER, AGAINST = (0.8, 0.1, 0.1), (0.2, 0.7, 0.1), (0.1, 0.1, 0.8)
SAYS_NOTHING = (*NEITHER, False)


def test_passages_that_entail_only_together(decide: Callable[..., Validation]) -> None:
    """All of them are evidence, in the order of the source."""
    given = [SAYS_NOTHING] * 4
    found = decide(*given, joined={(0, 1): NEITHER, (0, 1, 2): FOR}, together=3)
    assert found.verdict is Verdict.SUPPORTED
    (deciding,) = found.deciding
    assert deciding is found.evidence[0]
    assert deciding.text == "One cat sat. Two dogs ran. Three men drank."
    texts = [SOURCE[part.start : part.end] for part in deciding.passages]
    assert texts == ["One cat sat.", "Two dogs ran.", "Three men drank."]
    assert (deciding.start, deciding.end) == (0, len(deciding.text))
    assert deciding.similarity == pytest.approx(0.74)  # the lowest
    assert found.confidence == 0.8
    assert [len(one.passages) for one in found.evidence] == [3, 1, 1, 1, 1, 2]
    apart = decide(*given, together=1)
    assert apart.verdict is Verdict.NOT_ENOUGH_INFORMATION
    assert apart.deciding == ()


def test_a_claim_rests_on_no_more_than_it_needs(decide: Callable[..., Validation]) -> None:
    joined = {(0, 1): FOR, (0, 1, 2): (0.9, 0.1, 0.0)}
    found = decide(*[SAYS_NOTHING] * 4, joined=joined, together=3)
    assert [len(one.passages) for one in found.deciding] == [2, 3]
    assert found.confidence == 0.8
    # Where one passage suffices, no others are read with it
    found = decide((*FOR, False), SAYS_NOTHING, together=2)
    assert [len(one.passages) for one in found.evidence] == [1, 1]


def test_a_passage_that_has_no_room_is_passed_by(decide: Callable[..., Validation]) -> None:
    given, joined = [SAYS_NOTHING] * 4, {(0, 2): NEITHER, (0, 2, 3): FOR}
    found = decide(*given, joined=joined, together=3, fits=lambda text: "Two" not in text)
    assert found.deciding[0].text == "One cat sat. Three men drank. Four hens slept."
    assert len(decide(*given, together=3, fits=lambda _: False).evidence) == 4
    # Nor is one read with others that is not about the claim
    assert len(decide(*given, together=3, min_similarity=0.85).evidence) == 4


def test_what_contradicts_together_must_be_about_the_claim(
    decide: Callable[..., Validation],
) -> None:
    """Each of the passages; the third is 0.16 less similar than the first."""
    given, two = [SAYS_NOTHING] * 3, {(0, 1): AGAINST}
    found = decide(*given, joined=two, together=2)
    assert found.verdict is Verdict.CONTRADICTED
    assert [len(one.passages) for one in found.deciding] == [2]
    assert not decide(*given, joined=two, together=2, min_similarity=0.85).contradicted
    three = {(0, 1): NEITHER, (0, 1, 2): AGAINST}
    assert not decide(*given, joined=three, together=3).contradicted


def test_overlapping_passages_are_read_as_one(make_model: MakeModel) -> None:
    source = "A dog runs. The cat sat on the mat. Two men drink green tea."
    model = make_model(threshold=0.0)  # abstains on all of them, so that more are asked
    found = model.validate(source, "It is a lovely evening.", window=2, min_similarity=-1.0)
    texts = [
        "A dog runs. The cat sat on the mat.",
        "The cat sat on the mat. Two men drink green tea.",
    ]
    assert sorted(one.text for one in found.evidence) == sorted([*texts, source])
    assert all(source[one.start : one.end] == one.text for one in found.evidence)


def test_what_stands_there_twice_is_not_read_twice(make_model: MakeModel) -> None:
    found = make_model(threshold=0.0).validate(
        "A dog runs. A dog runs. A dog runs.", "A cat sat.", min_similarity=-1.0
    )
    assert {one.text for one in found.evidence} == {"A dog runs."}


@pytest.mark.parametrize("features", ["pair", "joint"])
def test_claims_about_one_source(
    make_model: MakeModel, features: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers are those of each claim alone; the source is cut once, its errors end all."""
    model = make_model(features)
    source = "A dog runs on the beach. The cat sat on the mat. " + "The dog runs. " * 3
    claims = ["A dog runs.", "A cat sat.", "Two men drink tea."]
    alone = [model.validate(source, claim) for claim in claims]
    split = Mock(side_effect=get_sentence_boundaries)
    monkeypatch.setattr("headwise.entailment.passages.get_sentence_boundaries", split)
    found = list(model.validate_many(source, [claims[0], "dog " * 70, *claims[1:]]))
    assert isinstance(found.pop(1), ContextLengthError)
    assert split.call_count == 1
    for one, expected in zip(found, alone, strict=True):
        assert isinstance(one, Validation)
        assert one.verdict is expected.verdict
        assert one.confidence == pytest.approx(expected.confidence, abs=1e-5)
        assert [e.passages for e in one.evidence] == [e.passages for e in expected.evidence]
    with pytest.raises(TextError, match="The source is empty"):
        list(model.validate_many(" ", claims))
    with pytest.raises(TextError, match="`claims` must be a list of texts"):
        list(model.validate_many(source, claims[0]))


@pytest.mark.parametrize("features", ["pair", "joint", "pair+joint"])
def test_a_short_source_goes_straight_to_the_head(make_model: MakeModel, features: str) -> None:
    model = make_model(features, threshold=1.1)
    source, claim = "  A dog runs on the beach.\n", "A dog runs."
    found = model.validate(source, claim, min_similarity=-1.0)
    prediction = model.predict(source.strip(), claim)
    assert found.evidence[0].prediction.probabilities == pytest.approx(
        dict(prediction.probabilities), abs=1e-5
    )
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
        ("A dog.", "A dog.", {"together": 0}, ValueError, "`together` must be a whole number"),
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
