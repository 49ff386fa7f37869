"""Errors of writing: marks, capitals, spaces, parts of words, and words with marks of their own."""

import random
import re
from collections.abc import Collection

from headwise.corruption.changes import Change, Changes
from headwise.corruption.known_texts import CorpusWords, folded_words
from headwise.corruption.text_words import TextWords

# What a mark may become; between `.` and `!`, or `,` and `;`, writers choose
_OTHER_MARKS = {
    ".": "?,:;",
    "!": "?,:;",
    "?": ".!,:;",
    ",": ".?!:",
    ";": ".?!:",
    ":": "?!;",
}
_PUT_IN_MARKS = ",,,..;:?!-"
_FINAL_MARKS = frozenset(".!?")
_CHUNK = re.compile(r"\S+")
_WHOLE_IN_CAPITALS = 0.15
# Shorter words have no part that a reader would know as one
_SHORTEST_PARTED = 5
_SHORTEST_PART = 2
_MAX_DRAWS = 10


def change_mark(words: TextWords, rng: random.Random, source: TextWords | None) -> Changes:
    """Let a mark be another, said twice, gone or moved, or put one in where there is none.

    The final mark is gone only where the source has one, or nobody could tell.
    """
    marks = [i for i in range(1, len(words)) if _is_mark(words, i)]
    if not marks or rng.random() < 1 / 4:
        places = words.runs(2)
        if not places:
            return ()
        return (words.with_word_after(rng.choice(places), rng.choice(_PUT_IN_MARKS), space=""),)
    place = rng.choice(marks)
    mark, (start, end) = words[place], words.ranges[place]
    match rng.choice(("another", "twice", "gone", "moved")):
        case "another":
            other = rng.choice(_OTHER_MARKS[mark])
            return (Change(start, end, other, (0, 1)),)
        case "twice":
            return (Change(end, end, mark, (0, 1)),)
        case "gone":
            closes = source is not None and len(source) and source[-1] in _FINAL_MARKS
            may_go = place + 1 < len(words) or closes
            return (Change(start, end, "", (0, 0)),) if may_go else ()
    # Where the mark goes, a word ends in a space, and is not the one that it left
    places = [i for i in words.runs(2) if i != place - 1]
    if not places:
        return ()
    put_in = words.with_word_after(rng.choice(places), mark, space="")
    return (Change(start, end, "", (0, 0)), put_in)


def _is_mark(words: TextWords, index: int) -> bool:
    """Whether a mark of one character stands behind a word, and no other mark beside it."""
    start, end = words.ranges[index]
    return (
        words[index] in _OTHER_MARKS
        and words.is_word(index - 1)
        and words.ranges[index - 1][1] == start
        and (end == len(words.text) or words.text[end].isspace())
    )


def change_capital(words: TextWords, corpus: CorpusWords, rng: random.Random) -> Changes:
    """Give a word the other kind of first letter, or capitals throughout.

    What the corpus has inside its sentences is right there; that keeps *Sie* and *sie*.
    """
    choices: list[tuple[int, str]] = []
    for i in range(len(words)):
        word = words[i]
        if not (word.isalpha() and words.stands_alone(i) and (word.islower() or word.istitle())):
            continue
        turned = word[0].swapcase() + word[1:]
        if turned != word and (words.opens_sentence(i) or turned not in corpus.inside):
            choices.append((i, turned))
    if not choices:
        return ()
    place, turned = rng.choice(choices)
    if len(turned) > 1 and rng.random() < _WHOLE_IN_CAPITALS:
        turned = words[place].upper()
    return (Change(*words.ranges[place], turned, (0, len(turned))),)


def change_space(words: TextWords, corpus: CorpusWords, rng: random.Random) -> Changes:
    """Take the space between two words away, put one into a word, or in front of a mark."""
    how = rng.choice(("joined", "joined", "parted", "parted", "before a mark"))
    if how == "joined":
        pairs = [i for i in words.runs(2) if words.ranges[i][1] < words.ranges[i + 1][0]]
        if not pairs:
            return ()
        first = rng.choice(pairs)
        joined = words[first] + words[first + 1]
        if joined in corpus.inside:
            return ()
        start, end = words.ranges[first][0], words.ranges[first + 1][1]
        return (Change(start, end, joined, (0, len(joined))),)
    if how == "parted":
        place = _parted_word(words, rng)
        if place is None:
            return ()
        word = words[place]
        cut = rng.randrange(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
        parted = f"{word[:cut]} {word[cut:]}"
        return (Change(*words.ranges[place], parted, (0, len(parted))),)
    marks = [i for i in range(1, len(words)) if _is_mark(words, i)]
    if not marks:
        return ()
    place = rng.choice(marks)
    return (Change(*words.ranges[place], f" {words[place]}", (1, 2)),)


def break_word(words: TextWords, corpus: CorpusWords, rng: random.Random) -> Changes:
    """Leave part of a word: its beginning, its end, both without the middle, or with another's."""
    place = _parted_word(words, rng)
    if place is None:
        return ()
    word = words[place]
    cut = rng.randrange(_SHORTEST_PART, len(word) - _SHORTEST_PART + 1)
    head, tail = word[:cut], word[cut:]
    match rng.choice(("head", "tail", "middle", "other tail", "twice")):
        case "head":
            broken = head
        case "tail":
            broken = tail
        case "middle":
            broken = head + tail[rng.randrange(1, len(tail)) :]
        case "twice":
            broken = head + head[-_SHORTEST_PART:].lower() + tail
        case _:
            other = corpus.draw(rng, {word.casefold()}) or ""
            broken = head + other[len(other) // 2 :]
    if broken == word or broken in corpus.inside or broken.lower() in corpus.lower:
        return ()
    return (Change(*words.ranges[place], broken, (0, len(broken))),)


def _parted_word(words: TextWords, rng: random.Random) -> int | None:
    """A word that is long enough to be parted."""
    places = [
        i
        for i in range(len(words))
        if len(words[i]) >= _SHORTEST_PARTED and words[i].isalpha() and words.stands_alone(i)
    ]
    return rng.choice(places) if places else None


def move_chunk(
    words: TextWords, chunks: CorpusWords, rng: random.Random, refused: Collection[str]
) -> Changes:
    """Let what stands between two spaces, marks included, be another, a new one or the next one.

    At least one of two that change places, or take each other's place, has a mark.
    """
    text = words.text
    places = [match.span() for match in _CHUNK.finditer(text)]
    if len(places) < 2:
        return ()
    place = rng.randrange(len(places))
    start, end = places[place]
    old = text[start:end]
    if rng.random() < 1 / 4:
        if place + 1 == len(places):
            return ()
        begin, close = places[place + 1]
        new = text[begin:close]
        if old.isalnum() and new.isalnum():
            return ()
        return (Change(start, close, new + text[end:begin] + old, (0, close - start)),)
    is_put_in = rng.random() < 1 / 4
    drawn = _drawn_chunk(chunks, rng, refused, with_mark=is_put_in or old.isalnum())
    if drawn is None or drawn == old:
        return ()
    if is_put_in:
        return (Change(start, start, f"{drawn} ", (0, len(drawn))),)
    return (Change(start, end, drawn, (0, len(drawn))),)


def _drawn_chunk(
    chunks: CorpusWords, rng: random.Random, refused: Collection[str], *, with_mark: bool
) -> str | None:
    for _ in range(_MAX_DRAWS):
        drawn = chunks.draw(rng, ())
        if drawn is None:
            return None
        if not (with_mark and drawn.isalnum()) and not set(folded_words(drawn)) & set(refused):
            return drawn
    return None
