"""Which protocol answers what a user asks, and the answer."""

from collections import Counter
from collections.abc import Sequence

from headwise.evaluation.entailment.judged_pairs import JudgedInference
from headwise.evaluation.quality.judged_texts import JudgedText
from headwise.evaluation.statistics.results import Evaluation
from headwise.evaluation.statistics.setup import Resampling, SignificanceTest
from headwise.evaluation.statistics.significance import ENOUGH_FOR_A_CURVE

# With fewer groups percentile intervals cover less than they say
_FEW_GROUPS = 30


def certainty_notes(
    found: Evaluation, texts: Sequence[JudgedText | JudgedInference], resampling: Resampling
) -> list[str]:
    """What a reader must know where intervals and tests cannot say much.

    Args:
        found: What a protocol found.
        texts: The texts, or pairs.
        resampling: Settings of intervals and tests.
    """
    notes = []
    if texts and len({text.group for text in texts}) == 1:
        notes.append(
            "All texts belong together as one source: nothing can be resampled, and intervals and "
            "tests say nothing about other texts."
        )
    groups = len({text.group for text in texts})
    if 1 < groups < _FEW_GROUPS:
        notes.append(
            f"There are only {groups} independent sources: intervals are too narrow (simulated "
            "with ten, those of 95 % cover 74 to 87 %)."
        )
    most = max(
        (
            Counter(c.metric for c in table.comparisons).most_common(1)[0][1]
            for table in found.tables
            if table.comparisons
        ),
        default=0,
    )
    permuted = resampling.test is SignificanceTest.PERMUTATION
    # The least p-value that counting can give, times the comparisons of a column (Holm)
    least = (1 if permuted else 2) / (resampling.resamples + 1) * most
    if least >= resampling.level and (permuted or resampling.resamples < ENOUGH_FOR_A_CURVE):
        notes.append(
            f"{resampling.resamples:,} resamples are too few to tell {most + 1:,} signals apart: "
            f"no p-value can be lower than {min(1.0, least):.2g}."
        )
    return notes
