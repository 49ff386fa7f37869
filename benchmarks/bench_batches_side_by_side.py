"""Batches side by side against one batch at a time with all threads in every product.

Both ways for scores of `tiny-en-de` and embeddings of `minilm-snli`'s encoder (skipped where it is
not installed), on a quiet machine and while another process keeps one core busy. With
``--widths``, the same for random models of several widths: what the rule by size follows from.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from bench_embed import sentences
from comparison import compare_seconds, device_line, load_pairs
from headwise import QualityEstimator
from headwise.backbones import CausalBackbone, EncodedText, load_encoder
from headwise.backbones.reading_apart import probe_pairs
from headwise.backbones.side_by_side import largest_product, side_by_side
from headwise.bundled.registry import MINILM, locate_entailment
from headwise.errors import HeadwiseError

# What is asked of the bundled model on two cores
QUIET, BUSY = 1.35, 6.0
LABELS = ("side by side", "one at a time")
WIDTHS = (256, 384, 512, 768, 1024)
# A batch of the rule: texts of so many tokens, of which so many make a batch
LENGTH, BATCH_TOKENS, BATCHES = 32, 1024, 6

SPIN = """
import os
parent = os.getppid()
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {0})
while os.getppid() == parent:
    pass
"""


@contextmanager
def busy_core() -> Iterator[None]:
    """Another program that never rests, on the first core; as one in another terminal."""
    with subprocess.Popen([sys.executable, "-c", SPIN], start_new_session=True) as process:
        time.sleep(0.5)
        try:
            yield
        finally:
            process.kill()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """As if every model were a large one."""
    with patch("headwise.backbones.side_by_side._LARGEST_PRODUCT", 0):
        yield


def ratio_of(name: str, run: Callable[[], object], *, repeats: int) -> float:
    """Both ways of one work in turn."""

    def today() -> None:
        with one_at_a_time():
            run()

    return compare_seconds(name, run, today, labels=LABELS, repeats=repeats)


def works(count: int, pairs: Path | None) -> Iterator[tuple[str, Callable[[int], object]]]:
    """What is timed: each is told how many texts it gets."""
    estimator = QualityEstimator.from_pretrained("tiny-en-de")
    rows = load_pairs(pairs, count)
    for signals in (("sigmoid",), ("logprob", "entropy")):
        name = f"score_many, {', '.join(signals)}"
        yield name, lambda n, s=signals: list(estimator.score_many(rows[:n], signals=s))
    try:
        encoder = load_encoder(locate_entailment(MINILM).encoder, device="cpu")
    except HeadwiseError as error:
        print(f"no embeddings: {error}")
        return
    codes = [code for code in encoder.encode(sentences()[:count]) if isinstance(code, EncodedText)]
    yield "embed", lambda n: encoder.embed(codes[:n])


def rule() -> None:
    """Print the ratio for models of several widths, by their largest product."""
    tokenizer = QualityEstimator.from_pretrained("tiny-en-de").backbone.tokenizer
    for width in WIDTHS:
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=3 * width,
            num_hidden_layers=2,
            num_attention_heads=width // 64,
            num_key_value_heads=width // 64,
        )
        backbone = CausalBackbone(LlamaForCausalLM(config), tokenizer)
        pairs = probe_pairs(backbone.model, LENGTH) * (BATCHES * BATCH_TOKENS // LENGTH)
        lengths = [LENGTH] * len(pairs)

        @torch.inference_mode()
        def read(batch: list[int], backbone=backbone, pairs=pairs) -> float:
            return float(backbone.target_hidden([pairs[i] for i in batch]).sum())

        def run(at_once: int, backbone=backbone, lengths=lengths, read=read) -> None:
            how = {"max_tokens": BATCH_TOKENS, "at_once": at_once}
            list(side_by_side(backbone, lengths, read, **how))

        size = largest_product(backbone.model)
        compare_seconds(
            f"width {width}, largest product of {size:,} weights",
            lambda run=run: run(torch.get_num_threads()),
            lambda run=run: run(1),
            labels=LABELS,
            repeats=5,
        )


def main() -> None:
    """Time both ways, quiet and busy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, help="TSV of pairs; by default bundled examples")
    parser.add_argument("--count", type=int, default=1000, help="texts on a quiet machine")
    parser.add_argument("--busy-count", type=int, default=100, help="texts beside a busy core")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="what begins so, such as `embed`")
    parser.add_argument("--widths", action="store_true", help="the rule by size instead")
    arguments = parser.parse_args()
    print(device_line())
    if torch.get_num_threads() < 2:
        sys.exit("This needs two threads: unset OMP_NUM_THREADS.")
    if arguments.widths:
        rule()
        return
    for name, work in works(arguments.count, arguments.pairs):
        if not name.startswith(arguments.only):
            continue
        quiet = ratio_of(name, lambda: work(arguments.count), repeats=arguments.repeats)  # noqa: B023
        with busy_core():
            busy = ratio_of(
                f"{name}, one core busy",
                lambda: work(arguments.busy_count),  # noqa: B023
                repeats=3,
            )
        if name.startswith("score_many"):
            for ratio, bar in ((quiet, QUIET), (busy, BUSY)):
                print(f"  {ratio:.2f}x, bar {bar:.2f}x: {'reached' if ratio >= bar else 'missed'}")


if __name__ == "__main__":
    main()
