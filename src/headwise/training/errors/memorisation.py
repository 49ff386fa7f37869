"""Whether the language model knows the training texts by heart."""

import logging
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headwise.backbones import Backbone, PromptTemplate
from headwise.backbones.encodings import length_batches
from headwise.data.records.pairs import Pair
from headwise.features import LiveFeatures, encode_examples

logger = logging.getLogger(__name__)

_SAMPLE = 250
_BATCH_TOKENS = 4096
# Texts of the same kind differ by less; those that a small model was trained on, by more
_NATS_A_TOKEN = 0.1
_STANDARD_ERRORS = 3.0


@dataclass(frozen=True, slots=True)
class Memorisation:
    """How much better the language model predicts training texts than dev texts.

    Log-probability of a token in nats, averaged over a text and then over a sample of texts, and
    the standard error of the difference.

    Attributes:
        train: Mean over the training texts, in nats a token.
        dev: Mean over the dev texts, in nats a token.
        error: Standard error of their difference.
    """

    train: float
    dev: float
    error: float

    @property
    def found(self) -> bool:
        """Whether the difference is larger than 0.1 nats and than three standard errors."""
        difference = self.train - self.dev
        return difference > max(_NATS_A_TOKEN, _STANDARD_ERRORS * self.error)

    def __str__(self) -> str:
        compared = (
            f"{self.train:.2f} nats a token on training texts, {self.dev:.2f} on dev texts "
            f"(difference {self.train - self.dev:+.2f}, standard error {self.error:.2f})"
        )
        if self.found:
            return (
                f"The language model predicts the training texts better than dev: {compared}. It "
                "knows them by heart, or they are easier."
            )
        return f"The language model does not know the training texts by heart: {compared}."


def measure_memorisation(
    backbone: Backbone,
    train: Sequence[Pair],
    dev: Sequence[Pair],
    prompt: PromptTemplate,
    *,
    max_length: int | None = None,
) -> Memorisation | None:
    """Compare how well the language model predicts at most 250 correct texts of each part.

    Args:
        backbone: The language model.
        train: Correct texts of the training.
        dev: Correct texts of dev.
        prompt: The template that they stand in.
        max_length: Tokens of a text at most, longer ones are left out; ``None`` for the context.

    Returns:
        What was found, which a message says as well; ``None`` if a part has fewer than two texts
        that the model can read.
    """
    found = [_means(backbone, pairs, prompt, max_length) for pairs in (train, dev)]
    if min(map(len, found)) < 2:
        return None
    means = [float(np.mean(values)) for values in found]
    squares = [float(np.var(values, ddof=1)) / len(values) for values in found]
    memorisation = Memorisation(means[0], means[1], error=math.sqrt(sum(squares)))
    logger.log(logging.WARNING if memorisation.found else logging.INFO, "%s", memorisation)
    return memorisation


def _means(
    backbone: Backbone, pairs: Sequence[Pair], prompt: PromptTemplate, max_length: int | None
) -> list[float]:
    """Mean log-probability of the tokens of each text of a sample."""
    # One sample whatever the seed of the run: the answer decides what its head reads
    chosen = random.Random(0).sample(range(len(pairs)), min(len(pairs), _SAMPLE))
    examples = encode_examples(backbone, [pairs[i] for i in chosen], prompt, max_length=max_length)
    source = LiveFeatures(backbone, examples, candidates=1, statistics=True)
    means: list[float] = []
    for indices in length_batches(source.lengths, max_tokens=_BATCH_TOKENS):
        batch = source.batch(indices)
        assert batch.statistics is not None
        means += [float(one.mean()) for one in batch.statistics[:, 0].split(list(batch.counts))]
    return means
