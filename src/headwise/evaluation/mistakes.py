"""The answers that a model is surest of and that are wrong: the ones to read."""

from collections.abc import Sequence

import numpy as np

from headwise.evaluation.judged_inference import JudgedArrays, JudgedInference
from headwise.evaluation.results import Mistake
from headwise.heads.nli_labels import NLI_LABELS

_SHOWN = 20


def surest_mistakes(
    inferences: Sequence[JudgedInference], judged: JudgedArrays
) -> tuple[Mistake, ...]:
    """The twenty wrong answers of the highest probability, one a group.

    Args:
        inferences: Judged pairs.
        judged: The same as numbers.
    """
    wrong = np.flatnonzero(~judged.correct)
    order = wrong[np.argsort(-judged.confidence[wrong], kind="stable")]
    _, first = np.unique(judged.groups[order], return_index=True)
    return tuple(
        Mistake(
            premise=inferences[i].premise,
            hypothesis=inferences[i].hypothesis,
            gold=str(inferences[i].label),
            predicted=str(NLI_LABELS[judged.predicted[i]]),
            confidence=float(judged.confidence[i]),
            uncertainty=float(judged.uncertainty[i]),
            abstained=inferences[i].abstain,
        )
        for i in order[np.sort(first)][:_SHOWN]
    )
