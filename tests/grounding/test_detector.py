"""What is found of an answer by each model and by both, and what is refused."""

from pathlib import Path

import pytest
from made_answers import ANSWER, CONTEXT, answer_reader

from headwise import GroundedAnswer, GroundingDetector
from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.entailment import EntailmentModel
from headwise.errors import ContextLengthError, InputError, TextError
from headwise.heads import save_head
from headwise.quality import QualityEstimator


def places(found: GroundedAnswer) -> list[tuple[str, str]]:
    for span in found.spans:
        assert found.answer[span.start : span.end] == span.text
    return [(span.text, "+".join(span.found_by)) for span in found.spans]


def test_by_entailment(minilm: EntailmentModel) -> None:
    found = GroundingDetector(entailment=minilm).ground(CONTEXT, ANSWER)
    assert places(found) == [("900 women slept.", "entailment+quantity")]
    assert not found.supported
    assert found.sentences is not None
    first, second = found.sentences
    assert first.probability < 0.5 < second.probability
    assert found.spans[0].probability == second.probability
    assert found.scored is None
    alone = GroundingDetector(entailment=minilm).ground(CONTEXT, "A man plays music.")
    assert alone.supported
    assert alone.row()["spans"] == []


def test_by_the_rule_alone() -> None:
    found = GroundingDetector().ground(CONTEXT, ANSWER)
    assert places(found) == [("900", "quantity")]
    assert found.spans[0].probability is None
    assert found.sentences is None


def test_by_the_error_head(reader: QualityEstimator) -> None:
    detector = GroundingDetector(estimator=reader, quantities=False, threshold=0.5)
    found = detector.ground(CONTEXT, ANSWER)
    scored = reader.score(CONTEXT, ANSWER, signals=["error"])
    flagged = {i for span in found.spans for i in range(span.start, span.end)}
    for word in scored.words:
        worst = max(token.error or 0.0 for token in word.tokens)
        assert (word.start in flagged) == (worst >= 0.5)
    assert found.spans
    assert found.scored is not None
    assert [token.error for token in found.scored.tokens] == [t.error for t in scored.tokens]


def test_many_are_what_each_is_alone(reader: QualityEstimator, minilm: EntailmentModel) -> None:
    detector = GroundingDetector(estimator=reader, entailment=minilm)
    pairs = [(CONTEXT, ANSWER), ("A dog runs.", "An animal moves. It is 5 pm."), (CONTEXT, "No.")]
    alone = [detector.ground(*pair) for pair in pairs]
    together = list(detector.ground_many(iter(pairs)))
    for one, same in zip(alone, together, strict=True):
        assert isinstance(same, GroundedAnswer)
        assert places(one) == places(same)


def test_an_estimator_grounds(
    reader: QualityEstimator, minilm: EntailmentModel, parrot: CausalBackbone
) -> None:
    by_head = reader.ground(CONTEXT, ANSWER)
    assert places(by_head) == places(GroundingDetector(estimator=reader).ground(CONTEXT, ANSWER))
    translator = QualityEstimator(
        parrot, error_head=reader.error_head, prompt=NAMED_PROMPTS["tiny"]
    )
    found = translator.ground(CONTEXT, ANSWER, entailment=minilm)
    assert found.scored is None  # its head reads translations
    assert found.spans
    with pytest.raises(ValueError, match="no error head that reads answers behind"):
        translator.ground(CONTEXT, ANSWER)


@pytest.mark.parametrize(
    ("context", "answer", "message"),
    [
        ("", ANSWER, "context is empty"),
        (CONTEXT, "  \n", "answer is empty"),
        (CONTEXT, "a \ud800", "lone surrogate"),
        (None, ANSWER, "context must be a text, got NoneType"),
    ],
)
def test_texts_that_cannot_be_read(context: str, answer: str, message: str) -> None:
    detector = GroundingDetector()
    with pytest.raises(TextError, match=message):
        detector.ground(context, answer)
    good, bad = detector.ground_many([(CONTEXT, ANSWER), (context, answer)], errors="yield")
    assert isinstance(good, GroundedAnswer)
    assert isinstance(bad, InputError)


def test_texts_that_are_too_long(reader: QualityEstimator, minilm: EntailmentModel) -> None:
    with pytest.raises(ContextLengthError, match="tokens"):
        GroundingDetector(estimator=reader).ground("word " * 5000, ANSWER)
    with pytest.raises(ContextLengthError, match="sentence of the answer cannot be checked"):
        GroundingDetector(entailment=minilm).ground(CONTEXT, "word " * 1000 + ".")
    # A context may be of any length
    assert GroundingDetector(entailment=minilm).ground(f"{CONTEXT} " * 40, "A man plays.").supported


def test_settings_that_are_refused(estimator: QualityEstimator) -> None:
    for options, message in (
        ({"threshold": 0.0}, "`threshold` must lie in"),
        ({"window": 0}, "`window` must be at least 1"),
        ({"top_k": 0}, "`top_k` must be at least 1"),
        ({"estimator": estimator}, "no error head"),
        ({"quantities": False}, "Give `estimator` or `entailment`"),
    ):
        with pytest.raises(ValueError, match=message):
            GroundingDetector(**options)
    with pytest.raises(ValueError, match="`errors` must be"):
        list(GroundingDetector().ground_many([], errors="ignore"))  # type: ignore[arg-type]


def test_a_head_of_answers_beside_one_of_translations(
    reader: QualityEstimator, parrot: CausalBackbone, tmp_path: Path
) -> None:
    assert reader.error_head is not None
    save_head(reader.error_head, tmp_path, prompt=reader.prompt.model_dump())
    own = answer_reader(parrot, variant="causal").error_head
    translator = QualityEstimator(parrot, error_head=own, prompt=NAMED_PROMPTS["tiny"])
    translator.grounding_head = tmp_path
    assert places(translator.ground(CONTEXT, ANSWER)) == places(reader.ground(CONTEXT, ANSWER))
    assert translator.error_head is own
