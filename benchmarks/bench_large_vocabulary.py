"""Scores of a model with 262,144 tokens: what a head costs, and what the softmax costs.

Four comparisons on Gemma 3 270M, or on random weights of its shape with the bundled vocabulary:
`score_many` against the model card's recipe pair by pair, a head against the log-probability, the
log-probability against the plain formula, and batches of other sizes.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from bench_early_exit import PROMPT, installed_or_random
from comparison import device_line, load_pairs
from headwise import QualityEstimator
from headwise.backbones import Backbone, EncodedPair, parse_prompt
from headwise.heads import ErrorHead, SharedUnembeddingHead, SigmoidHead
from peak_memory import peak_bytes

LAYER, SIZE = 12, 16
# A plain log-softmax over 262,144 float32 numbers is 1e-4 away from the one in float64, ours 1e-5
CLOSE = 5e-4
BUDGETS = (256, 512, 1024, 2048, 4096)
Pairs = list[tuple[str, str]]


def numbers_of(head: torch.nn.Module) -> int:
    """How many numbers a head holds."""
    return sum(parameter.numel() for parameter in head.parameters())


def timed(pairs: Pairs, part: int, *sides: Callable[[Pairs], object]) -> list[float]:
    """Seconds of each side over all pairs, some at a time in turn.

    Seconds that the process computes, on all its cores: what runs beside it does not count.
    """
    taken = [0.0] * len(sides)
    for side in sides:
        side(pairs[:2])
    for start in range(0, len(pairs), part):
        some = pairs[start : start + part]
        for index, side in enumerate(sides):
            begun = time.process_time()
            side(some)
            taken[index] += time.process_time() - begun
            print(f"  {start + len(some)} pairs, side {index}: {taken[index]:.1f} s", flush=True)
    return taken


def estimator(backbone: Backbone, **options: int) -> QualityEstimator:
    """With heads whose values do not matter for the time: they are as they begin."""
    torch.manual_seed(0)
    size = backbone.hidden_size
    return QualityEstimator(
        backbone,
        head=SharedUnembeddingHead(unembedding=backbone.unembedding, hidden_size=size),
        error_head=ErrorHead(
            hidden_size=size, layers=(LAYER,), layer_count=len(backbone.layer_widths) - 1
        ),
        prompt=parse_prompt(PROMPT),
        **options,
    )


def scores(quality: QualityEstimator, signal: str, pairs: Pairs) -> list[list[float]]:
    """A signal of all targets of each pair."""
    return [
        [getattr(token, signal) for token in one.tokens]
        for one in quality.score_many(pairs, signals=(signal,))
    ]


@torch.no_grad()
def recipe(backbone: Backbone, head: SigmoidHead, pair: tuple[str, str]) -> list[float]:
    """The card's steps for one pair: dense logits of the model and of the head, ``(1, T, V)``."""
    (code,) = backbone.encode([pair], parse_prompt(PROMPT))
    assert isinstance(code, EncodedPair)
    output = backbone.model(torch.tensor([code.input_ids]), output_hidden_states=True)
    dense = head.score(output.hidden_states[-1].float())
    return own_columns(dense[0], code).tolist()


def own_columns(dense: Tensor, code: EncodedPair) -> Tensor:
    """What ``(T, V)`` says of the targets of a pair, ``(n,)``."""
    rows = dense[code.first : code.first + len(code.targets)]
    return rows.gather(1, torch.tensor(code.targets).unsqueeze(1)).squeeze(1)


@torch.no_grad()
def plain(backbone: Backbone, pairs: Pairs) -> list[list[float]]:
    """Log-probabilities from float32 logits ``(16, T, V)``, in file order, padded on the right."""
    found = []
    for start in range(0, len(pairs), SIZE):
        codes = backbone.encode(pairs[start : start + SIZE], parse_prompt(PROMPT))
        good = [code for code in codes if isinstance(code, EncodedPair)]
        rows = [torch.tensor(code.input_ids) for code in good]
        ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([[len(row)] for row in rows])
        mask = (torch.arange(ids.shape[1]) < lengths).long()
        dense = backbone.model(ids, attention_mask=mask).logits.float().log_softmax(-1)
        found += [own_columns(one, code).tolist() for one, code in zip(dense, good, strict=True)]
    return found


def check(name: str, ours: list[list[float]], theirs: list[list[float]]) -> None:
    """Both sides say the same of the tokens of the hypotheses."""
    both = [zip(a, b, strict=False) for a, b in zip(ours, theirs, strict=True)]
    worst = max(abs(x - y) for pair in both for x, y in pair)
    print(f"largest difference of {name}: {worst:.1e}")
    assert worst < CLOSE, "the sides disagree"


def against_recipe(backbone: Backbone, pairs: Pairs, part: int) -> None:
    """`score_many` with a shared head against dense logits of a new unembedding, pair by pair."""
    quality = estimator(backbone)
    theirs = SigmoidHead(vocabulary_size=backbone.vocabulary_size, hidden_size=backbone.hidden_size)
    theirs.initialise_from(backbone.unembedding.weight)
    check(
        "a sigmoid",
        scores(quality, "sigmoid", pairs[:3]),
        [recipe(backbone, theirs, pair) for pair in pairs[:3]],
    )
    mine, other = timed(
        pairs,
        part,
        lambda some: scores(quality, "sigmoid", some),
        lambda some: [recipe(backbone, theirs, pair) for pair in some],
    )
    print(f"sigmoid: score_many {mine:.1f} s, recipe {other:.1f} s, ratio {other / mine:.2f}x")
    assert quality.head is not None
    small, large = numbers_of(quality.head), numbers_of(theirs)
    print(f"head: {4 * small:,} bytes, recipe's {4 * large:,} bytes, ratio 1/{large / small:.0f}")


def against_softmax(backbone: Backbone, pairs: Pairs, part: int) -> None:
    """Signals of heads against the log-probability."""
    quality = estimator(backbone)
    names = ("logprob", "sigmoid", "error")
    sides = [lambda some, name=name: scores(quality, name, some) for name in names]
    logprob, *heads = timed(pairs, part, *sides)
    for name, taken in zip(names[1:], heads, strict=True):
        print(f"{name}: {taken:.1f} s, logprob {logprob:.1f} s, ratio {logprob / taken:.2f}x")


def against_formula(backbone: Backbone, pairs: Pairs, part: int) -> None:
    """`logprob` of all tokens against the plain formula, time and memory beyond the model."""
    quality = estimator(backbone)
    few = pairs[:SIZE]
    ours, mine = peak_bytes(lambda: scores(quality, "logprob", few))
    theirs, other = peak_bytes(lambda: plain(backbone, few))
    check("a log-probability", mine, other)
    mib = 2**20
    print(f"peak: {ours / mib:.0f} MiB, formula {theirs / mib:.0f} MiB, 1/{theirs / ours:.1f}")
    taken, dense = timed(
        pairs, part, lambda some: scores(quality, "logprob", some), lambda s: plain(backbone, s)
    )
    print(f"logprob: {taken:.1f} s, formula {dense:.1f} s, ratio {dense / taken:.2f}x")


def against_budgets(name: str, quality: QualityEstimator, pairs: Pairs, signal: str) -> None:
    """Other budgets of tokens a batch against the one that is taken by default."""
    default = quality.batch_tokens

    def with_budget(tokens: int) -> Callable[[Pairs], object]:
        def side(some: Pairs) -> object:
            quality.batch_tokens = tokens
            return list(quality.score_many(some, signals=(signal,)))

        return side

    taken = timed(pairs, len(pairs), *map(with_budget, (default, *BUDGETS)))
    print(f"{name}, {signal}: {default} tokens a batch {taken[0]:.1f} s")
    for tokens, other in zip(BUDGETS, taken[1:], strict=True):
        print(f"  {tokens}: {other:.1f} s, {other / taken[0]:.2f}x the time of the default")


def main() -> None:
    """Run the comparisons that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, help="a file of pairs; by default bundled examples")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument(
        "--part", type=int, default=100, help="pairs a side before it is the other's turn"
    )
    chosen = ("recipe", "softmax", "formula", "budgets")
    parser.add_argument("--only", choices=chosen, nargs="+", default=chosen)
    options = parser.parse_args()
    backbone, name = installed_or_random()
    pairs = load_pairs(options.pairs, options.count)
    print(f"{name}, {len(pairs)} pairs, {device_line()}")
    runs = {"recipe": against_recipe, "softmax": against_softmax, "formula": against_formula}
    for comparison in options.only:
        if comparison in runs:
            runs[comparison](backbone, pairs, options.part)
    if "budgets" in options.only:
        for signal in ("sigmoid", "logprob"):
            against_budgets(name, estimator(backbone), pairs, signal)
            bundled = QualityEstimator.from_pretrained("tiny-en-de")
            against_budgets("tiny-en-de", bundled, load_pairs(None, 1000), signal)


if __name__ == "__main__":
    main()
