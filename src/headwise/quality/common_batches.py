"""Pairs of several requests in common batches: the model reads them together, once."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from headwise.backbones import EncodedPair
from headwise.backbones.layers import all_layers
from headwise.backbones.side_by_side import side_by_side
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis

if TYPE_CHECKING:
    from headwise.quality.scorer import Scorer


class ToScore(NamedTuple):
    """A pair as the model reads it, what scores it, and what becomes of its scores.

    ``then`` makes something else of them where the batch is worked on, beside other batches.
    """

    scorer: "Scorer"
    pair: Pair
    encoded: EncodedPair
    then: Callable[[ScoredHypothesis], Any] | None = None


def scored_batches(items: Sequence[ToScore]) -> Iterator[tuple[list[int], list[Any]]]:
    """Score pairs in batches of similar length, whatever signals each is asked for.

    A batch is one pass of the language model up to the highest layer that one of its pairs needs;
    behind it, every scorer computes its own signals of its own pairs, and no others.

    Args:
        items: Pairs whose scorers share a language model.

    Yields:
        The places of a batch's items, and a `ScoredHypothesis` of each or what it becomes, as soon
        as they are known.
    """
    if not items:
        return
    scorers = list({id(item.scorer): item.scorer for item in items}.values())
    backbone = scorers[0].backbone
    layers = scorers[0].layers
    if len(scorers) > 1:
        layers = all_layers(*(scorer.layers for scorer in scorers))
    at_once = min(scorer.batches_at_once() for scorer in scorers)

    @torch.inference_mode()
    def score(batch: list[int]) -> list[Any]:
        chosen = [items[place] for place in batch]
        hidden = backbone.target_hidden([item.encoded for item in chosen], layers=layers)
        scored = _score_batch(chosen, hidden, layers, at_once)
        return [
            one if item.then is None else item.then(one)
            for item, one in zip(chosen, scored, strict=True)
        ]

    lengths = [len(item.encoded) for item in items]
    most = min(scorer.batch_tokens for scorer in scorers)
    yield from side_by_side(backbone, lengths, score, max_tokens=most, at_once=at_once)


def _score_batch(
    items: Sequence[ToScore], hidden: Tensor, layers: tuple[int, ...], share: int
) -> list[ScoredHypothesis]:
    """Let each scorer read what is its own of the hidden states of all targets, ``(N, H)``."""
    counts = [len(item.encoded.targets) for item in items]
    rows = hidden.split(counts)
    places: dict[int, list[int]] = {}
    for place, item in enumerate(items):
        places.setdefault(id(item.scorer), []).append(place)
    results: dict[int, ScoredHypothesis] = {}
    for own in places.values():
        scorer = items[own[0]].scorer
        part = hidden if len(own) == len(items) else torch.cat([rows[place] for place in own])
        scored = scorer.score_hidden(
            [items[place].pair for place in own],
            [items[place].encoded for place in own],
            scorer.backbone.of_layers(part, layers, scorer.layers),
            share,
        )
        results |= dict(zip(own, scored, strict=True))
    return [results[place] for place in range(len(items))]
