"""The cards of all bundled heads are what a hub can read, and say what results.md says."""

from pathlib import Path

import pytest
from huggingface_hub import ModelCard

import headwise

BUNDLED = Path(headwise.__file__).parent / "bundled"
CARDS = sorted(path.relative_to(BUNDLED) for path in BUNDLED.rglob("*.md"))
RESULTS = BUNDLED.parents[2] / "docs" / "results.md"


@pytest.mark.parametrize("name", CARDS, ids=str)
def test_a_card_has_what_a_hub_reads(name: Path) -> None:
    card = ModelCard((BUNDLED / name).read_text("utf-8"))
    data = card.data
    assert data.library_name == "headwise"
    for field in ("language", "license", "datasets", "pipeline_tag", "tags", "model_name"):
        assert data.get(field), field
    assert data.license != "other" or data.license_name
    # The bundled language model is its own base
    assert data.base_model or name.parts[0] == "tiny_en_de"
    assert data.eval_results
    for section in ("Model description", "Training data", "Evaluation"):
        assert f"\n## {section}" in card.text
    assert "\n## Uses" in card.text


@pytest.mark.skipif(not RESULTS.is_file(), reason="not beside an installed package")
@pytest.mark.parametrize("name", CARDS, ids=str)
def test_its_figures_stand_among_the_results(name: Path) -> None:
    results = RESULTS.read_text("utf-8")
    for result in ModelCard((BUNDLED / name).read_text("utf-8")).data.eval_results:
        value = result.metric_value
        assert (f"{value:.3f}" if value < 1 else f"{value:.2f}") in results, result.metric_name
