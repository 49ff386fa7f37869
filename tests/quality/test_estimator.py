import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from agreement import ALL_SIGNALS, assert_own_texts, assert_same
from tiny_models import PAIRS, UNSEEN
from transformers import LlamaConfig, LlamaForCausalLM

from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.errors import (
    ContextLengthError,
    InputError,
    TextError,
)
from headwise.heads import RescalingHead, SigmoidHead
from headwise.quality import scorer

SOURCE, HYPOTHESIS = PAIRS[0]


def with_small_batches(estimator: QualityEstimator) -> QualityEstimator:
    """The same parts; 48 tokens a batch, 48 pairs a window."""
    return QualityEstimator(
        estimator.backbone, estimator.head, prompt=estimator.prompt, batch_tokens=48
    )


def test_a_score_by_the_book(estimator: QualityEstimator) -> None:
    """One pair through the plain model: the whole matrix, no shortcuts."""
    scored = estimator.score(SOURCE, HYPOTHESIS, signals=ALL_SIGNALS)
    tokenizer, model = estimator.backbone.tokenizer, estimator.backbone.model
    text = f"<s> {SOURCE}<|target|> {HYPOTHESIS}</s>"
    ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
    target = tokenizer.convert_tokens_to_ids("<|target|>")
    first = ids[0].tolist().index(target) + 1
    with torch.inference_mode():
        output = model(ids, output_hidden_states=True)
    hidden, logits = output.hidden_states[-1][0, first - 1 : -1], output.logits[0, first - 1 : -1]
    wanted = ids[0, first:].unsqueeze(-1)
    log_probs = logits.log_softmax(-1)
    own = log_probs.gather(-1, wanted)
    expected = {
        "sigmoid": torch.sigmoid(hidden @ estimator.head.weight.T).gather(-1, wanted)[:, 0],
        "softmax": own.exp()[:, 0],
        "logprob": own[:, 0],
        "entropy": -(log_probs.exp() * log_probs).sum(-1),
        "rank": (log_probs > own).sum(-1) + 1,
    }
    tokens = scored.tokens + scored.special_tokens
    assert [t.token_id for t in tokens] == wanted[:, 0].tolist()
    for name, values in expected.items():
        found = torch.tensor([getattr(t, name) for t in tokens])
        torch.testing.assert_close(found, values, rtol=1e-5, atol=1e-5, check_dtype=False)
    assert all(t.boosted >= t.softmax - 1e-6 for t in tokens)
    assert scored.score == pytest.approx(float(expected["sigmoid"][:-1].mean()), abs=1e-6)
    assert [t.text for t in scored.special_tokens] == ["</s>"]


def test_all_ways_to_a_score_agree(estimator: QualityEstimator) -> None:
    expected = {
        pair: estimator.score(*pair, signals=ALL_SIGNALS)
        for pair in itertools.product([s for s, _ in PAIRS[:3]], [h for _, h in PAIRS])
    }
    many = estimator.score_many(list(expected), signals=ALL_SIGNALS)
    for found, one in zip(many, expected.values(), strict=True):
        assert isinstance(found, ScoredHypothesis)
        assert_same(found, one)
    for source, _ in PAIRS[:3]:
        ranked = estimator.rerank(source, [h for _, h in PAIRS], signals=ALL_SIGNALS)
        assert [r.score for r in ranked] == sorted((r.score for r in ranked), reverse=True)
        for found in ranked:
            assert_same(found, expected[source, found.hypothesis])


def test_extra_columns_are_handed_through(estimator: QualityEstimator) -> None:
    pairs = [Pair(SOURCE, HYPOTHESIS, line=7, extra={"id": "a"}), Pair(SOURCE, HYPOTHESIS)]
    first, second = estimator.score_many(pairs)
    assert isinstance(first, ScoredHypothesis)
    assert isinstance(second, ScoredHypothesis)
    assert (first.extra, second.extra) == ({"id": "a"}, None)


def test_order_is_kept_over_lengths_batches_and_windows(estimator: QualityEstimator) -> None:
    words = " ".join(h for _, h in PAIRS).split()
    generator = random.Random(0)
    pairs = [
        (generator.choice(PAIRS)[0], " ".join(generator.choices(words, k=length)))
        for length in [1, 40, 2, 30, 3, 20, 4, 10] * 8  # more than one window of 48
    ]
    found = list(with_small_batches(estimator).score_many(pairs, signals=("sigmoid", "logprob")))
    assert [(f.source, f.hypothesis) for f in found if isinstance(f, ScoredHypothesis)] == pairs
    for index in (0, 1, 46, 47, 48, 49, 63):
        one = estimator.score(*pairs[index], signals=("sigmoid", "logprob"))
        assert_same(found[index], one)


def test_pairs_are_read_as_they_are_needed(estimator: QualityEstimator) -> None:
    small = with_small_batches(estimator)
    read = 0

    def endless() -> Iterator[tuple[str, str]]:
        nonlocal read
        for pair in itertools.cycle(PAIRS):
            read += 1
            yield pair

    results = small.score_many(endless())
    assert read == 0
    assert [r.hypothesis for r in itertools.islice(results, 3)] == [h for _, h in PAIRS[:3]]
    assert read <= small.batch_tokens
    assert len(list(itertools.islice(results, 100))) == 100
    assert read <= 103 + small.batch_tokens


BAD: list[tuple[Any, Any, type[InputError], str]] = [
    ("", "Ein Hund.", TextError, "The source is empty"),
    (None, "Ein Hund.", TextError, "The source must be text, got NoneType"),
    ("A dog.", "", TextError, "The hypothesis is empty"),
    ("A dog.", " \n", TextError, "The hypothesis is empty"),
    ("A dog.", 3, TextError, "The hypothesis must be text, got int"),
    ("A dog.", "Ein\udce4", TextError, r"lone surrogate \(U\+DCE4 at character 3\)"),
    ("A</s> dog.", "Ein Hund.", TextError, "control token '</s>' at character 1"),
    ("A dog.", "Ein<|im_end|>", TextError, "control token '<|im_end|>'".replace("|", r"\|")),
    ("A dog. " * 300, "Ein Hund.", ContextLengthError, "but the model reads 512 at most"),
]


def test_errors_stand_in_the_place_of_their_pairs(estimator: QualityEstimator) -> None:
    pairs: list[Any] = []
    for source, hypothesis, _, _ in BAD:
        pairs += [(SOURCE, HYPOTHESIS), (source, hypothesis)]
    results = list(estimator.score_many(pairs, errors="yield"))
    assert len(results) == len(pairs)
    expected = estimator.score(SOURCE, HYPOTHESIS)
    for good, bad, (*_, kind, message) in zip(results[::2], results[1::2], BAD, strict=True):
        assert isinstance(good, ScoredHypothesis)
        assert_same(good, expected)
        assert isinstance(bad, kind)
        with pytest.raises(kind, match=message):
            raise bad


@pytest.mark.parametrize(("source", "hypothesis", "kind", "message"), BAD)
def test_a_bad_pair_raises(
    estimator: QualityEstimator, source: Any, hypothesis: Any, kind: type[InputError], message: str
) -> None:
    with pytest.raises(kind, match=message):
        estimator.score(source, hypothesis)
    with pytest.raises(kind, match=message):
        estimator.rerank(source, [HYPOTHESIS, hypothesis])
    results = estimator.score_many([(SOURCE, HYPOTHESIS), (source, hypothesis), (SOURCE, "x")])
    assert isinstance(next(results), ScoredHypothesis)
    with pytest.raises(kind, match=message):
        next(results)


def test_wrong_use_is_refused_at_once(estimator: QualityEstimator) -> None:
    with pytest.raises(ValueError, match="`errors` must be 'raise' or 'yield', got 'skip'"):
        estimator.score_many([], errors="skip")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"'perplexity'.*choose from sigmoid, softmax"):
        estimator.score_many([], signals=("perplexity",))
    with pytest.raises(ValueError, match="No signal was asked for"):
        estimator.score(SOURCE, HYPOTHESIS, signals=())
    with pytest.raises(ValueError, match="`alternatives` must lie in"):
        estimator.score(SOURCE, HYPOTHESIS, alternatives=-1)
    with pytest.raises(ValueError, match="`alternatives` must lie in"):
        estimator.score(SOURCE, HYPOTHESIS, alternatives=10**6)
    with pytest.raises(TextError, match="must be a list of texts"):
        estimator.rerank(SOURCE, HYPOTHESIS)
    assert estimator.rerank(SOURCE, []) == []
    assert list(estimator.score_many([])) == []


@pytest.mark.parametrize("signal", ALL_SIGNALS)
def test_what_was_not_asked_for_is_none(estimator: QualityEstimator, signal: str) -> None:
    scored = estimator.score(SOURCE, HYPOTHESIS, signals=(signal,))
    everything = estimator.score(SOURCE, HYPOTHESIS, signals=ALL_SIGNALS)
    for token, full in zip(scored.tokens, everything.tokens, strict=True):
        assert token.as_dict().keys() == {signal}
        assert getattr(token, signal) == pytest.approx(getattr(full, signal), abs=1e-6)
        assert token.alternatives is None
    assert [s.value for s in scored.signals] == [signal]


def test_nothing_vocabulary_wide_runs_for_the_sigmoid_alone(
    estimator: QualityEstimator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("vocabulary-wide work was done")

    monkeypatch.setattr(scorer, "vocabulary_statistics", refuse)
    handle = estimator.backbone.model.get_output_embeddings().register_forward_pre_hook(refuse)
    try:
        assert estimator.score(*PAIRS[0]).score is not None
        assert len(list(estimator.score_many(PAIRS))) == len(PAIRS)
        assert estimator.rerank(SOURCE, [h for _, h in PAIRS])
        with pytest.raises(AssertionError, match="vocabulary-wide"):
            estimator.score(*PAIRS[0], signals=("rank",))
    finally:
        handle.remove()


def test_alternatives_are_the_models_own_choices(estimator: QualityEstimator) -> None:
    scored = estimator.score(SOURCE, HYPOTHESIS, alternatives=3)
    assert scored.tokens[0].as_dict().keys() == {"sigmoid"}
    for token in scored.tokens + scored.special_tokens:
        assert token.alternatives is not None
        shares = [a.probability for a in token.alternatives]
        assert len(shares) == 3
        assert shares == sorted(shares, reverse=True)
    # The sentence is known by heart: the first choice is what stands there
    firsts = [t.alternatives[0].text for t in scored.tokens if t.alternatives]
    assert "".join(firsts).strip() == HYPOTHESIS


def test_a_small_workspace_changes_nothing(estimator: QualityEstimator) -> None:
    small = QualityEstimator(
        estimator.backbone, estimator.head, prompt=estimator.prompt, workspace_bytes=40_000
    )
    assert_same(
        small.score(SOURCE, HYPOTHESIS, signals=ALL_SIGNALS),
        estimator.score(SOURCE, HYPOTHESIS, signals=ALL_SIGNALS),
    )


def test_without_a_head_there_is_softmax_and_no_sigmoid(parrot: CausalBackbone) -> None:
    bare = QualityEstimator(parrot, prompt=NAMED_PROMPTS["tiny"])
    scored = bare.score(SOURCE, HYPOTHESIS)
    assert [s.value for s in scored.signals] == ["softmax"]
    assert scored.score is not None
    assert scored.score > 0.5
    for use in (
        lambda: bare.score(SOURCE, HYPOTHESIS, signals=("softmax", "sigmoid")),
        lambda: bare.score_many([], signals=("sigmoid",)),
        lambda: bare.generate(SOURCE, signals=("sigmoid",)),
    ):
        with pytest.raises(ValueError, match="'sigmoid' needs a head and none is loaded"):
            use()


def test_rescaling_head(parrot: CausalBackbone) -> None:
    head = RescalingHead(unembedding=parrot.unembedding).requires_grad_(False)
    head.scale.fill_(0.5)
    head.bias.fill_(-1.0)
    qe = QualityEstimator(parrot, head, prompt=NAMED_PROMPTS["tiny"])
    scored = qe.score(SOURCE, HYPOTHESIS)
    (encoded,) = parrot.encode([(SOURCE, HYPOTHESIS)], qe.prompt)
    assert not isinstance(encoded, InputError)
    with torch.inference_mode():
        logits = parrot.unembedding(parrot.target_hidden([encoded]))
    expected = torch.sigmoid(0.5 * logits - 1.0)[range(len(encoded.targets)), encoded.targets]
    found = [t.sigmoid for t in scored.tokens + scored.special_tokens]
    assert found == pytest.approx(expected.tolist(), abs=1e-6)


def test_odd_texts_are_scored_too(estimator: QualityEstimator) -> None:
    for text in UNSEEN:
        scored = estimator.score(text, text, signals=("sigmoid", "boosted"))
        assert all(0.0 <= t.sigmoid <= 1.0 for t in scored.tokens)
        assert_own_texts(scored.tokens, text)


def test_bfloat16_backbone(estimator: QualityEstimator) -> None:
    model = LlamaForCausalLM(estimator.backbone.model.config)
    model.load_state_dict(estimator.backbone.model.state_dict())
    backbone = CausalBackbone(model.bfloat16(), estimator.backbone.tokenizer)
    qe = QualityEstimator(backbone, estimator.head, prompt=estimator.prompt)
    found = qe.score(SOURCE, HYPOTHESIS, signals=ALL_SIGNALS)
    expected = estimator.score(SOURCE, HYPOTHESIS, signals=ALL_SIGNALS)
    for a, b in zip(found.tokens, expected.tokens, strict=True):
        assert a.sigmoid == pytest.approx(b.sigmoid, abs=0.05)
        assert a.softmax == pytest.approx(b.softmax, abs=0.1)


def test_rerank_sorts_by_the_main_signal_in_its_own_direction(estimator: QualityEstimator) -> None:
    hypotheses = [h for _, h in PAIRS]
    for signal, best_first in (("softmax", True), ("entropy", False), ("rank", False)):
        values = [r.score for r in estimator.rerank(SOURCE, hypotheses, signals=(signal,))]
        assert values == sorted(values, reverse=best_first)
        assert estimator.rerank(SOURCE, hypotheses, signals=(signal,))[0].hypothesis == HYPOTHESIS
    worst = [r.aggregate("min") for r in estimator.rerank(SOURCE, hypotheses, by="min")]
    assert worst == sorted(worst, reverse=True)
    twice = estimator.rerank(SOURCE, [HYPOTHESIS, "Ein Hund.", HYPOTHESIS])
    assert [r.hypothesis for r in twice].count(HYPOTHESIS) == 2
    with pytest.raises(ValueError, match="`how` must be one of"):
        estimator.rerank(SOURCE, hypotheses, by="best")


def test_rerank_of_more_candidates_than_one_batch_holds(estimator: QualityEstimator) -> None:
    hypotheses = [f"{PAIRS[i % 6][1]} {'Tee ' * (i % 5)}{i}" for i in range(40)]
    ranked = estimator.rerank(SOURCE, hypotheses)
    assert sorted(r.hypothesis for r in ranked) == sorted(hypotheses)
    for found in (ranked[0], ranked[-1]):
        assert_same(found, estimator.score(SOURCE, found.hypothesis))


def test_text_without_a_source(parrot: CausalBackbone, head: SigmoidHead) -> None:
    qe = QualityEstimator(parrot, head, prompt=NAMED_PROMPTS["raw"])
    scored = qe.score(None, HYPOTHESIS, signals=ALL_SIGNALS)
    assert scored.source is None
    assert scored.special_tokens == ()
    assert "source" not in scored.as_dict()
    (many,) = qe.score_many([(None, HYPOTHESIS)], signals=ALL_SIGNALS)
    (ranked,) = qe.rerank(None, [HYPOTHESIS], signals=ALL_SIGNALS)
    assert isinstance(many, ScoredHypothesis)
    assert_same(many, scored)
    assert_same(ranked, scored)  # the prompt is one token: there is nothing to share


def test_the_context_is_used_to_its_end(tokenizer_of: Callable[[str], Any]) -> None:
    tokenizer = tokenizer_of("byte-level")
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=20,
    )
    qe = QualityEstimator(
        CausalBackbone(LlamaForCausalLM(config), tokenizer), prompt=NAMED_PROMPTS["raw"]
    )
    assert len(qe.score(None, "x" * 19).tokens) == 19  # and the start token
    with pytest.raises(ContextLengthError, match="take 21 tokens, but the model reads 20"):
        qe.score(None, "x" * 20)
    assert len(qe.generate("", max_new_tokens=3).tokens) <= 3
