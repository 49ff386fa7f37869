"""Heads that read layers of their own: every way to a score, and no layer more than needed."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from agreement import assert_same
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Aggregation, Signal
from headwise.errors import InputError, MismatchError, WeightsError
from headwise.evaluation import Question, Resampling, Source, evaluate
from headwise.heads import (
    ErrorHead,
    SharedUnembeddingHead,
    SigmoidHead,
    copy_head,
    load_error_head,
    load_head,
    save_head,
)
from headwise.quality import scorer

SOURCE, HYPOTHESIS = PAIRS[0]


def error_head(backbone: CausalBackbone, *layers: int, **options: Any) -> ErrorHead:
    torch.manual_seed(3)
    settings = {"layer_count": 2, **options}
    head = ErrorHead(
        hidden_size=backbone.hidden_size, layers=layers, inner_size=8, rank=6, **settings
    )
    with torch.no_grad():
        head.output.weight.mul_(20.0)
    return head.requires_grad_(False)


@pytest.fixture(params=[(1,), (-2, -1), (0, 1)], ids=str)
def estimator_of_layers(
    request: pytest.FixtureRequest, parrot: CausalBackbone, head: SigmoidHead
) -> QualityEstimator:
    made = error_head(parrot, *request.param)
    return QualityEstimator(parrot, head, error_head=made, prompt=NAMED_PROMPTS["tiny"])


@pytest.mark.parametrize("signals", [("error",), ("error", "sigmoid"), ("error", "logprob")])
def test_all_ways_to_a_score_feed_a_head_its_layers(
    estimator_of_layers: QualityEstimator, signals: tuple[str, ...]
) -> None:
    qe = estimator_of_layers
    assert qe.error_head is not None
    (encoded,) = qe.backbone.encode([(SOURCE, HYPOTHESIS)], qe.prompt)
    with torch.inference_mode():
        hidden = qe.backbone.target_hidden([encoded], layers=qe.error_head.layers)
        rows = qe.backbone.unembedding.weight[torch.tensor(encoded.targets)]
        right = qe.error_head.score(hidden, rows, [len(rows)])[:, 0].tolist()
    one = qe.score(SOURCE, HYPOTHESIS, signals=signals)
    assert [t.error for t in (*one.tokens, *one.special_tokens)] == pytest.approx(right, abs=1e-5)
    assert max(right) - min(right) > 0.1
    together = list(qe.score_many(PAIRS, signals=signals))
    assert_same(together[0], one)
    for found in qe.rerank(SOURCE, [h for _, h in PAIRS], signals=signals):
        assert_same(found, qe.score(SOURCE, found.hypothesis, signals=signals))
    for found in (
        qe.generate(SOURCE, signals=signals),
        qe.generate(SOURCE, signals=signals, num_beams=2),
    ):
        assert_same(found, one)
    streamed = list(qe.stream(SOURCE, signals=signals))
    # A stream does not see the end of the text, which alone is another number
    with torch.inference_mode():
        open_ended = qe.error_head.score(hidden, rows, [len(rows)], ended=False)[:, 0].tolist()
    assert [t.error for t in streamed] == pytest.approx(open_ended, abs=1e-5)
    if "sigmoid" in signals:
        tokens = (*one.tokens, *one.special_tokens)
        assert [t.sigmoid for t in streamed] == pytest.approx([t.sigmoid for t in tokens], abs=1e-5)


def shared_head(backbone: CausalBackbone, layer: int) -> SharedUnembeddingHead:
    """A head whose g reads another layer, and says much."""
    torch.manual_seed(5)
    head = SharedUnembeddingHead(
        unembedding=backbone.unembedding,
        hidden_size=backbone.hidden_size,
        context_size=6,
        layers=(-1, layer),
        layer_count=2,
    )
    with torch.no_grad():
        head.scale.fill_(0.1)
        head.bias.fill_(-1.0)
        # Embeddings are small beside what layers leave
        head.context[0].weight.mul_(20.0 if layer == 0 else 1.0)
        torch.nn.init.normal_(head.context[-1].weight, std=2.0)
    return head.requires_grad_(False)


@pytest.mark.parametrize("signals", [("sigmoid",), ("sigmoid", "error"), ("sigmoid", "logprob")])
@pytest.mark.parametrize("layer", [0, -2])
def test_all_ways_to_a_score_feed_a_threshold_its_layer(
    parrot: CausalBackbone, layer: int, signals: tuple[str, ...], tmp_path: Path
) -> None:
    head, prompt = shared_head(parrot, layer), NAMED_PROMPTS["tiny"]
    qe = QualityEstimator(parrot, head, error_head=error_head(parrot, 1), prompt=prompt)

    def by_the_book(source: str, hypothesis: str) -> list[float]:
        (codes,) = parrot.encode([(source, hypothesis)], prompt)
        ids = torch.tensor([codes.input_ids])
        with torch.inference_mode():
            states = parrot.model(ids, output_hidden_states=True).hidden_states
            logits = parrot.model.lm_head(states[-1][0])
            scores = torch.sigmoid(0.1 * logits - 1.0 + head.context(states[layer][0]))
        places = range(len(codes.input_ids) - len(codes.targets), len(codes.input_ids))
        return [float(scores[p, t]) for p, t in zip(places, codes.targets, strict=True)]

    def sigmoids(scored: ScoredHypothesis) -> list[float | None]:
        return [token.sigmoid for token in (*scored.tokens, *scored.special_tokens)]

    right = by_the_book(SOURCE, HYPOTHESIS)
    assert max(right) - min(right) > 0.2
    assert sigmoids(qe.score(SOURCE, HYPOTHESIS, signals=signals)) == pytest.approx(right, abs=1e-5)
    hypotheses = [hypothesis for _, hypothesis in PAIRS]
    for found in (
        *qe.score_many(PAIRS, signals=signals),
        *qe.rerank(SOURCE, hypotheses, signals=signals),
        qe.generate(SOURCE, signals=signals),
        qe.generate(SOURCE, signals=signals, num_beams=2),
    ):
        assert found.source is not None
        expected = by_the_book(found.source, found.hypothesis)
        assert sigmoids(found) == pytest.approx(expected, abs=1e-5)
    streamed = [token.sigmoid for token in qe.stream(SOURCE, signals=signals)]
    assert streamed == pytest.approx(right, abs=1e-5)

    rows = []
    for source, _ in PAIRS:
        for hypothesis in hypotheses:
            *values, _ = by_the_book(source, hypothesis)
            mean = sum(values) / len(values)
            rows.append({"source": source, "hypothesis": hypothesis, "gold": mean})
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    question = Question(
        source=Source(path=str(tmp_path / "rows.jsonl")),
        gold="gold",
        signals=tuple(map(Signal, signals)),
        aggregations=(Aggregation.MEAN,),
        resampling=Resampling(resamples=2, workers=1),
    )
    (row, *_) = evaluate(question, lambda: qe).evaluation.tables[0].rows
    assert (row.signal, row.metrics[0].name) == ("sigmoid", "pearson")
    assert row.metrics[0].value == pytest.approx(1.0, abs=1e-6)


def test_neither_layers_above_nor_the_output_layer_run(parrot: CausalBackbone) -> None:
    qe = QualityEstimator(parrot, error_head=error_head(parrot, 1), prompt=NAMED_PROMPTS["tiny"])

    def refuse(*_: Any) -> None:
        raise AssertionError("more ran than was needed")

    above = parrot.layer_modules([1, -1]).values()
    handles = [module.register_forward_hook(refuse) for module in above]
    try:
        assert qe.score(SOURCE, HYPOTHESIS, signals=("error",)).score is not None
        assert len(list(qe.score_many(PAIRS, signals=("error", "omission")))) == len(PAIRS)
        assert qe.rerank(SOURCE, [h for _, h in PAIRS], signals=("error",))
        with pytest.raises(AssertionError, match="more ran"):
            qe.score(SOURCE, HYPOTHESIS, signals=("error", "logprob"))
    finally:
        for handle in handles:
            handle.remove()


def test_streams_and_batches_share_a_model(parrot: CausalBackbone) -> None:
    qe = QualityEstimator(parrot, error_head=error_head(parrot, 1), prompt=NAMED_PROMPTS["tiny"])
    alone = [list(qe.stream(source, signals=("error",))) for source, _ in PAIRS[:2]]
    scored = qe.score(SOURCE, HYPOTHESIS, signals=("error",))
    streams = [qe.stream(source, signals=("error",)) for source, _ in PAIRS[:2]]
    first = [next(stream) for stream in streams]
    with ThreadPoolExecutor(2) as pool:
        rest = [pool.submit(list, stream) for stream in streams]
        for _ in range(4):
            assert_same(qe.score(SOURCE, HYPOTHESIS, signals=("error",)), scored)
    for right, start, others in zip(alone, first, rest, strict=True):
        assert [t.error for t in right] == pytest.approx(
            [t.error for t in (start, *others.result())], abs=1e-6
        )
    assert not any(module._forward_pre_hooks for module in parrot.model.modules())


def test_a_head_on_disk_names_its_layers(parrot: CausalBackbone, tmp_path: Path) -> None:
    made = error_head(parrot, 1)
    save_head(made, tmp_path / "one")
    copy_head(tmp_path / "one", tmp_path / "two")
    config = json.loads((tmp_path / "two/error_head.json").read_text())
    assert (config["layers"], config["layer_count"]) == ([1], 2)
    loaded = load_error_head(tmp_path / "two")
    assert loaded is not None
    assert loaded.layers == (1,)
    save_head(ErrorHead(hidden_size=4), tmp_path / "last")
    assert "layers" not in json.loads((tmp_path / "last/error_head.json").read_text())
    for wrong in ({"layers": [3]}, {"layers": "1"}, {"layers": []}, {"layer_count": None}):
        (tmp_path / "two/error_head.json").write_text(json.dumps({**config, **wrong}))
        with pytest.raises(WeightsError, match="layer"):
            load_error_head(tmp_path / "two")


@pytest.mark.parametrize(
    ("layer", "options", "said"),
    [
        (1, {"layer_count": 18}, r"reads layer 1 of 18, the backbone has 2"),
        (-1, {"layer_count": 18}, r"reads the last layer of 18, the backbone has 2"),
        (1, {"layer_widths": [7]}, r"reads 7 numbers of layer 1 of 2, the backbone has 48"),
    ],
)
def test_a_head_of_another_models_layers_is_refused(
    parrot: CausalBackbone, layer: int, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(MismatchError, match=said):
        QualityEstimator(parrot, error_head=error_head(parrot, layer, **options))


def test_a_sigmoid_head_of_another_models_layers_is_refused(
    parrot: CausalBackbone, tmp_path: Path
) -> None:
    save_head(shared_head(parrot, 1), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "layer_count": 18}))
    head = load_head(tmp_path, unembedding=lambda: parrot.unembedding)
    with pytest.raises(MismatchError, match="reads layers 18 and 1 of 18, the backbone has 2"):
        QualityEstimator(parrot, head)


@pytest.mark.parametrize("kind", ["Sigmoid Head", "error head"])
def test_a_head_of_another_models_layers_is_refused_before_weights_are_read(
    parrot: CausalBackbone, tmp_path: Path, kind: str
) -> None:
    parrot.model.config.save_pretrained(tmp_path / "model")
    parrot.tokenizer.save_pretrained(tmp_path / "model")
    head = shared_head(parrot, 1) if kind == "Sigmoid Head" else error_head(parrot, 1)
    head.layer_count = 18
    save_head(head, tmp_path / "head")
    with pytest.raises(MismatchError, match=f"{kind} in .* is for a model of 18 layers, .* has 2"):
        QualityEstimator.from_pretrained(tmp_path / "model", head=tmp_path / "head")
    # One that fits comes to the weights, which are not there
    head.layer_count = 2
    save_head(head, tmp_path / "head")
    with pytest.raises(WeightsError, match="no weights in safetensors format"):
        QualityEstimator.from_pretrained(tmp_path / "model", head=tmp_path / "head")


def test_a_job_is_known_by_the_layers_that_are_read(parrot: CausalBackbone) -> None:
    contents = []
    for layers in ((1,), (0,), (-1,)):
        qe = QualityEstimator(parrot, error_head=error_head(parrot, *layers))
        contents.append(qe.scorer(("error",)).content())
        shared = shared_head(parrot, layers[0])
        contents.append(QualityEstimator(parrot, shared).scorer(("sigmoid",)).content())
    assert contents[1]["layers of the Sigmoid Head"] == [-1, 1]
    assert contents[3]["layers of the Sigmoid Head"] == [-1, 0]
    contents = contents[::2]
    assert contents[0] != contents[1]
    assert "layers of the error head" not in contents[2]


def test_windows_are_scored_side_by_side(
    parrot: CausalBackbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = error_head(parrot, 1)
    qe = QualityEstimator(parrot, error_head=head, prompt=NAMED_PROMPTS["tiny"], batch_tokens=60)
    pairs = [*PAIRS, ("", "no source"), *PAIRS, *PAIRS]
    signals, workspaces = ("error", "entropy"), set()
    real = scorer.vocabulary_statistics

    def counted(*given: Any, workspace_bytes: int, **how: Any) -> Any:
        workspaces.add((threading.current_thread().name.split("_")[0], workspace_bytes))
        return real(*given, workspace_bytes=workspace_bytes, **how)

    monkeypatch.setattr(scorer, "vocabulary_statistics", counted)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = list(qe.score_many(pairs, signals=signals, errors="yield"))
        torch.set_num_threads(2)
        with ThreadPoolExecutor(2) as pool:  # callers with threads of their own
            calls = [
                pool.submit(lambda: list(qe.score_many(pairs, signals=signals, errors="yield")))
                for _ in range(2)
            ]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    whole = qe.workspace_bytes
    assert workspaces == {("MainThread", whole), ("headwise-batch", whole // 2)}
    for call in calls:
        for found, right in zip(call.result(), alone, strict=True):
            if isinstance(right, ScoredHypothesis):
                assert isinstance(found, ScoredHypothesis)
                assert_same(found, right)
                assert [t.entropy for t in found.tokens] == pytest.approx(
                    [t.entropy for t in right.tokens], abs=1e-5
                )
            else:
                assert str(found) == str(right)
    assert isinstance(alone[len(PAIRS)], InputError)
