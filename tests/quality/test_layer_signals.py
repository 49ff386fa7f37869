"""Heads that read layers of their own: every way to a score, and no layer more than needed."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from agreement import assert_same
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.errors import MismatchError, WeightsError
from headwise.heads import ErrorHead, SigmoidHead, copy_head, load_error_head, save_head

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
    ("options", "said"),
    [
        ({"layer_count": 18}, r"reads layer 1 of 18, the backbone has 2"),
        ({"layer_widths": [7]}, r"reads 7 numbers of layer 1 of 2, the backbone has 48"),
    ],
)
def test_a_head_of_another_models_layers_is_refused(
    parrot: CausalBackbone, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(MismatchError, match=said):
        QualityEstimator(parrot, error_head=error_head(parrot, 1, **options))


def test_a_job_is_known_by_the_layers_that_are_read(parrot: CausalBackbone) -> None:
    contents = []
    for layers in ((1,), (0,), (-1,)):
        qe = QualityEstimator(parrot, error_head=error_head(parrot, *layers))
        contents.append(qe.scorer(("error",)).content())
    assert contents[0] != contents[1]
    assert "layers of the error head" not in contents[2]
