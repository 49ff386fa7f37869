"""Which protocol answers what a user asks, and the answer."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import assert_never

from headwise.choices import Unit
from headwise.errors import DataError
from headwise.evaluation.quality.corrupted_set import CorruptedSet
from headwise.evaluation.quality.judged_texts import JudgedText
from headwise.evaluation.quality.protocols.ambiguity import ambiguity
from headwise.evaluation.quality.protocols.binary import binary
from headwise.evaluation.quality.protocols.correlation import correlation
from headwise.evaluation.quality.protocols.error_detection import error_detection
from headwise.evaluation.quality.protocols.references import references
from headwise.evaluation.quality.protocols.spans import spans
from headwise.evaluation.statistics.notes import with_certainty_notes
from headwise.evaluation.statistics.results import Evaluation
from headwise.evaluation.statistics.setup import Setup


class EvaluationProtocol(StrEnum):
    """What is asked of scores.

    Attributes:
        CORRELATION: Whether the scores of texts agree with gold numbers.
        BINARY: Whether they tell good texts (gold 1) from bad ones (gold 0).
        ERROR_DETECTION: Whether the scores of words or tokens find those marked as wrong.
        SPANS: Whether the spans below a threshold cover the marked ones.
        AMBIGUITY: Whether errors score below valid alternatives, and these alike.
        REFERENCES: Whether outputs that people scored low score below people's references of the
            same source, and these alike.
    """

    CORRELATION = "correlation"
    BINARY = "binary"
    ERROR_DETECTION = "error-detection"
    SPANS = "spans"
    AMBIGUITY = "ambiguity"
    REFERENCES = "references"


def fitting_protocol(texts: Sequence[JudgedText]) -> EvaluationProtocol:
    """The protocol that the gold of texts suggests.

    Raises:
        DataError: If there is no gold.
    """
    if texts and all(text.gold is not None for text in texts):
        values = {text.gold for text in texts}
        return EvaluationProtocol.BINARY if values <= {0.0, 1.0} else EvaluationProtocol.CORRELATION
    if any(text.scored.errors is not None for text in texts):
        return EvaluationProtocol.ERROR_DETECTION
    raise DataError(
        "There is no gold to compare scores with: name a column with --gold, give texts with "
        "error marks, or put errors into correct texts with --protocol ambiguity or --synthetic."
    )


def run_protocol(
    protocol: EvaluationProtocol,
    texts: Sequence[JudgedText],
    setup: Setup,
    *,
    corrupted: CorruptedSet | None = None,
) -> Evaluation:
    """Run a protocol; ``ambiguity`` needs references and copies with errors.

    Raises:
        DataError: If the texts do not have what the protocol needs.
    """
    _check_gold(protocol, texts, setup.units)
    try:
        found = _run(protocol, texts, setup, corrupted)
    except ValueError as error:
        raise DataError(str(error)) from error
    return with_certainty_notes(found, [text.group for text in texts], setup.resampling)


def _run(
    protocol: EvaluationProtocol,
    texts: Sequence[JudgedText],
    setup: Setup,
    corrupted: CorruptedSet | None,
) -> Evaluation:
    match protocol:
        case EvaluationProtocol.CORRELATION:
            return correlation(texts, setup)
        case EvaluationProtocol.BINARY:
            return binary(texts, setup)
        case EvaluationProtocol.ERROR_DETECTION:
            return error_detection(texts, replace(setup, units=setup.units or marked_units(texts)))
        case EvaluationProtocol.SPANS:
            return spans(texts, setup)
        case EvaluationProtocol.AMBIGUITY:
            assert corrupted is not None
            return ambiguity(corrupted, setup)
        case EvaluationProtocol.REFERENCES:
            return references(texts, setup)
        case _:
            assert_never(protocol)


def _check_gold(
    protocol: EvaluationProtocol, texts: Sequence[JudgedText], units: Sequence[Unit]
) -> None:
    """Refuse texts that do not have the gold of a protocol, in the words of who asks for it."""
    match protocol:
        case EvaluationProtocol.CORRELATION | EvaluationProtocol.BINARY:
            if all(text.gold is None for text in texts):
                raise DataError(f"`{protocol}` needs a gold number for each text; no text has one.")
        case EvaluationProtocol.ERROR_DETECTION | EvaluationProtocol.SPANS:
            if all(text.scored.errors is None for text in texts):
                raise DataError(
                    f"`{protocol}` needs texts with error marks or word tags; no text has any. A "
                    "text that was found to be right has `annotations` that are an empty list."
                )
            if Unit.GAP in units and not any(has_gap_tags(text) for text in texts):
                raise DataError("The unit `gap` needs word tags with gaps; no text has any.")
        case EvaluationProtocol.AMBIGUITY | EvaluationProtocol.REFERENCES:
            pass
        case _:
            assert_never(protocol)


def marked_units(texts: Sequence[JudgedText]) -> tuple[Unit, ...]:
    """What people marked: words and gaps if there are tags, otherwise tokens."""
    if not texts or any(text.scored.tags is None for text in texts):
        return (Unit.TOKEN,)
    return (Unit.WORD, Unit.GAP) if all(map(has_gap_tags, texts)) else (Unit.WORD,)


def has_gap_tags(text: JudgedText) -> bool:
    """Whether the places between the words of a text were tagged, too."""
    return text.scored.tags is not None and text.scored.tags.bad_gaps is not None
