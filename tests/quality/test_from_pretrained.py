"""Putting an estimator together from folders, and what does not belong together."""

from pathlib import Path
from typing import Any

import pytest
import torch
from agreement import ALL_SIGNALS, assert_same
from tiny_models import PAIRS
from transformers import LlamaForCausalLM

from headwise import QualityEstimator
from headwise.backbones import CausalBackbone, SequenceTemplate
from headwise.errors import (
    MismatchError,
    PromptError,
    UnknownModelError,
    UnsupportedModelError,
)
from headwise.heads import SigmoidHead, save_head

SOURCE, HYPOTHESIS = PAIRS[0]


@pytest.fixture(scope="module")
def folders(estimator: QualityEstimator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder with its head in ``head/``."""
    folder = tmp_path_factory.mktemp("model")
    estimator.backbone.model.save_pretrained(folder)
    estimator.backbone.tokenizer.save_pretrained(folder)
    save_head(
        estimator.head,
        folder / "head",
        prompt=estimator.prompt.model_dump(),
        backbone=str(folder),
    )
    return folder


def test_from_pretrained_takes_folders(estimator: QualityEstimator, folders: Path) -> None:
    expected = estimator.score(SOURCE, HYPOTHESIS, signals=ALL_SIGNALS)
    for loaded in (
        QualityEstimator.from_pretrained(folders, head=folders / "head"),
        QualityEstimator.from_pretrained(folders / "head"),  # it knows its backbone
    ):
        assert loaded.prompt == estimator.prompt
        assert loaded.backbone.dtype == torch.float32
        assert_same(loaded.score(SOURCE, HYPOTHESIS, signals=ALL_SIGNALS), expected)
    bare = QualityEstimator.from_pretrained(str(folders), prompt="tiny")
    assert bare.head is None


def test_from_pretrained_takes_heads_of_all_types(
    every_estimator: QualityEstimator, folders: Path, tmp_path: Path
) -> None:
    assert every_estimator.head is not None
    head = save_head(
        every_estimator.head,
        tmp_path,
        prompt=every_estimator.prompt.model_dump(),
        backbone=str(folders),
    )
    loaded = QualityEstimator.from_pretrained(head)
    assert type(loaded.head) is type(every_estimator.head)
    expected = every_estimator.score(SOURCE, HYPOTHESIS, signals=ALL_SIGNALS)
    assert_same(loaded.score(SOURCE, HYPOTHESIS, signals=ALL_SIGNALS), expected)


def test_from_pretrained_binds_prompt_variables(folders: Path) -> None:
    def bound(**variables: str) -> QualityEstimator:
        return QualityEstimator.from_pretrained(
            folders, head=folders / "head", prompt="tower", prompt_variables=variables
        )

    assert bound(target_language="Dutch").prompt.variables == {
        "source_language": "English",
        "target_language": "Dutch",
    }
    with pytest.raises(PromptError, match="has no variable language"):
        bound(language="Dutch")


def test_what_does_not_belong_together_is_refused(
    parrot: CausalBackbone, folders: Path, tmp_path: Path
) -> None:
    other = SigmoidHead(vocabulary_size=parrot.vocabulary_size, hidden_size=7)
    with pytest.raises(MismatchError, match="load the backbone that the head was trained on"):
        QualityEstimator(parrot, other)
    with pytest.raises(MismatchError):
        QualityEstimator.from_pretrained(folders, head=save_head(other, tmp_path / "head"))
    with pytest.raises(PromptError, match="for encoder-decoder models"):
        QualityEstimator(parrot, prompt=SequenceTemplate())
    with pytest.raises(UnknownModelError, match="neither bundled nor a folder"):
        QualityEstimator.from_pretrained("no-such-model")
    with pytest.raises(UnknownModelError):
        QualityEstimator.from_pretrained(folders, head="nobody/nothing")
    with pytest.raises(ValueError, match="`device` or `device_map`, not both"):
        QualityEstimator.from_pretrained(folders, device="cpu", device_map="auto")


def odd_logits(_: Any, __: Any, logits: torch.Tensor) -> torch.Tensor:
    return logits * 2


def test_a_sigmoid_head_works_where_the_models_logits_are_not_understood(
    parrot: CausalBackbone, head: SigmoidHead, monkeypatch: pytest.MonkeyPatch, folders: Path
) -> None:
    model = LlamaForCausalLM(parrot.model.config)
    model.load_state_dict(parrot.model.state_dict())
    model.lm_head.register_forward_hook(odd_logits)
    monkeypatch.setattr(
        "headwise.quality.loading.load_backbone",
        lambda *_, **__: CausalBackbone(model, parrot.tokenizer),
    )
    qe = QualityEstimator.from_pretrained(folders, head=folders / "head")
    assert_same(
        qe.score(SOURCE, HYPOTHESIS),
        QualityEstimator(parrot, head, prompt=qe.prompt).score(SOURCE, HYPOTHESIS),
    )
    with pytest.raises(UnsupportedModelError, match="only the signal 'sigmoid'"):
        qe.score(SOURCE, HYPOTHESIS, signals=("softmax",))
