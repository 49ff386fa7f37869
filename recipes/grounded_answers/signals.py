"""What signals say of every token of a set: the head, the language model, entailment."""

from pathlib import Path

import numpy as np
import torch
from features import LAYERS, PROMPT, GroundedSet
from numpy.typing import NDArray

from headwise import EntailmentModel, GroundingDetector
from headwise.backbones import NAMED_PROMPTS, Backbone, EncodedPair
from headwise.heads import ErrorHead

Floats = NDArray[np.float64]
_TEXTS = 64


@torch.inference_mode()
def head_probabilities(found: GroundedSet, backbone: Backbone, head: ErrorHead) -> Floats:
    """The error head's probability of every position."""
    given, rows = backbone.layer_numbers(LAYERS), backbone.unembedding.weight
    parts = []
    for first in range(0, len(found.families), _TEXTS):
        batch = found.features.batch(range(first, min(first + _TEXTS, len(found.families))))
        scores = head.score(
            backbone.of_layers(batch.hidden, given, head.layers),
            rows[batch.targets],
            batch.counts,
            statistics=batch.statistics if head.statistics else None,
        )
        parts.append(scores[:, 0])
    return torch.cat(parts).double().numpy()


def statistics(found: GroundedSet) -> dict[str, Floats]:
    """Minus log-probability, and logarithm of the rank, of every position: high is doubtful."""
    parts = []
    for first in range(0, len(found.families), _TEXTS):
        batch = found.features.batch(range(first, min(first + _TEXTS, len(found.families))))
        assert batch.statistics is not None
        parts.append(batch.statistics)
    values = torch.cat(parts).double().numpy()
    return {"log-probability": -values[:, 0], "rank": values[:, 2]}


def wrong_positions(found: GroundedSet) -> NDArray[np.bool_]:
    """Which positions are unsupported."""
    batches = [
        found.features.batch(range(first, min(first + _TEXTS, len(found.families)))).errors
        for first in range(0, len(found.families), _TEXTS)
    ]
    return torch.cat([one for one in batches if one is not None]).numpy()


def entailment_probabilities(
    found: GroundedSet, backbone: Backbone, entailment: EntailmentModel, cache: Path
) -> Floats:
    """The probability of its sentence that no passage entails it, of every position."""
    if cache.is_file():
        kept: Floats = np.load(cache)
        return kept
    detector = GroundingDetector(entailment=entailment)
    pairs = [found.pairs[number] for number in found.features.pairs]
    codes = backbone.encode([(p.given, p.hypothesis) for p in pairs], NAMED_PROMPTS[PROMPT])
    values: list[float] = []
    for pair, code, count in zip(pairs, codes, found.features.counts, strict=True):
        assert isinstance(code, EncodedPair)
        assert pair.source is not None
        sentences = detector.checked(pair.source, pair.hypothesis) or ()
        places = [*code.ranges, (len(pair.hypothesis) - 1, len(pair.hypothesis))][:count]
        for start, end in places:
            touched = [s.probability for s in sentences if s.start < end and s.end > start]
            values.append(max(touched, default=0.0))
    found_values = np.array(values)
    np.save(cache, found_values)
    return found_values
