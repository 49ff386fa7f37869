"""The text behind generated tokens, and the place of each of them in it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from headwise.backbones import EncodedPair, LanguageBackbone, PromptTemplate
from headwise.backbones.encodings import PlacedToken, hypothesis_ranges, own_texts
from headwise.backbones.generation.stopping import Stop, Stops
from headwise.backbones.incremental_decoder import IncrementalDecoder
from headwise.backbones.prompts.templates import Source


class HypothesisWriter:
    """Turns generated tokens into a hypothesis and places each of them in it.

    White space at the start of the text belongs to the prompt's layout and is left out. A token
    of white space waits for the word that it leads to; behind the last word, it closes the text.
    A token that may begin a stop waits until it is known whether it does. Tokens before the first
    text that are special (language codes, for instance) are dropped.

    Attributes:
        text: What has been written.
        leading: The white space before it that was left out.
        stopped: Whether a stop was reached; tokens after it are dropped.
        closed: Whether it was the one of the prompt's layout.
    """

    def __init__(self, backbone: LanguageBackbone, stops: Stops | None = None) -> None:
        self._backbone = backbone
        self._stops = stops or Stops()
        self._decoder = IncrementalDecoder(backbone.tokenizer)
        self._waiting: list[_Waiting] = []
        self._held: list[PlacedToken] = []
        self._index = -1
        self._recent = ""  # the last characters, in which a stop may begin
        self.text = self.leading = ""
        self.stopped = self.closed = False

    def push(self, token_id: int) -> list[PlacedToken]:
        """Add a token; returns those whose place is now known, in order."""
        self._index += 1
        if self.stopped:
            return []
        if token_id in self._backbone.special_ids:
            return self._push_special(token_id)
        new = self._decoder.push(token_id) or ""
        stop = self._write(new, token_id)
        if new.strip():
            self._held += self._place()
        if stop is not None:
            return self._end_at(stop)
        safe = len(self.text) - self._stops.begun(self._recent)
        known = next((i for i, one in enumerate(self._held) if one.end > safe), len(self._held))
        released, self._held = self._held[:known], self._held[known:]
        return released

    def finish(self) -> list[PlacedToken]:
        """Place tokens that still wait: for the rest of a character, or for a word."""
        if self.stopped:
            return []
        new = self._decoder.flush()
        if (stop := self._write(new)) is not None:
            return self._end_at(stop)
        if new.strip():
            self._held += self._place()
        released = [*self._held, *(self._closer(one.number, one.token_id) for one in self._waiting)]
        self._held.clear()
        self._waiting.clear()
        self._recent = ""
        return released if self.text else []

    def _push_special(self, token_id: int) -> list[PlacedToken]:
        placed = self.finish()
        if self.stopped:
            return placed
        self.closed = token_id in self._stops.closing_ids
        self.stopped = self.closed or token_id in self._stops.text_ids
        if not self.text or token_id in self._stops.text_ids:
            return placed
        return [*placed, self._closer(self._index, token_id)]

    def _write(self, new: str, token_id: int | None = None) -> Stop | None:
        """Add text, and the token that wrote it; returns the stop that it contains."""
        begin, kept = len(self.text), new if self.text else new.lstrip()
        self.text += kept
        self.leading += new[: len(new) - len(kept)]
        if token_id is not None:
            dropped, whole = len(new) - len(kept), self._decoder.whole
            self._waiting.append(
                _Waiting(self._index, token_id, begin, len(self.text), dropped, whole)
            )
        elif self._waiting:
            self._waiting[-1] = self._waiting[-1]._replace(end=len(self.text))
        if not self._stops.reach:
            return None
        window = self._recent + new
        self._recent = window[max(0, len(window) - self._stops.reach + 1) :]
        found = self._stops.find(window)
        return found and replace(found, place=max(0, len(self.text) - len(window) + found.place))

    def _place(self) -> list[PlacedToken]:
        """Place all that wait; the last of them completed the text."""
        text, start = self.text, self._waiting[0].start
        blank = [self._backbone.is_blank(one.token_id) for one in self._waiting]
        offsets = []
        free = start  # up to where white space has tokens
        before = 0  # whole characters that wait for an incomplete one
        for place, (one, is_blank) in enumerate(zip(self._waiting, blank, strict=True)):
            shows = next(w for w in self._waiting[place:] if w.start < w.end)
            begins = shows.start + max(0, before - shows.dropped)
            if one is shows:
                offsets.append((begins, one.end))
                free, before = one.end, 0
                continue
            if one.whole is not None:
                offsets.append((begins, shows.start + max(0, one.whole - shows.dropped) + 1))
                before = one.whole
                continue
            # It wrote a space that decoders show late
            begin = max(free, shows.start)
            word = begin + len(text[begin:]) - len(text[begin:].lstrip())
            offsets.append((begin, word) if is_blank else (word, word + 1))
            free = word if is_blank else free
        ranges = hypothesis_ranges(offsets, blank, text, start=start, end=len(text))
        texts = own_texts(ranges, text[start:])
        placed = [
            PlacedToken(one.number, one.token_id, own, start + a, start + b, False)
            for one, own, (a, b) in zip(self._waiting, texts, ranges, strict=True)
        ]
        self._waiting.clear()
        return placed

    def _end_at(self, stop: Stop) -> list[PlacedToken]:
        """Cut the text off; tokens of the stop close it, or are dropped if a user named it."""
        self.stopped, self.closed = True, stop.closing
        if not self.text:  # nothing but white space came before it
            return []
        if self._waiting:
            self._held += self._place()
        self.text = self.text[: stop.place].rstrip()
        if not self.text:
            return []
        end, placed = len(self.text), []
        for one in self._held:
            if one.start < end:
                cut = min(one.end, end)
                placed.append(replace(one, text=one.text[: cut - one.start], end=cut))
            elif stop.closing or one.start < stop.place:
                placed.append(self._closer(one.index, one.token_id))
        return placed

    def _closer(self, index: int, token_id: int) -> PlacedToken:
        end = len(self.text.rstrip())
        return PlacedToken(index, token_id, self._backbone.token_name(token_id), end, end, True)


class _Waiting(NamedTuple):
    """A token without a place, and the characters that were written when it arrived.

    Before them, white space may have been dropped. After a token that ends inside a character,
    so many whole ones wait with it.
    """

    number: int
    token_id: int
    start: int
    end: int
    dropped: int = 0
    whole: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A generated text, without white space around it, and its tokens, in order.

    Special ones among them close it: control tokens, white space after the last word, and what
    closes texts in the prompt's layout, which ``closed`` says was reached. ``leading`` is the white
    space before it.
    """

    text: str
    places: tuple[PlacedToken, ...]
    closed: bool = False
    leading: str = ""


def write_hypothesis(
    backbone: LanguageBackbone, token_ids: Sequence[int], stops: Stops | None = None
) -> Written:
    """The text behind generated tokens, closing special ones included."""
    writer = HypothesisWriter(backbone, stops)
    found = [place for token_id in token_ids for place in writer.push(token_id)]
    found += writer.finish()
    return Written(writer.text.rstrip(), tuple(found), writer.closed, writer.leading)


def closing_token(backbone: LanguageBackbone, source: Source, prompt: PromptTemplate) -> int | None:
    """The id of the first token behind a text that is scored; ``None`` if nothing closes texts.

    Raises:
        InputError: If no text can be scored with this source.
    """
    (code,) = backbone.encode([(source, "a")], prompt)
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
        (
            p.index
            for p in written.places
            if p.index > text[-1] and (p.token_id in closers or (written.closed and p.special))
        ),
        None,
    )
    return (text, written.closed) if end is None else ((*text, end), True)
