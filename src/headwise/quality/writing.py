"""The text behind generated tokens, and the place of each of them in it."""

from collections.abc import Sequence
from dataclasses import replace

from headwise.backbones import LanguageBackbone
from headwise.backbones.incremental_decoder import IncrementalDecoder
from headwise.backbones.token_ranges import hypothesis_ranges
from headwise.data.scored import ScoredHypothesis, ScoredToken
from headwise.quality.signal_request import SignalRequest
from headwise.quality.token_signals import PlacedToken, TokenSignals, text_fields


class HypothesisWriter:
    """Turns generated tokens into a hypothesis and places each of them in it.

    White space at the start of the text belongs to the prompt's layout and is left out. A token
    of white space alone waits for the character that it leads to, and is placed there. Tokens
    before the first text that are special (language codes, for instance) are dropped.
    """

    def __init__(self, backbone: LanguageBackbone) -> None:
        self._decoder = IncrementalDecoder(backbone.tokenizer)
        self._name = backbone.token_name
        self._special = backbone.special_ids
        self._waiting: list[tuple[int, int]] = []
        self._index = -1
        self.text = ""

    def push(self, token_id: int) -> list[PlacedToken]:
        """Add a token; returns those whose place is now known, in order."""
        self._index += 1
        if token_id in self._special:
            placed = self.finish()
            if not self.text:
                return placed
            end = len(self.text)
            name = self._name(token_id)
            return [*placed, PlacedToken(self._index, token_id, name, end, end, True)]
        self._waiting.append((self._index, token_id))
        new = self._decoder.push(token_id) or ""
        begin = self._write(new)
        return self._place(begin) if new.strip() else []

    def finish(self) -> list[PlacedToken]:
        """Place tokens that still wait: for the rest of a character, or for a word."""
        begin = self._write(self._decoder.flush())
        return self._place(begin) if self.text and self._waiting else []

    def _write(self, new: str) -> int:
        begin = len(self.text)
        self.text += new if self.text else new.lstrip()
        return begin

    def _place(self, begin: int) -> list[PlacedToken]:
        """Place all that wait; the last of them wrote the text from ``begin``."""
        end = len(self.text)
        # The others wrote spaces, or bytes of the first character that is no space
        first = min(end - len(self.text[begin:].lstrip()), end - 1)
        offsets = [(first, first + 1)] * (len(self._waiting) - 1) + [(begin, end)]
        ranges = hypothesis_ranges(offsets, self.text, start=0, end=end)
        placed = [
            PlacedToken(index, token_id, self.text[a:b], a, b, False)
            for (index, token_id), (a, b) in zip(self._waiting, ranges, strict=True)
        ]
        self._waiting.clear()
        return placed


def written_hypothesis(
    backbone: LanguageBackbone,
    source: str | None,
    token_ids: Sequence[int],
    signals: TokenSignals,
    request: SignalRequest,
) -> ScoredHypothesis:
    """Assemble the record of a generated hypothesis.

    Args:
        backbone: The model that wrote it.
        source: What it answers to.
        token_ids: What was written, closing special tokens included.
        signals: One value a token and signal.
        request: What was asked for.
    """
    writer = HypothesisWriter(backbone)
    places = [place for token_id in token_ids for place in writer.push(token_id)]
    places += writer.finish()
    hypothesis = writer.text.rstrip()
    tokens: list[ScoredToken] = []
    positions: list[int] = []
    special: list[ScoredToken] = []
    for place in places:
        start, end = min(place.start, len(hypothesis)), min(place.end, len(hypothesis))
        if place.special:
            placed = replace(place, start=start, end=end)
            special.append(signals.token(place.index, placed))
        elif start < end:
            placed = replace(place, start=start, end=end, text=hypothesis[start:end])
            tokens.append(signals.token(place.index, placed))
            positions.append(place.index)
        else:  # white space after the last word closes the sequence, like a special token
            name = backbone.token_name(place.token_id)
            placed = replace(place, start=start, end=end, text=name, special=True)
            special.append(signals.token(place.index, placed))
    return ScoredHypothesis(
        source,
        hypothesis,
        tuple(tokens),
        tuple(special),
        request.signals,
        **text_fields(signals, positions, request),
    )
