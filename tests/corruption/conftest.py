"""The bundled model, which knows enough German to be wrong in plausible ways."""

import pytest

from headwise.backbones import CausalBackbone, load_backbone
from headwise.bundled.registry import bundled_folder


@pytest.fixture(scope="session")
def tiny() -> CausalBackbone:
    backbone = load_backbone(bundled_folder("tiny-en-de"), device="cpu")
    assert isinstance(backbone, CausalBackbone)
    return backbone
