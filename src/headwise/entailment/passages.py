"""Cut a long text into passages that a model can read, and know where each one stands."""

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from sentencex import get_sentence_boundaries

from headwise.backbones import EncoderBackbone
from headwise.errors import ContextLengthError, InputError

T = TypeVar("T")
Steps: TypeAlias = Generator[None, None, T]

# Sentences that are tokenised in a step
_SENTENCES = 128
# Neighbouring windows of a long sentence share this part of their tokens, so that what stands at
# a cut is read whole in one of them
_OVERLAP = 0.25
# The splitter fails on white space outside ASCII (U+0085, U+2028, ...), for which any other
# white space of one character does as well
_WIDE_SPACE = re.compile(r"[^\S\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a text, ``text[start:end]``, without white space around it.

    Attributes:
        start: First character in the text.
        end: One past the last.
    """

    start: int
    end: int

    def of(self, text: str) -> str:
        """The passage itself.

        Args:
            text: The text that the passage lies in.
        """
        return text[self.start : self.end]


def sentences(text: str, *, language: str) -> list[Passage]:
    """The sentences of a text; pieces of nothing but white space are left out.

    Abbreviations of its language do not end a sentence; an unknown one is cut by general rules.
    """
    found = get_sentence_boundaries(language, _WIDE_SPACE.sub(" ", text))
    passages = [_trimmed(text, piece["start_index"], piece["end_index"]) for piece in found]
    return [passage for passage in passages if passage.end > passage.start]


def passage_steps(
    text: str, *, backbone: EncoderBackbone, language: str, window: int, room: int | None
) -> Steps[list[Passage]]:
    """Cut a text into windows of sentences that fit into a room of tokens, without control tokens.

    The text is readable but for its length. A passage has ``window`` neighbouring sentences, or
    fewer where they do not fit together; passages overlap if it is above 1. A sentence that does
    not fit on its own is cut into overlapping windows of tokens, at spaces where there are some.
    ``None`` as room is no limit. It is a generator that pauses after some sentences each.

    Raises:
        ContextLengthError: If there is no room, or a sentence must be cut and the tokeniser does
            not report where its tokens stand.
    """
    if room is not None and room < 1:
        raise ContextLengthError(
            "The claim leaves no room for a passage of the source; shorten the claim."
        )

    def count(piece: str) -> int:
        return token_counts(backbone, [piece])[0]

    units: list[Passage] = []
    split = sentences(text, language=language)
    for start in range(0, len(split), _SENTENCES):
        part = split[start : start + _SENTENCES]
        lengths = token_counts(backbone, [sentence.of(text) for sentence in part])
        for sentence, tokens in zip(part, lengths, strict=True):
            # A sentence of invisible characters can come to no token at all
            if tokens and (room is None or tokens <= room):
                units.append(sentence)
            elif tokens and room is not None:
                units += _token_windows(text, sentence, backbone=backbone, room=room, count=count)
        yield
    return (yield from _sentence_windows(text, units, window=window, room=room, count=count))


def passages(text: str, **options: Any) -> list[Passage]:
    """Cut a text at one go; arguments are those of :func:`passage_steps`."""
    return result_of(passage_steps(text, **options))


def result_of(steps: Steps[T]) -> T:
    """What a generator returns when it has made all its steps."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: T = end.value
            return found


def _trimmed(text: str, start: int, end: int) -> Passage:
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return Passage(start, start + len(piece.strip()))


def token_counts(backbone: EncoderBackbone, texts: Sequence[str]) -> list[int]:
    """Tokens of texts, control tokens left out."""
    if not texts:
        return []
    found: list[list[int]] = backbone.tokenizer(
        list(texts),
        add_special_tokens=False,
        verbose=False,  # too long a text is what we are here for
    )["input_ids"]
    return list(map(len, found))


def _sentence_windows(
    text: str,
    units: Sequence[Passage],
    *,
    window: int,
    room: int | None,
    count: Callable[[str], int],
) -> Steps[list[Passage]]:
    found: list[Passage] = []
    for first, unit in enumerate(units):
        if first % _SENTENCES == 0:
            yield
        widest = unit
        for last in units[first + 1 : first + window]:
            longer = Passage(unit.start, last.end)
            if room is not None and count(longer.of(text)) > room:
                break
            widest = longer
        # The last windows of a text end where an earlier one ends, and say nothing new
        if not found or widest.end > found[-1].end:
            found.append(widest)
    return found


def _token_windows(
    text: str,
    sentence: Passage,
    *,
    backbone: EncoderBackbone,
    room: int,
    count: Callable[[str], int],
) -> list[Passage]:
    if not backbone.tokenizer.is_fast:
        raise ContextLengthError(
            f"A sentence takes more than the {room} tokens that fit, and "
            f"{type(backbone.tokenizer).__name__} does not say where its tokens stand; split the "
            "sentence."
        )
    offsets = [
        (sentence.start + start, sentence.start + end)
        for start, end in backbone.tokenizer(
            sentence.of(text),
            add_special_tokens=False,
            return_offsets_mapping=True,
            verbose=False,
        )["offset_mapping"]
        if end > start
    ]
    starts = {i for i, (start, _) in enumerate(offsets) if _begins_word(text, start)}
    overlap = int(room * _OVERLAP)
    found: list[Passage] = []
    first = 0
    while True:
        last = min(first + room, len(offsets))
        if last < len(offsets):
            last = _word_start(starts, last, lowest=max(first + 1, last - overlap))
        piece = _trimmed(text, offsets[first][0], offsets[last - 1][1])
        # A part of a word can take more tokens than it took within the word
        while (tokens := count(piece.of(text))) > room and last > first + 1:
            last = max(first + 1, last - (tokens - room))
            piece = _trimmed(text, offsets[first][0], offsets[last - 1][1])
        if tokens > room:
            raise ContextLengthError(
                f"The character {piece.of(text)!r} alone takes {tokens} tokens, and {room} fit."
            )
        if piece.end > piece.start:
            found.append(piece)
        if last == len(offsets):
            return found
        # At least one token on, or a narrow room would never let the loop end
        first = max(first + 1, _word_start(starts, last - overlap, lowest=last - 2 * overlap))


def _begins_word(text: str, start: int) -> bool:
    return start == 0 or text[start].isspace() or text[start - 1].isspace()


def _word_start(starts: set[int], token: int, *, lowest: int) -> int:
    """The last token up to ``token`` that begins a word; ``token`` if there is none near."""
    return next((i for i in range(token, lowest - 1, -1) if i in starts), token)


def premise_room(backbone: EncoderBackbone, hypothesis: int, *, joint: bool) -> int | None:
    """Tokens that a premise may have, control tokens left out; ``None`` if there is no limit.

    Heads that read both texts as one (``joint``) need premise and hypothesis to fit in together.
    ``hypothesis`` is the length of that one, as :func:`readable_length` counts it.
    """
    if (limit := backbone.max_length) is None:
        return None
    single, pair = map(backbone.tokenizer.num_special_tokens_to_add, (False, True))
    single += len(backbone.prompt_ids("text"))
    return limit - pair - (hypothesis - single) if joint else limit - single


def readable_length(backbone: EncoderBackbone, text: str, *, what: str) -> int | None:
    """Tokens of a text, control tokens included; ``None`` if it is longer than the context.

    Raises:
        TextError: If it cannot be read at all.
    """
    (code,) = backbone.encode([text], what=what)
    if isinstance(code, ContextLengthError):
        return None
    if isinstance(code, InputError):
        raise code
    return len(code)
