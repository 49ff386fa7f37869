"""`error` from layer 12 of 18 against `error` from the last layer, same pairs, same model."""

import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

from comparison import compare_seconds, device_line, load_pairs, pairs_argument
from headwise import QualityEstimator
from headwise.backbones import Backbone, CausalBackbone, load_backbone, parse_prompt
from headwise.bundled import locate
from headwise.errors import HeadwiseError
from headwise.heads import ErrorHead

MODEL, LAYER = "gemma-3-270m", 12
PROMPT = {
    "kind": "text",
    "prompt": "{bos}English: {source}\nGerman:",
    "completion": " {hypothesis}\n",
}
# The bar of this comparison, and how far from a whole pass an early exit may be
RATIO, TOLERANCE = 1.35, 1e-5


def installed_or_random() -> tuple[Backbone, str]:
    """Gemma 3 270M where it is installed, else random weights of its shape, in float32."""
    try:
        return load_backbone(locate(MODEL).backbone, dtype="float32"), MODEL
    except HeadwiseError:
        tokenizer = QualityEstimator.from_pretrained("tiny-en-de").backbone.tokenizer
        config = Gemma3TextConfig(
            vocab_size=len(tokenizer),
            hidden_size=640,
            intermediate_size=2048,
            num_hidden_layers=18,
            num_attention_heads=4,
            num_key_value_heads=1,
            head_dim=256,
            sliding_window=512,
        )
        torch.manual_seed(0)
        random = CausalBackbone(Gemma3ForCausalLM(config), tokenizer)
        return random, f"a random model of the shape of {MODEL}"


def with_head(backbone: Backbone, layer: int) -> QualityEstimator:
    """An estimator whose error head reads one layer; its weights do not matter for the time."""
    torch.manual_seed(0)
    count = len(backbone.layer_widths) - 1
    head = ErrorHead(hidden_size=backbone.hidden_size, layers=(layer,), layer_count=count)
    return QualityEstimator(backbone, error_head=head, prompt=parse_prompt(PROMPT))


def check_parity(backbone: Backbone, pairs: list[tuple[str, str]]) -> float:
    """Largest difference from Transformers' own whole pass, relative to the largest number."""
    codes = backbone.encode(pairs, parse_prompt(PROMPT))
    worst = 0.0
    with torch.inference_mode():
        for code in codes:
            ids = torch.tensor([code.input_ids])
            whole = backbone.model(ids, output_hidden_states=True).hidden_states[LAYER]
            early = backbone.hidden_states(ids, layers=(LAYER,))
            worst = max(worst, float((early - whole).abs().max() / whole.abs().max()))
    return worst


def main() -> None:
    """Check that an early exit changes no number, then time both sides."""
    arguments = pairs_argument(__doc__)
    backbone, name = installed_or_random()
    pairs = load_pairs(arguments.pairs, min(arguments.count, 100))
    print(f"{name}, {len(pairs)} pairs, {device_line()}")
    worst = check_parity(backbone, pairs[:10])
    print(f"layer {LAYER} against a whole pass: relative difference {worst:.1e}")
    assert worst <= TOLERANCE
    early, last = with_head(backbone, LAYER), with_head(backbone, -1)
    ratio = compare_seconds(
        "error",
        lambda: list(early.score_many(pairs, signals=("error",))),
        lambda: list(last.score_many(pairs, signals=("error",))),
        labels=(f"layer {LAYER}", "last layer"),
    )
    print(f"  bar {RATIO:.2f}x: {'reached' if ratio >= RATIO else 'missed'}")


if __name__ == "__main__":
    main()
