"""The fields of a scored hypothesis, read back from the row of JSON that it became."""

from typing import Any

from headwise.data.records.scored_pieces import ScoredToken
from headwise.data.records.signals import Signal
from headwise.data.records.word_tags import read_marks

_OWN_KEYS = frozenset(
    {"source", "hypothesis", "score", "signals", "annotations", "word_tags", "tokens"}
)
# Keys that are ours only in a row that was scored with `quality`, with `omission`, or that says
# what to check, as rows of earlier versions do not
_OF_QUALITY = ("text_quality", "ranking_score", "threshold")
_OF_OMISSION = ("opening_omission",)
_ANSWER = ("threshold", "flagged", "to_check")


def fields_of_row(row: dict[str, Any]) -> dict[str, Any]:
    """What ``ScoredHypothesis.as_dict`` wrote at token level, as the fields of the record.

    Raises:
        KeyError: If the row holds no tokens, or lacks another field of such rows.
        ValueError: If a signal is unknown, or marks do not fit the hypothesis.
    """
    tokens = [ScoredToken.of_row(token) for token in row["tokens"]]
    hypothesis = row["hypothesis"]
    calibrated = Signal.QUALITY in row["signals"]
    with_gaps = Signal.OMISSION in row["signals"]
    errors, tags = read_marks(row.get("annotations"), row.get("word_tags"), hypothesis)
    answered = set(_ANSWER) <= row.keys()
    known = _OWN_KEYS | set(_OF_QUALITY if calibrated else ())
    known |= set(_OF_OMISSION if with_gaps else ())
    known |= {*_ANSWER, "segment_threshold"} if answered else set()
    return {
        "source": row.get("source"),
        "hypothesis": hypothesis,
        "tokens": tuple(token for token in tokens if not token.special),
        "special_tokens": tuple(token for token in tokens if token.special),
        "signals": tuple(Signal(name) for name in row["signals"]),
        "extra": {key: value for key, value in row.items() if key not in known} or None,
        "errors": errors,
        "tags": tags,
        "quality": row.get("text_quality") if calibrated else None,
        "ranking_score": row.get("ranking_score") if calibrated else None,
        "threshold": row.get("threshold") if calibrated or answered else None,
        "opening_omission": row.get("opening_omission") if with_gaps else None,
        "segment_threshold": row.get("segment_threshold") if answered else None,
    }
