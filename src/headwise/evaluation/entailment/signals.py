"""Signs that an answer is wrong, as columns, and the same number of answers by each of them."""

from collections.abc import Sequence

import numpy as np
import torch

from headwise.evaluation.entailment.judged_pairs import JudgedArrays
from headwise.evaluation.statistics.columns import RANDOM, SignalColumn
from headwise.functional.class_uncertainty import Uncertainty, class_uncertainty
from headwise.heads import LEARNED
from headwise.metrics.inputs import Bools, Floats


def confidence_columns(judged: JudgedArrays, own: str, *, seed: int) -> tuple[SignalColumn, ...]:
    """One minus each uncertainty: the model's own first, then baselines, then noise.

    ``own`` is what the model abstains by; a baseline of that name is left out.
    """
    # The softmax of log-probabilities are the probabilities
    logits = torch.from_numpy(judged.probabilities).log()
    found = {own: judged.uncertainty}
    for how in Uncertainty:
        found.setdefault(how.value, class_uncertainty(logits, how).double().numpy())
    found[RANDOM] = np.random.default_rng(seed).random(len(judged.gold))
    return tuple(
        SignalColumn(
            signal=name,
            aggregation=None,
            values=1.0 - values,
            # Entropy and margin only order the answers
            is_probability=name in (LEARNED, Uncertainty.MAX_PROBABILITY),
        )
        for name, values in found.items()
    )


def answer_columns(
    columns: Sequence[SignalColumn], answered: Bools, *, seed: int
) -> tuple[SignalColumn, ...]:
    """Columns of 1 for an answer and 0 for an abstention; baselines answer as often as the model.

    The first column is the model's own; ``seed`` breaks ties.
    """
    order_of_ties = np.random.default_rng(seed).random(len(answered))
    kept = int(answered.sum())

    def of_surest(values: Floats) -> Floats:
        marks = np.zeros(len(values))
        marks[np.lexsort((order_of_ties, -values))[:kept]] = 1.0
        return marks

    return tuple(
        SignalColumn(
            signal=column.signal,
            aggregation=None,
            values=of_surest(column.values) if place else answered.astype(np.float64),
            is_probability=False,
        )
        for place, column in enumerate(columns)
    )
