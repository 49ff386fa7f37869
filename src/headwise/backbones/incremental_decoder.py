"""Text from tokens as they arrive, and which characters each of them wrote."""

from transformers import PreTrainedTokenizerBase

# What decoders write for bytes that are no whole character
_INCOMPLETE = "\ufffd"


class IncrementalDecoder:
    """Decodes a growing sequence in constant time a token.

    Only a short window of tokens is decoded again for each new one: from the last place where
    the text was whole to the end. A token that ends inside a character writes nothing yet, nor
    does one that stands for a space where the tokeniser's decoder strips spaces at the end.

    Attributes:
        whole: While a character is incomplete, how many whole ones before it wait with it; else
            ``None``.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._window = 0  # where the decoded window begins
        self._done = 0  # up to where the text has been handed out
        self.whole: int | None = None

    def _decode(self, ids: list[int]) -> str:
        text = self._tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        assert isinstance(text, str)
        return text

    def push(self, token_id: int) -> str | None:
        """Add a token; returns the text that became whole with it, or ``None`` if none did."""
        self._ids.append(token_id)
        known = self._decode(self._ids[self._window : self._done])
        text = self._decode(self._ids[self._window :])
        self.whole = None
        if text.endswith(_INCOMPLETE):
            self.whole = max(0, len(text.rstrip(_INCOMPLETE)) - len(known))
            return None
        if len(text) <= len(known):
            return None
        self._window, self._done = self._done, len(self._ids)
        return text[len(known) :]

    def flush(self) -> str:
        """The rest, with replacement characters for bytes that never became a character."""
        known = self._decode(self._ids[self._window : self._done])
        text = self._decode(self._ids[self._window :])
        self._window = self._done = len(self._ids)
        return text[len(known) :]
