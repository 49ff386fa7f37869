"""What answers have beside their text: our scores, and log-probabilities as OpenAI has them."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from headwise.data.records.scored import ScoredToken
from headwise.data.records.signals import Signal, parse_signals
from headwise.quality.scorer import Scorer
from headwise.serving.errors import wishes_of_client
from headwise.serving.generation.writing import AnswerPiece, WholeAnswer
from headwise.serving.quality_service import QualityService
from headwise.serving.schemas.generation import GenerationRequest
from headwise.serving.score_rows import score_row

# What OpenAI writes for tokens that are very unlikely
_VERY_UNLIKELY = -9999.0


class Beside:
    """What a request wants beside the text.

    Attributes:
        scorer: What computes it, and nothing else.
    """

    def __init__(self, quality: QualityService, asked: GenerationRequest) -> None:
        """Read the wishes.

        Raises:
            ApiError: If a signal, number or variable is not possible.
        """
        self._scores, self._top = asked.scores, asked.top_logprobs_asked
        self._hidden: set[str] = set()
        self.scorer = self._scorer(quality)

    def _scorer(self, quality: QualityService) -> Scorer:
        scores = self._scores
        with wishes_of_client():
            names: list[str] = []
            if scores is not None:
                default = [quality.estimator.default_signal]
                names = [*parse_signals(default if scores.signals is None else scores.signals)]
        if self._top is not None and Signal.LOGPROB not in names:
            names.append(Signal.LOGPROB)
            self._hidden.add(Signal.LOGPROB)
        also = {"threshold", "segment_threshold", "variables"}
        wishes = {} if scores is None else scores.model_dump(include=also)
        alternatives = max(self._top or 0, scores.alternatives if scores else 0)
        scorer = quality.scorers.of(names or None, alternatives=alternatives, **wishes)
        if not names:  # nothing is computed but the text
            scorer = replace(scorer, request=replace(scorer.request, signals=()))
        return scorer

    def of_piece(self, piece: AnswerPiece) -> dict[str, Any]:
        """Our scores of a token, as a field of its choice."""
        if self._scores is None:
            return {}
        return {"headwise": self._row(piece.token.row(), piece.shift)}

    def of_text(self, written: WholeAnswer, *, tokens: bool) -> dict[str, Any]:
        """Our scores of a text, as ``/v1/score`` has them, likewise."""
        if self._scores is None:
            return {}
        shift = len(written.leading)
        scored = replace(written.scored, extra=None)
        row = score_row(scored, "token" if tokens else "sentence")
        left_out = ("source", "hypothesis")
        row = {name: value for name, value in row.items() if name not in left_out}
        row["signals"] = {n: v for n, v in row["signals"].items() if n not in self._hidden}
        for name in ("tokens", "spans", "to_check"):
            row |= {name: [self._row(one, shift) for one in row[name]]} if name in row else {}
        for gap in row.get("gaps", ()):
            gap["place"] += shift
        return {"headwise": row}

    def _row(self, row: dict[str, Any], shift: int) -> dict[str, Any]:
        """A token, word or span without what only log-probabilities need."""
        row = {name: value for name, value in row.items() if name not in self._hidden}
        if "start" in row:
            row |= {"start": row["start"] + shift, "end": row["end"] + shift}
        if "alternatives" in row and self._scores is not None:
            row["alternatives"] = row["alternatives"][: self._scores.alternatives]
            if not self._scores.alternatives:
                del row["alternatives"]
        return row

    def chat_logprobs(self, pieces: Iterable[AnswerPiece]) -> dict[str, Any] | None:
        """Log-probabilities as chat completions have them; special tokens are not in the text."""
        if self._top is None:
            return None
        content = [
            {
                **_named(piece.text, piece.token.logprob),
                "top_logprobs": [_named(*one) for one in self._choices(piece.token)],
            }
            for piece in pieces
            if not piece.token.special
        ]
        return {"content": content, "refusal": None}

    def completion_logprobs(
        self, pieces: Iterable[AnswerPiece], start: int
    ) -> dict[str, Any] | None:
        """Log-probabilities as completions have them; offsets are counted from ``start``."""
        if self._top is None:
            return None
        own = [piece for piece in pieces if not piece.token.special]
        offsets = []
        for piece in own:
            offsets.append(start)
            start += len(piece.text)
        tops = [
            {**dict(self._choices(piece.token)), piece.text: _finite(piece.token.logprob)}
            for piece in own
        ]
        return {
            "tokens": [piece.text for piece in own],
            "token_logprobs": [_finite(piece.token.logprob) for piece in own],
            "top_logprobs": tops if self._top else None,
            "text_offset": offsets,
        }

    def _choices(self, token: ScoredToken) -> list[tuple[str, float]]:
        """The language model's own choices and their log-probabilities."""
        own = (token.alternatives or ())[: self._top]
        return [(one.text, math.log(one.probability or math.ulp(0))) for one in own]


def _finite(logprob: float | None) -> float:
    return _VERY_UNLIKELY if logprob is None else max(logprob, _VERY_UNLIKELY)


def _named(text: str, logprob: float | None) -> dict[str, Any]:
    # A part of a character is shown by a sign that has other bytes
    bytes_ = None if "\ufffd" in text else list(text.encode("utf-8"))
    return {"token": text, "logprob": _finite(logprob), "bytes": bytes_}
