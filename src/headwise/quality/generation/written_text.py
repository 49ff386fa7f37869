"""The text behind generated tokens, and the place of each of them in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headwise.backbones import EncodedPair, LanguageBackbone, PromptTemplate
from headwise.backbones.encodings import hypothesis_ranges
from headwise.backbones.incremental_decoder import IncrementalDecoder
from headwise.quality.token_signals import PlacedToken


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


@dataclass(frozen=True, slots=True)
class Written:
    """A generated text, without white space around it, and its tokens, in order.

    Special ones among them close it: control tokens and white space after the last word.
    """

    text: str
    places: tuple[PlacedToken, ...]


def write_hypothesis(backbone: LanguageBackbone, token_ids: Sequence[int]) -> Written:
    """The text behind generated tokens, closing special ones included."""
    writer = HypothesisWriter(backbone)
    found = [place for token_id in token_ids for place in writer.push(token_id)]
    found += writer.finish()
    text = writer.text.rstrip()
    places = []
    for place in found:
        start, end = min(place.start, len(text)), min(place.end, len(text))
        placed = replace(place, start=start, end=end)
        if not place.special and start < end:
            placed = replace(placed, text=text[start:end])
        elif not place.special:
            placed = replace(placed, text=backbone.token_name(place.token_id), special=True)
        places.append(placed)
    return Written(text, tuple(places))


_ANY_TEXT = "a"


def closing_token(backbone: LanguageBackbone, prompt: PromptTemplate) -> int | None:
    """The id of the first token behind a text that is scored; ``None`` if nothing closes texts.

    Raises:
        PromptError: If no text can be scored with this prompt.
    """
    source = _ANY_TEXT if prompt.has_source else None
    (code,) = backbone.encode([(source, _ANY_TEXT)], prompt)
    if not isinstance(code, EncodedPair):
        raise code
    return next(iter(code.targets[len(code.ranges) :]), None)


def read_positions(
    backbone: LanguageBackbone, written: Written, closing: int | None
) -> tuple[tuple[int, ...], bool]:
    """The positions of a generated text that an error head reads, and whether the text is whole.

    These are the text's tokens and, where the layout closes texts (see :func:`closing_token`), one
    closing token. A text that lacks it was cut.
    """
    text = tuple(place.index for place in written.places if not place.special)
    if closing is None or not text:
        return text, True
    closers = backbone.special_ids | {closing}
    end = next(
        (p.index for p in written.places if p.index > text[-1] and p.token_id in closers), None
    )
    return (text, False) if end is None else ((*text, end), True)
