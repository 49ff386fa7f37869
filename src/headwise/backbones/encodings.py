"""Texts as token ids, the characters behind each token, and batches of them."""

import inspect
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

CharacterRange = tuple[int, int]


@dataclass(frozen=True, slots=True)
class PlacedToken:
    """What a token covers, and its place among those scored with it."""

    index: int
    token_id: int
    text: str
    start: int
    end: int
    special: bool


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """What a backbone reads to score one hypothesis, and what is scored.

    Attributes:
        input_ids: Token ids that the causal model or the decoder reads.
        first: Index into ``input_ids`` of the position that predicts the first target; the
            following targets are predicted by the following positions.
        targets: The tokens to score: those of the hypothesis, then the closing special ones.
        ranges: Character range in the hypothesis of each of its tokens; as many as there are
            targets without the closing ones. Empty for white space that is not the hypothesis'.
        source_ids: Token ids that the encoder reads, for encoder-decoder models.
    """

    input_ids: tuple[int, ...]
    first: int
    targets: tuple[int, ...]
    ranges: tuple[tuple[int, int], ...]
    source_ids: tuple[int, ...] = ()

    def __len__(self) -> int:
        """The number of tokens that the model has to read."""
        return sum(self.lengths)

    @property
    def lengths(self) -> tuple[int, int]:
        """Tokens that the causal model or decoder reads, and those that the encoder reads."""
        return len(self.input_ids), len(self.source_ids)


@dataclass(frozen=True, slots=True)
class EncodedText:
    """A text, or two that are read together, as token ids.

    Attributes:
        input_ids: Token ids, the tokeniser's own control tokens included.
        token_type_ids: Which text each token belongs to; empty for models that do not ask.
    """

    input_ids: tuple[int, ...]
    token_type_ids: tuple[int, ...] = ()

    def __len__(self) -> int:
        """The number of tokens that the model has to read."""
        return len(self.input_ids)


def stack_rows(
    rows: Sequence[tuple[int, ...]], *, device: torch.device, filling: int | None = None
) -> tuple[Tensor, Tensor]:
    """Stack rows of ids into ``(B, T)`` with a mask of the same shape, 1 for real tokens.

    By default each row's last token fills it up: a padding token would make Transformers warn of
    a missing mask where, behind causal attention, none is needed.
    """
    width, end = max(map(len, rows)), () if filling is None else (filling,)
    filled = [row + (end or row[-1:]) * (width - len(row)) for row in rows]
    lengths = torch.tensor([[len(row)] for row in rows], device=device)
    mask = torch.arange(width, device=device) < lengths
    return torch.tensor(filled, device=device), mask.long()


def target_rows(hidden: Tensor, pairs: list[EncodedPair], *, skipped: int = 0) -> Tensor:
    """Pick from ``(B, T, H)`` what predicts the targets of B pairs, ``(N, H)``, pair after pair.

    ``skipped`` is how many positions at the start of every pair ``hidden`` lacks.
    """
    counts = torch.tensor([len(pair.targets) for pair in pairs])
    rows = torch.arange(len(pairs)).repeat_interleave(counts)
    starts = [pair.first - skipped for pair in pairs]
    columns = torch.cat([torch.arange(a, a + n) for a, n in zip(starts, counts, strict=True)])
    return hidden[rows.to(hidden.device), columns.to(hidden.device)]


def stack_codes(
    codes: Sequence[EncodedText], *, padding_id: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Stack a batch of at least one text, padded on the right.

    RoBERTa and its kin count positions by all ids but ``padding_id``.

    Returns:
        Token ids, mask of real tokens, and token types (``None`` if the codes have none), each
        ``(B, T)``, int64.
    """
    ids, mask = stack_rows([code.input_ids for code in codes], filling=padding_id, device=device)
    if not codes[0].token_type_ids:
        return ids, mask, None
    types, _ = stack_rows([code.token_type_ids for code in codes], filling=0, device=device)
    return ids, mask, types


def length_batches(lengths: Sequence[int], *, max_tokens: int) -> list[list[int]]:
    """Split items into batches of similar length whose padded size stays under a budget.

    ``max_tokens`` bounds ``items * longest item``; a longer item gets a batch of its own. Batches
    hold each index into ``lengths`` once, longest items first, so that a batch that does not fit
    into memory fails at once.

    Raises:
        ValueError: If ``max_tokens`` is less than 1.
    """
    if max_tokens < 1:
        raise ValueError(f"`max_tokens` must be at least 1, got {max_tokens}.")
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if not batches or (len(batches[-1]) + 1) * longest > max_tokens:
            batches.append([])
            # Texts without tokens count as one, or a batch of them would have no bound
            longest = max(lengths[index], 1)
        batches[-1].append(index)
    return batches


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
    character; :func:`own_texts` says which of them writes it. A character in no token, such as a
    mark that the tokeniser composes with the letter before it, belongs to the token that it stands
    behind, else to the one that it stands before; between spaces, to none.

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


def own_texts(ranges: Sequence[CharacterRange], text: str) -> list[str]:
    """The characters that each token writes: of those that tokens share, the last one has them."""
    texts, free = [], len(text)
    for a, b in reversed(ranges):
        texts.append(text[a : min(b, free)])
        free = min(free, a) if a < b else free
    return texts[::-1]


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
                # Empty ones stand behind it
                ranges[last + 1 : index] = [(reached + len(first),) * 2] * (index - last - 1)
            if (others or not behind) and between.endswith(stray[-1]) and not text[a:b].isspace():
                for place in range(index, len(ranges)):
                    if ranges[place][0] != a:
                        break
                    ranges[place] = (a - len(stray[-1]), ranges[place][1])
        if b >= reached:  # the last of those that share their characters
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


def chosen_target(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """A tokeniser's target language, but for the one that its class begins with (SeamlessM4T)."""
    own: str | None = getattr(tokenizer, "tgt_lang", None)
    known = inspect.signature(type(tokenizer).__init__).parameters.get("tgt_lang")
    is_default = own is not None and known is not None and own.strip("_") == known.default
    return None if is_default else own
