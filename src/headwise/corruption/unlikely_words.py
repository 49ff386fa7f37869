"""Words that a language model would write, but rarely."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from headwise.backbones import EncodedPair, LanguageBackbone
from headwise.backbones.encodings import length_batches
from headwise.data.records.words import word_ranges
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES, row_chunks
from headwise.functional.dominant_tokens import (
    LAST_RANK,
    LargestDrop,
    candidate_count,
    select_dominant,
    unlikely_tokens,
)

# What takes more tokens is hardly a word, and each one costs a pass of the model
MAX_WORD_TOKENS = 8
# Where a word goes on in less likely ways than this, what the model writes is no word
MIN_CONTINUATION = 0.5

_SELECTOR = LargestDrop()
# What a part of a character is decoded into
_INCOMPLETE = "\ufffd"


class TokenTexts:
    """The text of tokens that follow others.

    Tokenisers mark the space before a word in ways of their own, and many drop it at the start
    of what they decode. Decoding behind a token that is known shows it in all of them.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._before = tokenizer(text_target="a", add_special_tokens=False)["input_ids"]
        self._skipped = len(self._decode(self._before))
        self._known: dict[int, str] = {}

    def _decode(self, ids: list[int]) -> str:
        # Cleaned up, a mark would lose the space before it
        text = self._tokenizer.decode(ids, clean_up_tokenization_spaces=False)
        assert isinstance(text, str)
        return text

    def of(self, ids: Sequence[int]) -> str:
        """What tokens write together; bytes that make no character become U+FFFD."""
        return self._decode([*self._before, *ids])[self._skipped :]

    def begins_with_space(self, token_id: int) -> bool:
        """Whether the token writes a space first."""
        return self._one(token_id)[:1].isspace()

    def begins_word(self, token_id: int, *, spaced: bool) -> bool:
        """Whether the token begins one word of letters, and has or lacks a space before it."""
        return self.begins_with_space(token_id) == spaced and is_one_word(self._one(token_id))

    def ends_word(self, ids: Sequence[int], following: int) -> bool:
        """Whether a word is complete because the token that follows does not belong to it."""
        text = self.of([*ids, following])
        # A token that ends inside a character does not tell yet
        return not text.endswith(_INCOMPLETE) and not is_one_word(text)

    def _one(self, token_id: int) -> str:
        if token_id not in self._known:
            self._known[token_id] = self.of([token_id])
        return self._known[token_id]


def is_one_word(text: str) -> bool:
    """Whether a text, spaces in front aside, is one word with a letter."""
    word = text.lstrip()
    return word_ranges(word) == [(0, len(word))] and any(map(str.isalpha, word))


@dataclass(frozen=True, slots=True)
class WordPlace:
    """Where in an encoded pair a word begins: the position of its first token among the targets."""

    encoded: EncodedPair
    position: int

    def followed_by(self, written: Sequence[int]) -> EncodedPair:
        """The text up to this place and some tokens after it, to predict what comes next."""
        read = self.encoded.first + self.position + 1
        ids = self.encoded.input_ids[:read] + tuple(written)
        return replace(self.encoded, input_ids=ids, first=len(ids) - 1, targets=ids[-1:], ranges=())


@torch.inference_mode()
def unlikely_words(
    backbone: LanguageBackbone,
    places: Sequence[WordPlace],
    generators: Sequence[random.Random],
    texts: TokenTexts,
    *,
    batch_tokens: int,
) -> list[tuple[int, ...] | None]:
    """Draw the first token of a word at each place, and let the model complete it greedily.

    It is ``None`` where no token can be drawn, where the model does not know how the word goes on,
    or where it does not end within 8 tokens and the model's context.
    """
    results: list[tuple[int, ...] | None] = [None] * len(places)
    unfinished: dict[int, tuple[int, ...]] = {}
    first = _next_logits(
        backbone, [place.followed_by(()) for place in places], batch_tokens=batch_tokens
    )
    for index, (ids, weights) in enumerate(chain.from_iterable(map(_unlikely_tokens, first))):
        place = places[index]
        spaced = texts.begins_with_space(place.encoded.targets[place.position])
        allowed = {
            token: weight
            for token, weight in zip(ids, weights, strict=True)
            if token not in backbone.special_ids and texts.begins_word(token, spaced=spaced)
        }
        if allowed:
            drawn = generators[index].choices(list(allowed), weights=list(allowed.values()))
            unfinished[index] = tuple(drawn)

    for _ in range(MAX_WORD_TOKENS):
        prefixes = {i: places[i].followed_by(written) for i, written in unfinished.items()}
        fitting = [
            i
            for i, prefix in prefixes.items()
            if backbone.max_length is None or len(prefix.input_ids) <= backbone.max_length
        ]
        logits = _next_logits(backbone, [prefixes[i] for i in fitting], batch_tokens=batch_tokens)
        following = chain.from_iterable(map(_likeliest_token, logits))
        growing = {}
        for index, (token, probability) in zip(fitting, following, strict=True):
            written = unfinished[index]
            if token in backbone.special_ids or texts.ends_word(written, token):
                results[index] = written
            elif probability >= MIN_CONTINUATION:
                growing[index] = (*written, token)
        unfinished = growing
    return results


def _next_logits(
    backbone: LanguageBackbone, prefixes: Sequence[EncodedPair], *, batch_tokens: int
) -> Iterator[Tensor]:
    """Float32 logits of what follows each prefix, ``(n, V)`` for a few prefixes at a time."""
    if not prefixes:
        return
    batches = length_batches([len(prefix) for prefix in prefixes], max_tokens=batch_tokens)
    hidden = torch.cat([backbone.target_hidden([prefixes[i] for i in b]) for b in batches])
    order = torch.tensor(list(chain.from_iterable(batches)), device=hidden.device)
    # Batches are composed by length: back to the order of the prefixes
    hidden = hidden[order.argsort()]  # (N, H)
    for part in row_chunks(
        len(hidden),
        # Logits in the model's dtype and in float32, and their log-probabilities
        bytes_per_row=backbone.vocabulary_size * (2 * 4 + hidden.element_size()),
        workspace_bytes=DEFAULT_WORKSPACE_BYTES,
    ):
        yield backbone.unembedding(hidden[part]).float()


def _likeliest_token(logits: Tensor) -> Iterator[tuple[int, float]]:
    """Id and probability of the most probable token, row after row of ``(n, V)``."""
    probabilities, ids = logits.softmax(-1).max(-1)
    yield from zip(ids.tolist(), probabilities.tolist(), strict=True)


def _unlikely_tokens(logits: Tensor) -> Iterator[tuple[list[int], list[float]]]:
    """Ids and probabilities of the tokens that may be drawn, row after row of ``(n, V)``."""
    vocabulary_size = logits.shape[-1]
    count = min(max(LAST_RANK, candidate_count(_SELECTOR, vocabulary_size)), vocabulary_size)
    top, ids = logits.log_softmax(-1).topk(count, dim=-1)
    probabilities = top.exp()  # (n, M)
    dominant = select_dominant(ids, probabilities, selector=_SELECTOR)
    drawable = unlikely_tokens(probabilities, dominant.count)
    rows = zip(ids.tolist(), probabilities.tolist(), drawable.tolist(), strict=True)
    for row_ids, row_probabilities, kept in rows:
        chosen = [i for i, keep in enumerate(kept) if keep]
        yield [row_ids[i] for i in chosen], [row_probabilities[i] for i in chosen]
