"""What a reader must know beside the tables: rows that are missing, intervals that say little."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from headwise.data.records.pairs import Reject
from headwise.errors import DataError
from headwise.evaluation.statistics.columns import SignalColumn
from headwise.evaluation.statistics.results import Evaluation
from headwise.evaluation.statistics.setup import Resampling, SignificanceTest
from headwise.evaluation.statistics.significance import ENOUGH_FOR_A_CURVE

# With fewer groups percentile intervals cover less than they say
_FEW_GROUPS = 30


def with_certainty_notes(
    found: Evaluation, groups: Sequence[str], resampling: Resampling
) -> Evaluation:
    """The evaluation with a note wherever intervals and tests cannot say much.

    ``groups`` is what each text, or pair, belongs to.
    """
    notes = [*found.notes]
    count = len(set(groups))
    if count == 1:
        notes.append(
            "All texts belong together as one source: nothing can be resampled, and intervals and "
            "tests say nothing about other texts."
        )
    elif 1 < count < _FEW_GROUPS:
        notes.append(
            f"There are only {count} independent sources: intervals are too narrow (simulated "
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
    return replace(found, notes=tuple(notes))


def nothing_to_evaluate(path: str, what: str, rejects: Sequence[Reject]) -> DataError:
    """The error that a file has no row of a kind, with the reason of the first reject."""
    why = f"; line {rejects[0].line}: {rejects[0].reason}" if rejects else "."
    return DataError(f"`{path}` has no {what} that can be evaluated{why}")


def rejects_note(rejects: Sequence[Reject], total: int) -> list[str]:
    """A note if some rows could not be read or scored."""
    if not rejects:
        return []
    return [f"{len(rejects):,} of {total:,} rows could not be read or scored and were left out."]


def unmarked_note(marked: int, total: int) -> list[str]:
    """A note if some texts have no marks."""
    if marked == total:
        return []
    return [
        f"{total - marked:,} of {total:,} texts were left out: they have neither error marks nor "
        "word tags."
    ]


def calibration_note(columns: Sequence[SignalColumn]) -> str:
    """What a reader has to know of calibration errors, if there are any."""
    if not any(column.is_probability for column in columns):
        return ""
    return (
        " ECE has 15 bins of one width, or of about as many items each (equal mass). Chance makes "
        "it larger than it is, in resamples once more: its interval lies too high, even above the "
        "value where calibration is good."
    )
