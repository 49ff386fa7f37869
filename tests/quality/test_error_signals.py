"""The signals of an error head: every way to a score, whole texts and streams."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from agreement import assert_same, assert_same_token
from tiny_models import PAIRS
from torch import Tensor

from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS, CausalBackbone, EncodedPair, TextTemplate
from headwise.backbones.generation.written_text import (
    closing_token,
    read_positions,
    write_hypothesis,
)
from headwise.data.readers import read_scored
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.errors import MismatchError, UnknownModelError
from headwise.heads import ErrorHead, ErrorVariant, SigmoidHead, save_error_head, save_head
from headwise.quality import scorer as scoring
from headwise.quality.generation.stream_scorer import StreamScorer
from headwise.quality.job import score_file

SOURCE, HYPOTHESIS = PAIRS[0]
SIGNALS = ("error", "omission", "sigmoid", "logprob")


def made_head(backbone: CausalBackbone, variant: str, **options: Any) -> ErrorHead:
    """A random head whose answers spread over the whole range."""
    torch.manual_seed(3)
    head = ErrorHead(hidden_size=backbone.hidden_size, variant=variant, inner_size=8, **options)
    with torch.no_grad():
        head.output.weight.mul_(20.0)
    return head.requires_grad_(False)


@pytest.fixture(scope="module", params=["causal", "hindsight", "hindsight with statistics"])
def with_errors(
    request: pytest.FixtureRequest, parrot: CausalBackbone, head: SigmoidHead
) -> QualityEstimator:
    variant, *rest = request.param.split(" with ")
    made = made_head(parrot, variant, statistics=bool(rest), rank=None if rest else 6)
    return QualityEstimator(parrot, head, error_head=made, prompt=NAMED_PROMPTS["tiny"])


def by_the_book(
    qe: QualityEstimator, pair: tuple[str, str], *, ended: bool = True, closing: int = 1
) -> tuple[Tensor, Tensor]:
    """Probabilities that tokens are wrong, and that something is missing before them."""
    (encoded,) = qe.backbone.encode([pair], qe.prompt)
    assert isinstance(encoded, EncodedPair)
    assert qe.error_head is not None
    count = len(encoded.ranges) + closing
    targets = torch.tensor(encoded.targets)[:count]
    statistics = None
    with torch.inference_mode():
        hidden = qe.backbone.target_hidden([encoded])[:count]
        if qe.error_head.statistics:
            log_probs = qe.backbone.unembedding(hidden).log_softmax(-1)
            own = log_probs.gather(-1, targets.unsqueeze(-1))
            entropy = -(log_probs.exp() * log_probs).sum(-1)
            rank = (log_probs > own).sum(-1) + 1
            statistics = torch.stack([own[:, 0], entropy, rank.log()], -1)
        rows = qe.backbone.unembedding.weight[targets]
        scores = qe.error_head.score(
            hidden, rows, [len(targets)], statistics=statistics, ended=ended
        )
    return scores[:, 0], scores[:, 1]


def test_scores_by_the_book(with_errors: QualityEstimator) -> None:
    scored = with_errors.score(SOURCE, HYPOTHESIS, signals=SIGNALS)
    wrong, missing = by_the_book(with_errors, (SOURCE, HYPOTHESIS))
    count = len(scored.tokens)
    found = [t.error for t in scored.tokens + scored.special_tokens]
    assert found == pytest.approx(wrong.tolist(), abs=1e-5)
    assert max(found) - min(found) > 0.2
    # The gap after a token is the one before the next; the closing token brings the last one
    assert [t.omission for t in scored.tokens] == pytest.approx(
        missing[1 : count + 1].tolist(), abs=1e-5
    )
    assert [t.omission for t in scored.special_tokens] == [None]
    assert scored.opening_omission == pytest.approx(float(missing[0]), abs=1e-5)
    values = [float(missing[0]), *(t.omission for t in scored.tokens)]
    assert len(scored.gaps(above=0.0)) == len({*(t.start for t in scored.tokens), len(HYPOTHESIS)})
    assert max(gap.omission for gap in scored.gaps(above=0.0)) == pytest.approx(max(values))


def test_all_ways_to_a_score_agree(with_errors: QualityEstimator) -> None:
    pairs = list(itertools.product([s for s, _ in PAIRS[:2]], [h for _, h in PAIRS]))
    expected = {pair: with_errors.score(*pair, signals=SIGNALS) for pair in pairs}
    for found, one in zip(
        with_errors.score_many(pairs, signals=SIGNALS), expected.values(), strict=True
    ):
        assert isinstance(found, ScoredHypothesis)
        assert_same(found, one)
        assert found.opening_omission == pytest.approx(one.opening_omission, abs=1e-5)
    for source, _ in PAIRS[:2]:
        ranked = with_errors.rerank(source, [h for _, h in PAIRS], signals=SIGNALS)
        assert [r.score for r in ranked] == sorted(r.score for r in ranked)  # fewest errors first
        for found in ranked:
            assert_same(found, expected[source, found.hypothesis])
    for source, hypothesis in PAIRS:
        generated = with_errors.generate(source, signals=SIGNALS)
        scored = with_errors.score(source, hypothesis, signals=SIGNALS)
        assert_same(generated, scored)
        assert generated.opening_omission == pytest.approx(scored.opening_omission, abs=1e-5)


@pytest.mark.parametrize("signals", [("error",), SIGNALS])
def test_a_stream_has_the_values_of_a_text_without_its_end(
    with_errors: QualityEstimator, signals: tuple[str, ...]
) -> None:
    for source, hypothesis in PAIRS[:3]:
        wrong, missing = by_the_book(with_errors, (source, hypothesis), ended=False)
        streamed = list(with_errors.stream(source, signals=signals))
        assert [t.error for t in streamed] == pytest.approx(wrong.tolist(), abs=1e-5)
        if "omission" in signals:
            found = [t.omission for t in streamed[:-1]]
            assert found == pytest.approx(missing[1:].tolist(), abs=1e-5)
            scored = with_errors.score(source, hypothesis, signals=signals)
            plain = [t.logprob for t in scored.tokens + scored.special_tokens]
            assert [t.logprob for t in streamed] == pytest.approx(plain, abs=1e-5)
        assert streamed[-1].special
        assert streamed[-1].omission is None


@pytest.mark.parametrize(
    ("variant", "signals", "ahead"),
    [
        ("causal", ("sigmoid",), 0),
        ("causal", ("error",), 0),
        ("causal", ("error", "omission"), 1),
        ("hindsight", ("sigmoid",), 0),
        ("hindsight", ("error",), 1),
        ("hindsight", ("error", "omission"), 2),
    ],
)
def test_a_token_of_a_stream_waits_for_what_its_signals_look_at(
    parrot: CausalBackbone, head: SigmoidHead, variant: str, signals: tuple[str, ...], ahead: int
) -> None:
    made = made_head(parrot, variant)
    qe = QualityEstimator(parrot, head, error_head=made, prompt=NAMED_PROMPTS["tiny"])
    (encoded,) = parrot.encode([(SOURCE, HYPOTHESIS)], qe.prompt)
    assert isinstance(encoded, EncodedPair)
    hidden = parrot.target_hidden([encoded])
    scorer, plain = (StreamScorer(qe.scorer(names)) for names in (signals, ("sigmoid",)))
    seen, placed = [], []
    for arrived, (token_id, state) in enumerate(zip(encoded.targets, hidden, strict=True), 1):
        seen += list(scorer.push(token_id, state))
        placed += list(plain.push(token_id, state))
        # A token has its place when its characters are known, which may take longer
        assert len(seen) == min(len(placed), max(0, arrived - ahead))
    assert len(placed) - len(seen) == ahead
    seen += list(scorer.finish())
    assert [t.text for t in seen] == [t.text for t in placed]


def test_a_text_that_nothing_closes_does_not_know_its_last_gap(parrot: CausalBackbone) -> None:
    qe = QualityEstimator(
        parrot, error_head=made_head(parrot, "hindsight"), prompt=NAMED_PROMPTS["raw"]
    )
    scored = qe.score(None, HYPOTHESIS, signals=("error", "omission"))
    assert scored.special_tokens == ()
    assert scored.tokens[-1].omission is None
    assert all(token.omission is not None for token in scored.tokens[:-1])
    assert scored.aggregate("noisy_or", signal="omission") is not None


# As `tiny`, but that nothing closes a text
OPEN = TextTemplate(prompt="{bos} {source}<|target|>", completion=" {hypothesis}")


@pytest.mark.parametrize("way", [{}, {"num_beams": 3, "length_penalty": 0.6}], ids=str)
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0])
@pytest.mark.parametrize(
    ("prompt", "scored_closing", "generated_closing"),
    [(NAMED_PROMPTS["tiny"], 1, 1), (NAMED_PROMPTS["tower"], 2, 1), (OPEN, 0, 1)],
    ids=["one closing token", "two closing tokens", "no closing token"],
)
def test_layouts_with_other_ends_are_read_alike(
    with_errors: QualityEstimator,
    prompt: Any,
    scored_closing: int,
    generated_closing: int,
    pair: tuple[str, str],
    way: dict[str, Any],
) -> None:
    qe = QualityEstimator(
        with_errors.backbone, with_errors.head, error_head=with_errors.error_head, prompt=prompt
    )
    scored = qe.score(*pair, signals=SIGNALS)
    wrong, _ = by_the_book(qe, pair, closing=min(1, scored_closing))
    read = len(scored.tokens) + min(1, scored_closing)
    found = [t.error for t in scored.tokens + scored.special_tokens]
    assert found[:read] == pytest.approx(wrong.tolist(), abs=1e-5)
    assert found[read:] == [None] * (scored_closing - 1)
    assert (scored.tokens[-1].omission is None) is (scored_closing == 0)
    assert all(t.omission is None for t in scored.special_tokens)
    generated = qe.generate(pair[0], signals=SIGNALS, **way)
    assert generated.hypothesis == pair[1]
    assert len(generated.special_tokens) == generated_closing
    for a, b in zip(generated.tokens, scored.tokens, strict=True):
        assert_same_token(a, b)
    for a, b in zip(generated.special_tokens, scored.special_tokens, strict=False):
        assert_same_token(a, b)
    if not scored_closing:
        assert [t.error for t in generated.special_tokens] == [None]
    assert generated.opening_omission == pytest.approx(scored.opening_omission, abs=1e-5)


@pytest.mark.parametrize("prompt", ["tiny", "tower"])
def test_a_text_that_was_cut_has_no_end_to_look_at(
    with_errors: QualityEstimator, prompt: str
) -> None:
    qe = QualityEstimator(
        with_errors.backbone,
        with_errors.head,
        error_head=with_errors.error_head,
        prompt=NAMED_PROMPTS[prompt],
    )
    cut = qe.generate(SOURCE, signals=SIGNALS, max_new_tokens=2)
    assert cut.special_tokens == ()
    wrong, missing = by_the_book(qe, (SOURCE, cut.hypothesis), ended=False, closing=0)
    assert [t.error for t in cut.tokens] == pytest.approx(wrong.tolist(), abs=1e-5)
    assert cut.tokens[0].omission == pytest.approx(float(missing[1]), abs=1e-5)
    assert cut.tokens[1].omission is None


def test_where_no_layout_closes_texts_a_cut_one_is_read_as_it_is_scored(
    with_errors: QualityEstimator,
) -> None:
    qe = QualityEstimator(
        with_errors.backbone, with_errors.head, error_head=with_errors.error_head, prompt=OPEN
    )
    cut = qe.generate(SOURCE, signals=SIGNALS, max_new_tokens=2)
    assert_same(cut, qe.score(SOURCE, cut.hypothesis, signals=SIGNALS))


def test_white_space_after_the_text_is_no_part_of_it(parrot: CausalBackbone) -> None:
    text = [*parrot.tokenizer("Ein Hund", add_special_tokens=False)["input_ids"]]
    spaces = parrot.tokenizer("\n", add_special_tokens=False)["input_ids"]
    end = parrot.tokenizer.eos_token_id
    written = write_hypothesis(parrot, [*text, *spaces, end, end])
    count = len(text)
    assert closing_token(parrot, SOURCE, NAMED_PROMPTS["tiny"]) == end
    assert read_positions(parrot, written, end) == ((*range(count), count + len(spaces)), True)
    assert read_positions(parrot, written, None) == (tuple(range(count)), True)
    cut = write_hypothesis(parrot, [*text, *spaces])
    assert read_positions(parrot, cut, end) == (tuple(range(count)), False)


def test_a_layout_that_no_special_token_closes(parrot: CausalBackbone) -> None:
    prompt = OPEN.model_copy(update={"end": "\n"})
    (line_feed,) = parrot.tokenizer("\n", add_special_tokens=False)["input_ids"]
    assert closing_token(parrot, SOURCE, prompt) == line_feed
    ids = [*parrot.tokenizer("Ein Hund", add_special_tokens=False)["input_ids"], line_feed]
    written = write_hypothesis(parrot, ids)
    assert read_positions(parrot, written, line_feed) == (tuple(range(len(ids))), True)


@pytest.mark.parametrize(
    ("prompt", "read"), [(NAMED_PROMPTS["tower"], 1), (OPEN, 0)], ids=["tower", "open"]
)
def test_streams_read_the_closing_token_that_texts_have(
    with_errors: QualityEstimator, prompt: Any, read: int
) -> None:
    qe = QualityEstimator(
        with_errors.backbone, with_errors.head, error_head=with_errors.error_head, prompt=prompt
    )
    wrong, missing = by_the_book(qe, PAIRS[0], ended=False, closing=read)
    streamed = list(qe.stream(SOURCE, signals=SIGNALS))
    assert streamed[-1].special
    count = len(wrong)
    assert [t.error for t in streamed[:count]] == pytest.approx(wrong.tolist(), abs=1e-5)
    assert [t.error for t in streamed[count:]] == [None] * (1 - read)
    known = len(missing) - 1
    assert [t.omission for t in streamed[:known]] == pytest.approx(missing[1:].tolist(), abs=1e-5)
    assert all(t.omission is None for t in streamed[known:])


@pytest.mark.parametrize("variant", ErrorVariant)
def test_nothing_vocabulary_wide_runs_for_errors_alone(
    parrot: CausalBackbone, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("vocabulary-wide work was done")

    def of(statistics: bool) -> QualityEstimator:
        made = made_head(parrot, variant, statistics=statistics)
        return QualityEstimator(parrot, error_head=made, prompt=NAMED_PROMPTS["tiny"])

    assert parrot.unembedding is not None  # compared with the model's logits once, by a probe
    monkeypatch.setattr(scoring, "vocabulary_statistics", refuse)
    handle = parrot.model.get_output_embeddings().register_forward_pre_hook(refuse)
    try:
        one = of(False)
        assert one.score(SOURCE, HYPOTHESIS, signals=("error", "omission")).score is not None
        assert one.rerank(SOURCE, [h for _, h in PAIRS])
        with pytest.raises(AssertionError, match="vocabulary-wide"):
            of(True).score(SOURCE, HYPOTHESIS, signals=("error",))
    finally:
        handle.remove()


def test_a_candidate_of_which_nothing_is_known_comes_last(parrot: CausalBackbone) -> None:
    qe = QualityEstimator(
        parrot, error_head=made_head(parrot, "hindsight"), prompt=NAMED_PROMPTS["raw"]
    )
    texts = ["a", HYPOTHESIS]
    ranked = qe.rerank(None, texts, signals=("omission",))
    assert ranked[1].score is None
    assert [one.hypothesis for one in ranked] == [HYPOTHESIS, "a"]
    # A text that surely lacks something is known to
    with torch.no_grad():
        qe.error_head.output.bias.fill_(100.0)
    ranked = qe.rerank(None, texts, signals=("omission",))
    assert [one.score for one in ranked] == [1.0, None]


@pytest.mark.parametrize("statistics", [False, True])
def test_a_stream_looks_at_the_vocabulary_once_a_token(
    parrot: CausalBackbone, statistics: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    plain = scoring.vocabulary_statistics

    def counted(hidden: Tensor, *arguments: Any, **options: Any) -> Any:
        seen.append(len(hidden))
        return plain(hidden, *arguments, **options)

    monkeypatch.setattr(scoring, "vocabulary_statistics", counted)
    made = made_head(parrot, "hindsight", statistics=statistics)
    qe = QualityEstimator(parrot, error_head=made, prompt=NAMED_PROMPTS["tiny"])
    tokens = list(qe.stream(SOURCE, signals=("error", "omission", "softmax"), alternatives=2))
    assert len(seen) == len(tokens)
    assert set(seen) == {1}
    assert all(len(token.alternatives or ()) == 2 for token in tokens)


def test_what_was_not_asked_for_is_none(with_errors: QualityEstimator) -> None:
    errors = with_errors.score(SOURCE, HYPOTHESIS, signals=("error",))
    assert errors.tokens[0].as_dict().keys() == {"error"}
    assert errors.opening_omission is None
    gaps = with_errors.score(SOURCE, HYPOTHESIS, signals=("omission",))
    assert gaps.tokens[0].as_dict().keys() == {"omission"}


def test_the_default_is_the_best_that_there_is(parrot: CausalBackbone, head: SigmoidHead) -> None:
    made = made_head(parrot, "causal")

    def default(*heads: Any) -> Signal:
        sigmoid, error = heads
        return QualityEstimator(parrot, sigmoid, error_head=error).default_signal

    assert default(None, None) is Signal.SOFTMAX
    assert default(head, None) is Signal.SIGMOID
    assert default(head, made) is Signal.ERROR
    assert default(None, made) is Signal.ERROR


def test_errors_need_an_error_head(estimator: QualityEstimator, parrot: CausalBackbone) -> None:
    for signal in ("error", "omission"):
        with pytest.raises(ValueError, match=f"'{signal}' needs an error head.*'sigmoid', 'soft"):
            estimator.score(SOURCE, HYPOTHESIS, signals=(signal,))
    with pytest.raises(MismatchError, match="hidden size 7"):
        QualityEstimator(parrot, error_head=ErrorHead(hidden_size=7))


def test_a_head_in_training_scores_as_it_will(parrot: CausalBackbone) -> None:
    made = made_head(parrot, "hindsight", dropout=0.5).train()
    qe = QualityEstimator(parrot, error_head=made, prompt=NAMED_PROMPTS["tiny"])
    first, second = (qe.score(SOURCE, HYPOTHESIS) for _ in range(2))
    assert first == second


def test_folders_with_both_heads_or_one(
    with_errors: QualityEstimator, tmp_path: Path, parrot: CausalBackbone
) -> None:
    model, both, alone = tmp_path / "model", tmp_path / "both", tmp_path / "alone"
    parrot.model.save_pretrained(model)
    parrot.tokenizer.save_pretrained(model)
    known = {"prompt": with_errors.prompt.model_dump(), "backbone": str(model)}
    assert with_errors.head is not None
    assert with_errors.error_head is not None
    save_head(with_errors.head, both, **known)
    for folder in (both, alone):
        save_error_head(with_errors.error_head, folder, **known)
    expected = with_errors.score(SOURCE, HYPOTHESIS, signals=SIGNALS)
    assert_same(
        QualityEstimator.from_pretrained(model, both).score(SOURCE, HYPOTHESIS, signals=SIGNALS),
        expected,
    )
    one = QualityEstimator.from_pretrained(alone)
    assert one.head is None
    assert one.default_signal is Signal.ERROR
    assert one.prompt == with_errors.prompt
    found = [t.error for t in one.score(SOURCE, HYPOTHESIS).tokens]
    assert found == pytest.approx([t.error for t in expected.tokens], abs=1e-5)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UnknownModelError, match="neither a model nor a head"):
        QualityEstimator.from_pretrained(model, tmp_path / "nothing")


@pytest.mark.parametrize("level", ["sentence", "word", "token"])
def test_files_of_scores_hold_gaps(
    with_errors: QualityEstimator, tmp_path: Path, level: Any
) -> None:
    source = tmp_path / "pairs.tsv"
    source.write_text("A dog.\tEin Hund.\nThe cat.\tDie Katze.\n", encoding="utf-8")
    for suffix in ("jsonl", "tsv", "parquet"):
        output = tmp_path / f"scored.{suffix}"
        done = score_file(
            with_errors, source, output, model="parrot", level=level, signals=["error", "omission"]
        )
        assert (done.written, done.rejected) == (2, 0)
    header = (tmp_path / "scored.tsv").read_text("utf-8").splitlines()[0].split("\t")
    assert {"score", "omission", "opening_omission"} <= set(header)
    if level == "token":
        (first, _) = read_scored(tmp_path / "scored.jsonl")
        # In the job's own batch: another one rounds differently
        pairs = [("A dog.", "Ein Hund."), ("The cat.", "Die Katze.")]
        expected = next(with_errors.score_many(pairs, signals=["error", "omission"]))
        assert_same(first, expected)
        assert first.opening_omission == expected.opening_omission
