"""Generation ends where the prompt's layout closes a text, and at texts that users name."""

from typing import Any

import pytest
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS, TextTemplate
from headwise.data.records.scored import ScoredHypothesis

SOURCE, HYPOTHESIS = PAIRS[0]  # Ein Hund läuft am Strand.
SIGNALS = ("logprob", "sigmoid")


def shown(record: ScoredHypothesis) -> list[tuple[int, str, int, int, float | None]]:
    return [(t.token_id, t.text, t.start, t.end, t.logprob) for t in record.tokens]


def streamed(estimator: QualityEstimator, **options: Any) -> list[Any]:
    return list(estimator.stream(SOURCE, signals=SIGNALS, **options))


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("läuft", "Ein Hund"),
        ([" läuft"], "Ein Hund"),
        (["Strand", "am S"], "Ein Hund läuft"),
        ("und", "Ein H"),
        (["zzz", "Strand.!"], HYPOTHESIS),
        (".", "Ein Hund läuft am Strand"),
        ("E", ""),
        ("</s>", HYPOTHESIS),
        ((), HYPOTHESIS),
    ],
    ids=str,
)
@pytest.mark.parametrize("beams", [1, 3])
def test_a_stop_is_cut_from_text_and_scores(
    estimator: QualityEstimator, beams: int, stop: str | list[str], expected: str
) -> None:
    options = {"num_beams": beams, "signals": SIGNALS}
    whole = estimator.generate(SOURCE, **options)
    cut = estimator.generate(SOURCE, **options, stop=stop)
    assert cut.hypothesis == expected
    kept = [t for t in whole.tokens if t.start < len(expected)]
    ids = [t.token_id for t in cut.tokens]
    assert ids == [t.token_id for t in kept]
    assert [t.logprob for t in cut.tokens] == pytest.approx([t.logprob for t in kept])
    assert all(t.text == expected[t.start : t.end] for t in cut.tokens)
    stopped = stop == "</s>" or expected != HYPOTHESIS
    assert cut.special_tokens == (() if stopped else whole.special_tokens)
    if beams == 1:
        tokens = streamed(estimator, stop=stop)
        assert [(t.token_id, t.text) for t in tokens if not t.special] == [
            (t.token_id, t.text) for t in cut.tokens
        ]
        assert [t.token_id for t in tokens if t.special] == [t.token_id for t in cut.special_tokens]


def test_no_more_is_generated_than_the_stop_needs(estimator: QualityEstimator) -> None:
    steps = 0

    def count(*_: Any) -> None:
        nonlocal steps
        steps += 1

    handle = estimator.backbone.model.register_forward_hook(count)
    try:
        whole = estimator.generate(SOURCE)
        for_whole, steps = steps, 0
        estimator.generate(SOURCE, stop="Hund")
    finally:
        handle.remove()
    assert for_whole == len(whole.tokens) + len(whole.special_tokens)
    assert 2 <= steps <= 4


def test_words_that_close_the_layout_end_the_text_and_close_it(
    estimator: QualityEstimator,
) -> None:
    tiny = NAMED_PROMPTS["tiny"]
    assert isinstance(tiny, TextTemplate)
    prompt = tiny.model_copy(update={"end": " am"})
    qe = QualityEstimator(estimator.backbone, estimator.head, prompt=prompt)
    generated = qe.generate(SOURCE, signals=SIGNALS)
    assert generated.hypothesis == "Ein Hund läuft"
    scored = qe.score(SOURCE, generated.hypothesis, signals=SIGNALS)
    assert shown(generated)[0][:4] == shown(scored)[0][:4]
    for found in (generated.special_tokens, tuple(t for t in streamed(qe) if t.special)):
        assert [t.token_id for t in found] == [t.token_id for t in scored.special_tokens]
        assert [t.logprob for t in found] == pytest.approx(
            [t.logprob for t in scored.special_tokens], abs=1e-4
        )


def test_a_control_token_that_closes_the_layout_ends_the_text(estimator: QualityEstimator) -> None:
    """Also where the model's own settings do not name it."""
    qe = QualityEstimator(estimator.backbone, estimator.head, prompt=NAMED_PROMPTS["tower"])
    own = qe.backbone.model.generation_config
    kept, own.eos_token_id = own.eos_token_id, qe.backbone.tokenizer.eos_token_id
    try:
        generated = qe.generate(SOURCE, signals=SIGNALS)
        tokens = streamed(qe)
    finally:
        own.eos_token_id = kept
    assert generated.hypothesis == HYPOTHESIS
    assert [t.text for t in generated.special_tokens] == ["<|im_end|>"]
    assert [t.text for t in tokens][-1] == "<|im_end|>"


@pytest.mark.parametrize("stop", ["", ["Hund", ""], [3], [None]])
def test_stops_that_are_no_text_are_refused(estimator: QualityEstimator, stop: Any) -> None:
    with pytest.raises(ValueError, match="`stop` must be texts that are not empty"):
        estimator.generate(SOURCE, stop=stop)
    with pytest.raises(ValueError, match="`stop` must be texts that are not empty"):
        streamed(estimator, stop=stop)
