"""An answer that is written piece by piece: what is known when, and that pieces do not matter."""

import random
from typing import Any

import pytest
import torch
from made_answers import ANSWER, CONTEXT, answer_reader

from headwise import GroundedAnswer, GroundingDetector
from headwise.backbones import CausalBackbone
from headwise.data.records.pairs import Pair
from headwise.entailment import EntailmentModel
from headwise.errors import TextError
from headwise.grounding import AnswerStream
from headwise.quality import QualityEstimator

LONG = f"{ANSWER} The 3 dogs  ran,\n\nand 会议 began at 3:30 pm. It rained 🧑‍🔬 in Rome"


def written(stream: AnswerStream, pieces: list[str]) -> GroundedAnswer:
    for piece in pieces:
        stream.push(piece)
    return stream.finish()


def row(found: GroundedAnswer) -> list[Any]:
    return [(s.text, s.start, s.found_by, pytest.approx(s.probability)) for s in found.spans]


@pytest.mark.parametrize("options", [{}, {"variant": "causal"}, {"statistics": True}])
def test_tokens_have_the_values_of_a_text_without_an_end(
    parrot: CausalBackbone, options: dict[str, Any]
) -> None:
    reader = answer_reader(parrot, **options)
    stream = GroundingDetector(estimator=reader, quantities=False).stream(CONTEXT)
    assert stream._tokens is not None
    pieces = [LONG[i : i + 3] for i in range(0, len(LONG), 3)]
    for piece in pieces:
        stream.push(piece)
    values = stream._tokens.read(LONG, ended=True)
    scorer = reader.scorer(["error"])
    (code,) = scorer.encode([Pair(CONTEXT, LONG)])
    hidden = parrot.target_hidden([code], layers=scorer.layers)  # type: ignore[list-item]
    with torch.inference_mode():
        whole = scorer.token_signals(
            hidden,
            torch.tensor(code.targets),  # type: ignore[union-attr]
            texts=[range(len(code.ranges) + 1)],  # type: ignore[union-attr]
            ended=False,
        )
    expected = whole.columns["error"][: len(values)]  # type: ignore[index]
    assert [one.probability for one in values] == pytest.approx(list(expected), abs=1e-4)
    assert [(one.start, one.end) for one in values] == list(code.ranges)  # type: ignore[union-attr]


def test_pieces_do_not_matter(reader: QualityEstimator, minilm: EntailmentModel) -> None:
    detector = GroundingDetector(estimator=reader, entailment=minilm)
    whole = written(detector.stream(CONTEXT), [LONG])
    assert whole.spans
    for seed in range(3):
        rng = random.Random(seed)
        cuts = sorted(rng.sample(range(1, len(LONG)), 25))
        pieces = [LONG[a:b] for a, b in zip([0, *cuts], [*cuts, len(LONG)], strict=True)]
        assert row(written(detector.stream(CONTEXT), pieces)) == row(whole)


def test_without_an_error_head_the_end_is_what_a_whole_answer_gives(
    minilm: EntailmentModel,
) -> None:
    detector = GroundingDetector(entailment=minilm)
    found = written(detector.stream(CONTEXT), list(LONG))
    assert row(found) == row(detector.ground(CONTEXT, LONG))


def test_what_may_still_grow_is_not_judged(minilm: EntailmentModel) -> None:
    stream = GroundingDetector(entailment=minilm).stream(CONTEXT)
    assert stream.push("A woman sleeps on 9").spans == ()  # 9 of 900, in a sentence that goes on
    found = stream.push("00 chairs. The")
    assert [span.text for span in found.spans] == ["A woman sleeps on 900 chairs."]
    assert found.checked_to == len("A woman sleeps on 900 chairs.")
    assert found.quantities[0].text == "900"


def test_what_is_refused() -> None:
    detector = GroundingDetector()
    with pytest.raises(TextError, match="context is empty"):
        detector.stream(" ")
    stream = detector.stream(CONTEXT)
    with pytest.raises(TextError, match="answer is empty"):
        stream.finish()
    with pytest.raises(TextError, match="must be a text, got bytes"):
        stream.push(b"A man")  # type: ignore[arg-type]
    stream.push("A man.")
    stream.finish()
    with pytest.raises(ValueError, match="is finished"):
        stream.push("More.")
