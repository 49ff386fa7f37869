from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from headwise.training.loop.card_data import front_matter, hub_id
from headwise.training.loop.run_file import TrainingRun


def test_a_hub_reads_what_is_written_whatever_files_are_called() -> None:
    dev = ["folder/a: 'b' # c.tsv", 'other/"d".tsv']
    text = front_matter(
        TrainingRun(backbone="owner/model"),
        name="a head",
        task="token-classification",
        tags=["one"],
        dev=dev,
        figures={"roc_auc": 0.123456, "f1": None},
    )
    card = ModelCard(text + "# A head\n")
    assert card.data.base_model == "owner/model"
    (result,) = card.data.eval_results
    assert (result.metric_type, result.metric_value) == ("roc_auc", 0.1235)
    assert result.dataset_name == "a: 'b' # c.tsv, \"d\".tsv"
    assert card.text.strip() == "# A head"


def test_only_ids_of_the_hub_are_said_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my/model").mkdir(parents=True)
    for name in (None, "tiny-en-de", "my/model", str(tmp_path), "owner/name/file.gguf"):
        assert hub_id(name) is None
    assert hub_id("owner/name") == "owner/name"
    assert hub_id("gemma-3-270m") == "google/gemma-3-270m"
    assert hub_id("all-MiniLM-L6-v2") == "sentence-transformers/all-MiniLM-L6-v2"
