"""One training step of a Transformers model, with its own loss and with `patch_lm_loss`."""

import argparse

import torch
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from comparison import compare_seconds, device_line
from headwise import patch_lm_loss, unpatch_lm_loss
from peak_memory import peak_bytes

MIB = 2**20


def model_of(vocabulary: int, hidden: int) -> LlamaForCausalLM:
    """A small Llama with random weights."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=4 * hidden,
        num_hidden_layers=4,
        num_attention_heads=hidden // 64,
        num_key_value_heads=hidden // 64,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config).train()


def step(model: PreTrainedModel, ids: torch.Tensor) -> float:
    """Forward and backward pass; gradients are dropped before it."""
    model.zero_grad(set_to_none=True)
    loss = model(input_ids=ids, labels=ids, use_cache=False).loss
    loss.backward()
    return float(loss.detach())


def main() -> None:
    """Print loss, memory and time of both sides."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vocabulary", type=int, default=128_000)
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--sequences", type=int, default=4)
    parser.add_argument("--length", type=int, default=512)
    options = parser.parse_args()
    model = model_of(options.vocabulary, options.hidden)
    shape = (options.sequences, options.length)
    ids = torch.randint(options.vocabulary, shape, generator=torch.Generator().manual_seed(1))
    weights = sum(parameter.nbytes for parameter in model.parameters()) / MIB
    print(
        f"Llama of 4 layers, H {options.hidden}, V {options.vocabulary}, {shape[0]} x {shape[1]} "
        f"tokens, weights {weights:.0f} MiB; {device_line()}"
    )

    def own() -> float:
        return step(unpatch_lm_loss(model), ids) if "forward" in vars(model) else step(model, ids)

    def fused() -> float:
        return step(model if "forward" in vars(model) else patch_lm_loss(model), ids)

    model.zero_grad(set_to_none=True)
    theirs, their_loss = peak_bytes(own)
    model.zero_grad(set_to_none=True)
    ours, our_loss = peak_bytes(fused)
    print(f"loss: patched {our_loss:.6f}, its own {their_loss:.6f}")
    print(
        f"peak of a step beyond the weights, gradients included: patched {ours / MIB:.0f} MiB, "
        f"its own {theirs / MIB:.0f} MiB, ratio {theirs / ours:.1f}x"
    )
    compare_seconds("a step", fused, own, labels=("patched", "its own"))


if __name__ == "__main__":
    main()
