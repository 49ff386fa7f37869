"""How probable what a language model would say itself is."""

from collections import defaultdict
from collections.abc import Sequence

from headwise.backbones.generation.sampling import sample_hypotheses
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.quality import QualityEstimator


def monte_carlo_probability(
    estimator: QualityEstimator,
    scored: Sequence[ScoredHypothesis],
    *,
    samples: int,
    seed: int = 0,
    progress: bool = False,
) -> list[float]:
    """Monte Carlo sequence probability: how sure the model is of what it says to a source.

    The mean, over the hypothesis and ``samples`` hypotheses that the model draws for the same
    source, of the geometric mean of the softmax probabilities of their tokens. It says more about
    the source than about the hypothesis. These need the signal ``softmax`` and a token each.

    Args:
        estimator: What generates and scores.
        scored: Scored hypotheses with their sources.
        seed: Of the samples.
        progress: Whether a bar is shown.
        samples: K, drawn hypotheses for each source.

    Returns:
        Probabilities in [0, 1], one a hypothesis.

    Raises:
        ValueError: If ``samples`` is less than 1, or ``softmax`` was not computed.

    References:
        Kuhn, Gal & Farquhar 2023, arXiv 2302.09664, section 2 (sampled sequences, length
        normalised); here a mean of probabilities instead of their logarithms.
    """

    def asked(one: ScoredHypothesis) -> tuple[str | None, str]:
        return one.source, repr(estimator.prompt.for_row(one.extra or {}))

    # Hypotheses of one source share its draws
    firsts: dict[tuple[str | None, str], ScoredHypothesis] = {}
    for one in scored:
        firsts.setdefault(asked(one), one)
    drawn = sample_hypotheses(
        estimator.backbone,
        [one.source for one in firsts.values()],
        estimator.prompt,
        samples=samples,
        rows=[one.extra or {} for one in firsts.values()],
        seed=seed,
        progress=progress,
    )
    pairs = [
        Pair(one.source, text, extra=one.extra or {})
        for one, texts in zip(firsts.values(), drawn, strict=True)
        for text in texts
        if text.strip()
    ]
    found: defaultdict[tuple[str | None, str], list[float]] = defaultdict(list)
    for draw in estimator.score_many(
        pairs, signals=(Signal.SOFTMAX,), errors="yield", progress=progress
    ):
        # What the model said may not be readable as a hypothesis; such a draw is left out
        if isinstance(draw, ScoredHypothesis):
            found[asked(draw)].append(_probability(draw))
    return [
        (_probability(one) + sum(found[asked(one)])) / (1 + len(found[asked(one)]))
        for one in scored
    ]


def _probability(scored: ScoredHypothesis) -> float:
    value = scored.aggregate("geometric_mean", signal=Signal.SOFTMAX)
    assert value is not None
    return value
