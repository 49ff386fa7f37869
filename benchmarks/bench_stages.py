"""Where the time of a scored pair goes: what a machine's processors do beside the model.

Each stage of a job is timed alone, on one thread, over the same pairs: reading rows, tokenising,
the pass of the model, heads and records, writing rows. The ratio is that of all stages but the pass
to the pass. How well the pass uses the processor is said by its products, two for each weight and
token, against those of large matrices.
"""

import json
import tempfile
import time
from pathlib import Path

import torch

from comparison import device_line, load_pairs, pairs_argument, seconds
from headwise import QualityEstimator
from headwise.backbones import EncodedPair
from headwise.backbones.encodings import length_batches
from headwise.data.readers import read_pairs
from headwise.data.records.pairs import Pair
from headwise.data.writers import json_line, scored_row

MODEL = "tiny-en-de"
_SIDE, _PRODUCTS = 2048, 5


def products_a_second() -> float:
    """Multiplications and additions a second of large float32 matrices."""
    one = torch.randn(_SIDE, _SIDE)
    one @ one
    taken = min(seconds(lambda: one @ one) for _ in range(_PRODUCTS))
    return 2 * _SIDE**3 / taken


def main() -> None:
    arguments = pairs_argument(__doc__)
    torch.set_num_threads(1)
    estimator = QualityEstimator.from_pretrained(MODEL)
    scorer, backbone = estimator.scorer(), estimator.backbone
    stages: dict[str, float] = {}

    def timed(name: str, start: float) -> None:
        stages[name] = stages.get(name, 0.0) + time.perf_counter() - start

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "pairs.jsonl")
        texts = load_pairs(arguments.pairs, arguments.count)
        path.write_text(
            "".join(json.dumps({"source": a, "hypothesis": b}) + "\n" for a, b in texts), "utf-8"
        )
        start = time.perf_counter()
        pairs = [row for row in read_pairs(path) if isinstance(row, Pair)]
        timed("reading", start)
    list(estimator.score_many(pairs[:64]))  # warm-up
    start = time.perf_counter()
    codes = [code for code in scorer.encode(pairs) if isinstance(code, EncodedPair)]
    timed("tokenising", start)
    tokens = sum(map(len, codes))
    for batch in length_batches([len(code) for code in codes], max_tokens=scorer.batch_tokens):
        some = [codes[place] for place in batch]
        with torch.inference_mode():
            start = time.perf_counter()
            hidden = backbone.target_hidden(some, layers=scorer.layers)
            timed("model", start)
            start = time.perf_counter()
            scored = scorer.score_hidden([pairs[place] for place in batch], some, hidden)
            timed("heads and records", start)
        start = time.perf_counter()
        for one in scored:
            json_line(scored_row(one, "sentence"))
        timed("writing", start)
    print(device_line())
    print(f"{len(codes)} pairs, {tokens} tokens, {MODEL}, one thread")
    for name, taken in stages.items():
        print(f"{name}: {1e6 * taken / len(codes):.0f} us a pair")
    layers = sum(p.numel() for p in backbone.model.get_decoder().layers.parameters())
    used = 2 * layers * tokens / stages["model"]
    most = products_a_second()
    print(f"model: {used / 1e9:.1f} of {most / 1e9:.1f} Gflop/s, utilisation {used / most:.2f}")
    model = stages["model"]
    beside = sum(stages.values()) - model
    print(f"beside the model {beside:.2f} s, model {model:.2f} s, ratio {beside / model:.2f}x")


if __name__ == "__main__":
    main()
