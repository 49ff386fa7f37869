"""The folder of the model whose states others give."""

from pathlib import Path

import pytest

from headwise.backbones import CausalBackbone


@pytest.fixture(scope="module")
def folder(parrot: CausalBackbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("parrot")
    parrot.model.save_pretrained(place)
    parrot.tokenizer.save_pretrained(place)
    return place
