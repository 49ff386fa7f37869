"""The recipe of the released head's model card, step by step, against `QualityEstimator`.

Rewritten here from its description: the chat template lays out the conversation, the language
model returns the hidden states of all layers, the head scores the whole vocabulary at every
position, and one column of each is read.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from tiny_models import PAIRS
from torch import Tensor
from transformers import AutoModel, PreTrainedModel

from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.data.records.scored import ScoredHypothesis
from headwise.heads import QualityHead, load_head, save_head

CASES = [*PAIRS, ("Two dogs read a book.", "Zwei Hunde lesen 会议 im Park 🎉.")]


def user_turn(source: str) -> dict[str, str]:
    instruction = "Translate the following text from English into German."
    return {"role": "user", "content": f"{instruction}\nEnglish: {source}.\nGerman: "}


@pytest.fixture(scope="module")
def exported(every_head: QualityHead, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_head(every_head, tmp_path_factory.mktemp("card") / "head")


@pytest.fixture(scope="module")
def card_head(exported: Path) -> PreTrainedModel:
    model: PreTrainedModel = AutoModel.from_pretrained(exported, trust_remote_code=True)
    return model.eval()


@pytest.fixture(scope="module")
def tower(parrot: CausalBackbone, exported: Path) -> QualityEstimator:
    loaded = load_head(exported, unembedding=lambda: parrot.unembedding)
    return QualityEstimator(parrot, loaded, prompt=NAMED_PROMPTS["tower"])


def all_scores(backbone: CausalBackbone, head: PreTrainedModel, layers: Sequence[Tensor]) -> Tensor:
    """``(1, T, H)`` of all layers to ``(1, T, V)``; a rescaling head reads the model's logits."""
    scores: Tensor
    if head.config.model_type == "shared_unembedding_head":
        scores = head.score(layers, backbone.model.lm_head)
    elif head.config.head_type == "rescaling_head":
        scores = head.score(backbone.model.lm_head(layers[-1].float()))
    else:
        scores = head.score(layers[-1].float())
    return scores


def column(scores: Tensor, ids: Tensor) -> Tensor:
    """The score of one token a position, out of ``(1, T, V)``."""
    return scores.gather(-1, ids.unsqueeze(-1)).squeeze(-1)


@torch.no_grad()
def card_scores_a_pair(
    backbone: CausalBackbone, head: PreTrainedModel, source: str, hypothesis: str
) -> tuple[list[int], Tensor]:
    tokenizer = backbone.tokenizer
    answer = {"role": "assistant", "content": f" {hypothesis}"}
    whole = tokenizer.apply_chat_template(
        [user_turn(source), answer], return_tensors="pt", return_dict=True
    )["input_ids"]
    prompt = tokenizer.apply_chat_template(
        [user_turn(source)], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )["input_ids"]
    layers = backbone.model(whole, output_hidden_states=True).hidden_states
    everything = all_scores(backbone, head, layers)  # (1, T, V)
    confidence = column(everything[:, :-1], whole[:, 1:])[0]
    length = prompt.shape[1]
    return whole[0, length:].tolist(), confidence[length - 1 :]


@torch.no_grad()
def card_generates_and_scores(
    backbone: CausalBackbone, head: PreTrainedModel, source: str
) -> tuple[list[int], Tensor]:
    prompt = backbone.tokenizer.apply_chat_template(
        [user_turn(source)], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )["input_ids"]
    output = backbone.model.generate(
        prompt,
        max_new_tokens=64,
        do_sample=False,
        pad_token_id=0,
        output_hidden_states=True,
        return_dict_in_generate=True,
    )
    # A step holds all layers; the first step holds the whole prompt
    layers = [
        torch.cat([state[:, -1:] for state in states], dim=1)
        for states in zip(*output.hidden_states, strict=True)
    ]
    ids = output.sequences[:, prompt.shape[1] :]
    return ids[0].tolist(), column(all_scores(backbone, head, layers), ids)[0]


def assert_parity(scored: ScoredHypothesis, ids: list[int], confidence: Tensor) -> None:
    tokens = scored.tokens + scored.special_tokens
    assert [token.token_id for token in tokens] == ids
    assert [token.sigmoid for token in tokens] == pytest.approx(confidence.tolist(), abs=1e-5)
    mean = scored.aggregate(special_tokens=True)
    assert mean == pytest.approx(float(confidence.mean()), abs=1e-5)
    assert confidence.std() > 0.02  # the scores differ from token to token


@pytest.mark.parametrize("pair", CASES, ids=lambda pair: pair[0])
def test_teacher_forcing(
    tower: QualityEstimator, card_head: PreTrainedModel, pair: tuple[str, str]
) -> None:
    assert isinstance(tower.backbone, CausalBackbone)
    ids, confidence = card_scores_a_pair(tower.backbone, card_head, *pair)
    scored = tower.score(*pair)
    assert_parity(scored, ids, confidence)
    assert [t.text for t in scored.special_tokens] == ["<|im_end|>", "Ċ"]


@pytest.mark.parametrize("pair", CASES, ids=lambda pair: pair[0])
def test_generate_and_score(
    tower: QualityEstimator, card_head: PreTrainedModel, pair: tuple[str, str]
) -> None:
    assert isinstance(tower.backbone, CausalBackbone)
    ids, confidence = card_generates_and_scores(tower.backbone, card_head, pair[0])
    generated = tower.generate(pair[0], max_new_tokens=64)
    assert_parity(generated, ids, confidence)
    if pair in PAIRS:
        assert generated.hypothesis == pair[1]
        assert [t.text for t in generated.special_tokens] == ["<|im_end|>"]
