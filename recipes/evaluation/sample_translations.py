"""Sample translations of a model and measure each of them against a reference."""

import argparse
import time
from pathlib import Path

import sacrebleu

from headwise import QualityEstimator
from headwise.backbones.generation.sampling import sample_hypotheses
from headwise.data.readers import read_pairs
from headwise.data.records.pairs import Pair
from headwise.data.writers import json_line
from headwise.files import atomic_path


def main() -> None:
    """Write one row a sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="TSV of source and reference")
    parser.add_argument("--model", required=True, help="bundled name, folder or hub id")
    parser.add_argument("--head", help="folder or hub id of a head, whose prompt is used")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=int, help="only the first sources")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    pairs = [p for p in read_pairs(arguments.data) if isinstance(p, Pair)]
    pairs = pairs[: arguments.limit]
    estimator = QualityEstimator.from_pretrained(arguments.model, arguments.head)
    start = time.perf_counter()
    written = sample_hypotheses(
        estimator.backbone,
        [pair.source for pair in pairs],
        estimator.prompt,
        samples=arguments.samples,
        temperature=arguments.temperature,
        seed=arguments.seed,
        progress=True,
    )
    seconds = time.perf_counter() - start
    chrf, bleu = sacrebleu.CHRF(), sacrebleu.BLEU(effective_order=True)
    rows, empty = 0, 0
    with atomic_path(arguments.output) as temporary, temporary.open("wb") as output:
        for pair, texts in zip(pairs, written, strict=True):
            reference = pair.hypothesis
            for number, text in enumerate(texts, start=1):
                if not text:
                    empty += 1
                    continue
                rows += 1
                row = {
                    "source": pair.source,
                    "hypothesis": text,
                    "reference": reference,
                    "chrf": chrf.sentence_score(text, [reference]).score,
                    "bleu": bleu.sentence_score(text, [reference]).score,
                    "sample": number,
                    "row": pair.line,
                }
                output.write(json_line(row))
    print(f"{len(pairs)} sources, {rows} samples in {seconds:.0f} s")
    print(f"{empty} empty samples left out")
    print(chrf.get_signature(), bleu.get_signature(), sep="\n")


if __name__ == "__main__":
    main()
