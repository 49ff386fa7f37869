"""`generate` with scores against plain `generate`, same tokens; memory against the layers."""

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from comparison import compare_seconds, device_line
from headwise import QualityEstimator
from headwise.backbones import CausalBackbone
from headwise.backbones.generation.tokens import captured_hidden
from headwise.bundled.examples import example_pairs

MODEL = "tiny-en-de"


def plain(estimator: QualityEstimator, source: str, beams: int) -> list[int]:
    """Transformers' own generate on the same prompt with the same options."""
    backbone = estimator.backbone
    with torch.inference_mode():
        inputs = backbone.encode_prompt(source, estimator.prompt)
        output = backbone.model.generate(
            **inputs, num_beams=beams, do_sample=False, max_new_tokens=256, pad_token_id=0
        )
        backbone.tokenizer.decode(output[0])
    return output[0, inputs["input_ids"].shape[1] :].tolist()


def kept_bytes(layers: int) -> int:
    """Bytes of hidden states kept for 64 steps of a model with that many layers."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=512,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=layers,
        num_attention_heads=4,
    )
    backbone = CausalBackbone(
        LlamaForCausalLM(config), QualityEstimator.from_pretrained(MODEL).backbone.tokenizer
    )
    with torch.inference_mode(), captured_hidden(backbone) as steps:
        backbone.model.generate(
            torch.arange(4, 20).unsqueeze(0), max_new_tokens=64, min_new_tokens=64, pad_token_id=0
        )
    # What a step keeps alive is the storage behind it, not only the slice that is read
    return sum(step.untyped_storage().nbytes() for step in steps)


def main() -> None:
    """Check that both sides write the same tokens, then time them."""
    estimator = QualityEstimator.from_pretrained(MODEL)
    sources = sorted({pair.source for pair in example_pairs() if pair.source})
    print(f"{len(sources)} sources, {device_line()}")
    for beams in (1, 4):
        for source in sources:
            scored = estimator.generate(source, num_beams=beams)
            ids = [token.token_id for token in scored.tokens + scored.special_tokens]
            assert ids == plain(estimator, source, beams), "the sides write different tokens"
        speedup = compare_seconds(
            f"beams {beams}",
            lambda beams=beams: [estimator.generate(s, num_beams=beams) for s in sources],
            lambda beams=beams: [plain(estimator, s, beams) for s in sources],
            labels=("generate with scores", "plain generate"),
            repeats=9,
        )
        print(f"  with scores takes {1 / speedup:.3f}x the time of plain")
    few, many = kept_bytes(2), kept_bytes(16)
    print(f"hidden states kept: 2 layers {few} bytes, 16 layers {many}, ratio {many / few:.2f}x")


if __name__ == "__main__":
    main()
