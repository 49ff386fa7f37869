"""Which protocol answers what a user asks, and the answer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import assert_never

from headwise.errors import DataError
from headwise.evaluation.columns import Unit
from headwise.evaluation.corrupted_set import CorruptedSet
from headwise.evaluation.judged_inference import JudgedInference
from headwise.evaluation.judged_text import JudgedText
from headwise.evaluation.protocols.ambiguity import ambiguity
from headwise.evaluation.protocols.binary import binary
from headwise.evaluation.protocols.correlation import correlation
from headwise.evaluation.protocols.error_detection import error_detection
from headwise.evaluation.protocols.spans import spans
from headwise.evaluation.resampling import Resampling, SignificanceTest
from headwise.evaluation.results import Evaluation
from headwise.evaluation.setup import Setup
from headwise.evaluation.significance import ENOUGH_FOR_A_CURVE

# With fewer groups percentile intervals cover less than they say
_FEW_GROUPS = 30


class Protocol(StrEnum):
    """What is asked of scores.

    Attributes:
        CORRELATION: Whether the scores of texts agree with gold numbers.
        BINARY: Whether they tell good texts (gold 1) from bad ones (gold 0).
        ERROR_DETECTION: Whether the scores of words or tokens find those marked as wrong.
        SPANS: Whether the spans below a threshold cover the marked ones.
        AMBIGUITY: Whether errors score below valid alternatives, and these alike.
    """

    CORRELATION = "correlation"
    BINARY = "binary"
    ERROR_DETECTION = "error-detection"
    SPANS = "spans"
    AMBIGUITY = "ambiguity"


def fitting_protocol(texts: Sequence[JudgedText]) -> Protocol:
    """The protocol that the gold of texts suggests.

    Raises:
        DataError: If there is no gold.
    """
    if texts and all(text.gold is not None for text in texts):
        values = {text.gold for text in texts}
        return Protocol.BINARY if values <= {0.0, 1.0} else Protocol.CORRELATION
    if any(text.scored.errors is not None for text in texts):
        return Protocol.ERROR_DETECTION
    raise DataError(
        "There is no gold to compare scores with: name a column with --gold, give texts with "
        "error marks, or put errors into correct texts with --protocol ambiguity or --synthetic."
    )


def ask(
    protocol: Protocol,
    texts: Sequence[JudgedText],
    setup: Setup,
    *,
    corrupted: CorruptedSet | None = None,
) -> Evaluation:
    """Run a protocol.

    Args:
        protocol: Which one.
        texts: Judged texts.
        setup: How to run it.
        corrupted: References and copies with errors, for ``ambiguity``.

    Raises:
        DataError: If the texts do not have what the protocol needs.
    """
    _check_gold(protocol, texts, setup.units)
    try:
        found = _run(protocol, texts, setup, corrupted)
    except ValueError as error:
        raise DataError(str(error)) from error
    return replace(found, notes=(*found.notes, *certainty_notes(found, texts, setup.resampling)))


def _run(
    protocol: Protocol,
    texts: Sequence[JudgedText],
    setup: Setup,
    corrupted: CorruptedSet | None,
) -> Evaluation:
    match protocol:
        case Protocol.CORRELATION:
            return correlation(texts, setup)
        case Protocol.BINARY:
            return binary(texts, setup)
        case Protocol.ERROR_DETECTION:
            return error_detection(texts, replace(setup, units=setup.units or marked_units(texts)))
        case Protocol.SPANS:
            return spans(texts, setup)
        case Protocol.AMBIGUITY:
            assert corrupted is not None
            return ambiguity(corrupted, setup)
        case _:
            assert_never(protocol)


def _check_gold(protocol: Protocol, texts: Sequence[JudgedText], units: Sequence[Unit]) -> None:
    """Refuse texts that do not have the gold of a protocol, in the words of who asks for it."""
    match protocol:
        case Protocol.CORRELATION | Protocol.BINARY:
            if all(text.gold is None for text in texts):
                raise DataError(f"`{protocol}` needs a gold number for each text; no text has one.")
        case Protocol.ERROR_DETECTION | Protocol.SPANS:
            if all(text.scored.errors is None for text in texts):
                raise DataError(
                    f"`{protocol}` needs texts with error marks or word tags; no text has any. A "
                    "text that was found to be right has `annotations` that are an empty list."
                )
            if Unit.GAP in units and not any(has_gap_tags(text) for text in texts):
                raise DataError("The unit `gap` needs word tags with gaps; no text has any.")
        case Protocol.AMBIGUITY:
            pass
        case _:
            assert_never(protocol)


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


def marked_units(texts: Sequence[JudgedText]) -> tuple[Unit, ...]:
    """What people marked: words and gaps if there are tags, otherwise tokens."""
    if not texts or any(text.scored.tags is None for text in texts):
        return (Unit.TOKEN,)
    return (Unit.WORD, Unit.GAP) if all(map(has_gap_tags, texts)) else (Unit.WORD,)


def has_gap_tags(text: JudgedText) -> bool:
    """Whether the places between the words of a text were tagged, too."""
    return text.scored.tags is not None and text.scored.tags.bad_gaps is not None
