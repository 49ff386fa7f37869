"""Which characters of the hypothesis a token covers."""

import unicodedata
from collections.abc import Sequence

CharacterRange = tuple[int, int]


def hypothesis_ranges(
    offsets: Sequence[CharacterRange], text: str, *, start: int, end: int
) -> list[CharacterRange]:
    """Turn a fast tokeniser's offsets into ranges in the hypothesis.

    White space that a token carries in front of its word is left out, since it belongs to no
    word; a token of white space alone stands at the character that it leads to. A token that
    holds only some bytes of a character covers that whole character.

    Args:
        offsets: Character offsets of the hypothesis's tokens in ``text``.
        text: The whole text that was tokenised.
        start: Where the hypothesis begins in it.
        end: Where it ends.

    Returns:
        Ranges in the hypothesis, in its own coordinates; never empty, never falling back.
    """
    ranges: list[CharacterRange] = []
    for a, b in offsets:
        a, b = max(a, start), min(max(b, a + 1), end)
        a = min(a, end - 1)
        while a < end - 1 and text[a].isspace():
            a += 1
        ranges.append((a - start, max(b, a + 1) - start))
    return ranges


def align_pieces(pieces: Sequence[str], text: str) -> list[CharacterRange]:
    """Find the characters of a text behind the pieces of a tokeniser that reports no offsets.

    SentencePiece normalises the text by NFKC, merges runs of spaces and marks spaces with U+2581.
    Piece after piece is looked up in the text normalised the same way; a piece that is not found
    there (an unknown character) takes what lies between its neighbours.

    Returns:
        One range a piece; those of unknown pieces without a gap to fill are one character wide.
    """
    normalised: list[str] = []
    origins: list[int] = []  # of each normalised character: its place in the text
    for index, character in enumerate(text):
        for part in unicodedata.normalize("NFKC", character):
            normalised.append(part)
            origins.append(index)
    flat = "".join(normalised)

    surfaces = [unicodedata.normalize("NFKC", p.replace("\u2581", " ")).strip() for p in pieces]
    found: list[CharacterRange | None] = []
    position = 0
    for surface in surfaces:
        at = flat.find(surface, position) if surface else -1
        # Far away means that this piece is unknown and the characters belong to a later one
        if at < 0 or (flat[position:at].strip() and found and found[-1] is not None):
            found.append(None)
            continue
        found.append((origins[at], origins[at + len(surface) - 1] + 1))
        position = at + len(surface)

    ranges: list[CharacterRange] = []
    done = 0  # up to where characters belong to a piece
    for index, (surface, range_) in enumerate(zip(surfaces, found, strict=True)):
        if range_ is None:
            following = next((r[0] for r in found[index + 1 :] if r is not None), len(text))
            begin = done
            while begin < len(text) - 1 and text[begin].isspace():
                begin += 1
            begin = min(begin, max(len(text) - 1, 0))
            # A mark for a space alone stands before what comes next and claims none of it
            end = max(begin + 1, len(text[:following].rstrip())) if surface else begin + 1
            range_ = (begin, end)
        if surface:
            done = range_[1]
        ranges.append(range_)
    return ranges
