"""Reading the prompt once gives the hidden states that reading it every time gives."""

import pytest
import torch
from random_language_models import random_model
from test_unembedding import CAUSAL, ENCODER_DECODER, no_tokenizer

from headwise.backbones import CausalBackbone, EncodedPair, EncoderDecoderBackbone
from headwise.errors import PromptBoundaryError

PROMPT = (5, 9, 3, 17, 4, 11, 6)  # longer than the sliding windows of 4


def pair(prompt: tuple[int, ...], *targets: int) -> EncodedPair:
    return EncodedPair((*prompt, *targets[:-1]), len(prompt) - 1, targets, ())


# Right padding, one token, and more tokens than a sliding window holds
CANDIDATES = [(8, 7, 6), (8,), (9, 10, 11, 12, 13, 14, 15), (8, 7, 7)]


@pytest.mark.parametrize("name", CAUSAL)
@torch.inference_mode()
def test_causal(name: str) -> None:
    backbone = CausalBackbone(random_model(name).eval(), no_tokenizer())
    pairs = [pair(PROMPT, *targets) for targets in CANDIDATES]
    one_by_one = torch.cat([backbone.target_hidden([one]) for one in pairs])
    torch.testing.assert_close(backbone.target_hidden(pairs), one_by_one, rtol=1e-4, atol=1e-4)
    shared = backbone.shared_prompt_hidden(pairs)
    torch.testing.assert_close(shared, one_by_one, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", [name for name in ENCODER_DECODER if name != "whisper"])
@torch.inference_mode()
def test_encoder_decoder(name: str) -> None:
    backbone = EncoderDecoderBackbone(random_model(name).eval(), no_tokenizer())

    def encoded(targets: tuple[int, ...], source: tuple[int, ...]) -> EncodedPair:
        return EncodedPair((0, *targets[:-1]), 0, targets, (), source_ids=source)

    sources = [(5, 6, 7), (5, 6, 7, 8, 9, 10), (5,), (7, 7)]
    pairs = [encoded(t, s) for t, s in zip(CANDIDATES, sources, strict=True)]
    one_by_one = torch.cat([backbone.target_hidden([one]) for one in pairs])
    torch.testing.assert_close(backbone.target_hidden(pairs), one_by_one, rtol=1e-4, atol=1e-4)

    same = [encoded(t, sources[1]) for t in CANDIDATES]
    one_by_one = torch.cat([backbone.target_hidden([one]) for one in same])
    shared = backbone.shared_prompt_hidden(same)
    torch.testing.assert_close(shared, one_by_one, rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_the_prompt_is_read_once() -> None:
    model = random_model().eval()
    backbone = CausalBackbone(model, no_tokenizer())
    assert backbone.reads_step_by_step(20)  # which asks the model, once
    shapes: list[tuple[int, ...]] = []
    model.get_input_embeddings().register_forward_pre_hook(
        lambda _, inputs: shapes.append(tuple(inputs[0].shape))
    )
    backbone.shared_prompt_hidden([pair(PROMPT, *targets) for targets in CANDIDATES])
    assert shapes == [(1, len(PROMPT) - 1), (len(CANDIDATES), 7)]


def test_prompts_that_differ_are_refused() -> None:
    model = random_model().eval()
    backbone = CausalBackbone(model, no_tokenizer())
    for other in ((5, 9, 3), (5, 8, 3, 17, 4, 11, 6)):
        with pytest.raises(PromptBoundaryError, match="do not share the tokens of one prompt"):
            backbone.shared_prompt_hidden([pair(PROMPT, 8, 7), pair(other, 8, 7)])


STATES = ("mamba", "rwkv", "openai-gpt", "lfm2", "qwen3-next", "recurrent-gemma")


@pytest.mark.parametrize("name", STATES)
@torch.inference_mode()
def test_models_that_keep_a_state_read_the_prompt_for_every_text(name: str) -> None:
    """Keys and values of the prompt are not all that they remember of it, or none."""
    backbone = CausalBackbone(random_model(name).eval(), no_tokenizer())
    pairs = [pair(PROMPT, *targets) for targets in CANDIDATES]
    one_by_one = torch.cat([backbone.target_hidden([one]) for one in pairs])
    assert not backbone.reads_step_by_step(1)
    for found in (backbone.target_hidden(pairs), backbone.shared_prompt_hidden(pairs)):
        torch.testing.assert_close(found, one_by_one, rtol=1e-4, atol=1e-4)
