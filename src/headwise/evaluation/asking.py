"""Which protocol answers what a user asks, and the answer."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import assert_never

from headwise.errors import DataError
from headwise.evaluation.columns import Unit
from headwise.evaluation.corrupted_set import CorruptedSet
from headwise.evaluation.judged_text import JudgedText
from headwise.evaluation.protocols.ambiguity import ambiguity
from headwise.evaluation.protocols.binary import binary
from headwise.evaluation.protocols.correlation import correlation
from headwise.evaluation.protocols.error_detection import error_detection
from headwise.evaluation.protocols.spans import spans
from headwise.evaluation.resampling import Resampling
from headwise.evaluation.results import Evaluation


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
    *,
    gold_name: str,
    units: Sequence[Unit] = (),
    aggregations: Sequence[str] | None = None,
    resampling: Resampling,
    settings: Mapping[str, str | int | float | bool],
    notes: Sequence[str] = (),
    corrupted: CorruptedSet | None = None,
) -> Evaluation:
    """Run a protocol.

    Args:
        protocol: Which one.
        texts: Judged texts.
        gold_name: What the gold is, for a reader.
        units: Words, tokens, gaps; by default what the gold marks.
        aggregations: How token values become one.
        resampling: Settings of intervals and tests.
        settings: What else the report should say about the run.
        notes: What a reader has to know.
        corrupted: References and copies with errors, for ``ambiguity``.

    Raises:
        DataError: If the texts do not have what the protocol needs.
    """
    try:
        match protocol:
            case Protocol.CORRELATION | Protocol.BINARY:
                of_texts = correlation if protocol is Protocol.CORRELATION else binary
                return of_texts(
                    texts,
                    gold_name=gold_name,
                    resampling=resampling,
                    settings=settings,
                    notes=notes,
                    aggregations=aggregations,
                )
            case Protocol.ERROR_DETECTION:
                return error_detection(
                    texts,
                    gold_name=gold_name,
                    units=units or marked_units(texts),
                    resampling=resampling,
                    settings=settings,
                    notes=notes,
                    aggregations=aggregations,
                )
            case Protocol.SPANS:
                return spans(
                    texts,
                    gold_name=gold_name,
                    unit=units[0] if units else Unit.WORD,
                    resampling=resampling,
                    settings=settings,
                    notes=notes,
                )
            case Protocol.AMBIGUITY:
                assert corrupted is not None
                return ambiguity(
                    corrupted,
                    data_name=gold_name,
                    resampling=resampling,
                    settings=settings,
                    notes=notes,
                    aggregations=aggregations,
                )
            case _:
                assert_never(protocol)
    except ValueError as error:
        raise DataError(str(error)) from error


def marked_units(texts: Sequence[JudgedText]) -> tuple[Unit, ...]:
    """What people marked: words and gaps if there are tags, otherwise tokens."""
    if not texts or any(text.scored.tags is None for text in texts):
        return (Unit.TOKEN,)
    gaps = all(t.scored.tags is not None and t.scored.tags.bad_gaps is not None for t in texts)
    return (Unit.WORD, Unit.GAP) if gaps else (Unit.WORD,)
