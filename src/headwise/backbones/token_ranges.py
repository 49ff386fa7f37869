"""Which characters of a text each of its tokens stands for."""

import json
import unicodedata
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

CharacterRange = tuple[int, int]


def hypothesis_ranges(
    offsets: Sequence[CharacterRange],
    blank: Sequence[bool],
    text: str,
    *,
    start: int,
    end: int,
) -> list[CharacterRange]:
    """Turn a tokeniser's offsets into ranges in the hypothesis, ``text[start:end]``.

    White space belongs to no word: a token that writes something else, too, stands for that
    alone, and a token of white space stands for this white space. It has an empty range where the
    hypothesis has none (a mark that a tokeniser puts before every text, a space that belongs to
    the prompt's layout). Tokens that hold some bytes of a character each stand for that whole
    character. A character in no token, such as a mark that the tokeniser composes with the
    letter before it, belongs to the token that it stands behind, else to the one that it stands
    before; between spaces, to none.

    Args:
        offsets: Of each token in ``text``, in order.
        blank: Whether each token writes nothing but white space.
        text: The whole text.
        start: Where the hypothesis begins in it.
        end: Where it ends.

    Returns:
        Ranges that count from the start of the hypothesis; starts and ends never fall back.
    """
    ranges: list[CharacterRange] = []
    reached = start
    for (a, b), is_blank in zip(offsets, blank, strict=True):
        a, b = max(a, start), min(b, end)
        piece = text[a:b]
        if not is_blank:
            a, b = a + len(piece) - len(piece.lstrip()), b - len(piece) + len(piece.rstrip())
        elif not piece.isspace():
            # The mark of a space has no place, or that of what follows
            a, b = (reached, a) if text[reached:a].isspace() else (a, a)
        if a >= b:
            a = b = max(min(a, end), reached)
            # One of several tokens that a single character became
            if not is_blank and a > start and not text[a - 1].isspace():
                a -= 1
            elif not is_blank and a < end and not text[a].isspace():
                b += 1
        ranges.append((a, b))
        reached = max(reached, b)
    _claim_rest(ranges, text, start, end)
    return [(a - start, b - start) for a, b in ranges]


def _claim_rest(ranges: list[CharacterRange], text: str, start: int, end: int) -> None:
    """Give the characters between tokens to their neighbours."""
    reached, last = start, -1  # up to where characters have tokens, and the last of these tokens
    for index, (a, b) in enumerate([*ranges, (end, end + 1)]):
        if a == b:
            continue
        between = text[reached:a]
        if stray := between.split():
            first, *others = stray
            behind = last >= 0 and between.startswith(first) and not text[reached - 1].isspace()
            if behind:
                for place in range(last, -1, -1):
                    if ranges[place][1] != reached:
                        break
                    ranges[place] = (ranges[place][0], reached + len(first))
            if (others or not behind) and between.endswith(stray[-1]) and not text[a:b].isspace():
                for place in range(index, len(ranges)):
                    if ranges[place][0] != a:
                        break
                    ranges[place] = (a - len(stray[-1]), ranges[place][1])
        if b > reached:
            reached, last = b, index


def align_pieces(pieces: Sequence[str], text: str) -> list[CharacterRange]:
    """Find the characters of a text behind each piece of a tokeniser that reports no offsets.

    SentencePiece normalises the text by NFKC, merges runs of spaces and marks spaces with U+2581.
    Piece after piece is looked up in the text normalised the same way; a piece that is not found
    there (an unknown character) takes what lies between its neighbours, or up to a space where
    another one follows. A mark for a space alone takes the white space that is there, if any is.
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
            rest = text[done:]
            words = done + len(rest) - len(rest.lstrip())
            if surface:
                following = next((r[0] for r in found[index + 1 :] if r is not None), len(text))
                unknown = text[words:following].rstrip()
                if found[index + 1 : index + 2] == [None]:
                    unknown = unknown.split(None, 1)[0] if unknown else unknown
                range_ = (words, words + len(unknown))
            else:
                range_ = (done, words)
        done = max(done, range_[1])
        ranges.append(range_)
    return ranges


def keep_spaces_in_offsets(tokenizer: PreTrainedTokenizerBase) -> None:
    """Let a fast tokeniser's offsets hold the spaces that its tokens hold.

    Byte-level ones may report offsets without them (Llama 3, BART), which hides tokens that reach
    over the end of a prompt, and which white space a token is.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or backend.post_processor is None:
        return
    steps = backend.post_processor
    state = json.loads(steps.__getstate__())
    found = [one for one in state.get("processors", [state]) if one.get("trim_offsets")]
    for one in found:
        one["trim_offsets"] = False
    if found:
        steps.__setstate__(json.dumps(state).encode())
        backend.post_processor = steps
