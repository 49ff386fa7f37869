"""What tokens write in the middle of a text, spaces in front included."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from headwise.data.records.words import word_ranges

_INCOMPLETE = "\ufffd"


class TokenTexts:
    """The text of tokens that follow others.

    Tokenisers mark the space before a word in ways of their own, and many drop it at the start
    of what they decode. Decoding behind a token that is known shows it in all of them.

    Args:
        tokenizer: The tokeniser.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._before = tokenizer(text_target="a", add_special_tokens=False)["input_ids"]
        self._skipped = len(self._decode(self._before))
        self._known: dict[int, str] = {}

    def _decode(self, ids: list[int]) -> str:
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
        """Whether the token is the beginning of one word of letters.

        Args:
            token_id: The token.
            spaced: Whether a space has to stand before the word, or must not.
        """
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
