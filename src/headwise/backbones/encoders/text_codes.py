"""Texts, and pairs of texts that are read together, as an encoder's tokeniser lays them out."""

import inspect
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import groupby

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from headwise.backbones.encoders.sentence_embedding import SentenceEmbedding, TextRole
from headwise.backbones.encodings import EncodedText
from headwise.backbones.frozen_model import FrozenModel, smallest_limit
from headwise.errors import InputError, TextError
from headwise.functional.pooling import Pooling

TextCodes = list[EncodedText | InputError]
"""One result a text; an error stands in the place of a text that cannot be read."""

_WORD = re.compile(r"\w")


class TextReader(FrozenModel):
    """Makes token ids of texts and of pairs of texts, as embeddings and heads read them.

    Attributes:
        embedding: How the encoder makes embeddings, and which prompts go before texts.
    """

    embedding: SentenceEmbedding

    @property
    def pooling(self) -> tuple[Pooling, ...]:
        """Ways of pooling; embeddings are their results one after another."""
        return self.embedding.pooling

    @property
    def normalise(self) -> bool:
        """Whether embeddings get unit length."""
        return self.embedding.normalise

    @property
    def hidden_size(self) -> int:
        """H, the width of the last hidden states."""
        return int(self.model.config.hidden_size)

    @property
    def embedding_size(self) -> int:
        """E, the width of pooled vectors: H times the number of ways of pooling."""
        return self.hidden_size * len(self.pooling)

    def encode(
        self, texts: Sequence[str], *, what: str = "text", role: TextRole | None = None
    ) -> TextCodes:
        """Tokenise texts, which errors call ``what``.

        Texts with a role are to become embeddings that are compared: they get its prompt, and may
        be no longer than embeddings allow. Others are what heads read: they get the prompt that
        goes before every text, if there is one, and may be as long as the model reads.

        Args:
            texts: The texts, in order.
            what: What errors call them.
            role: Whether they are queries or documents; ``None`` for neither.

        Returns:
            One result a text; a `TextError` or `ContextLengthError` stands in the place of a
            text that cannot be read.
        """
        prompt = self.embedding.prompts.get(role or "text", "")
        limit = self.max_length
        if role is not None:
            limit = smallest_limit(limit, self.embedding.longest)
        begins = f"The {what} and its prompt take" if prompt else f"The {what} takes"
        types = self.wants_types
        return encode_rows(
            self, {what: texts}, with_types=types, begins=begins, limit=limit, prompt=prompt
        )

    def prompt_ids(self, role: TextRole) -> list[int]:
        """Tokens of the prompt that goes before texts of a role; none for most encoders.

        Args:
            role: Query or document.
        """
        prompt = self.embedding.prompts.get(role)
        if not prompt:
            return []
        ids: list[int] = self.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        return ids

    def encode_pairs(self, pairs: Sequence[tuple[str, str]]) -> TextCodes:
        """Tokenise premises and hypotheses to be read together, in the tokeniser's own layout.

        Results are as in :meth:`encode`.

        Args:
            pairs: Premises and hypotheses.
        """
        premises, hypotheses = ([pair[side] for pair in pairs] for side in (0, 1))
        columns = {"premise": premises, "hypothesis": hypotheses}
        begins, types = "Premise and hypothesis take", self.wants_types
        return encode_rows(self, columns, with_types=types, begins=begins, limit=self.max_length)

    def says_nothing(self, code: EncodedText) -> bool:
        """Whether a text, or one of two that are read together, has unknown tokens alone.

        Args:
            code: The tokens of a text, or of two.
        """
        unknown = self.tokenizer.unk_token_id
        if unknown is None:
            return False
        parts = groupby(code.input_ids, key=self._separators.__contains__)
        return any(not between and set(ids) == {unknown} for between, ids in parts)

    @cached_property
    def _separators(self) -> frozenset[int]:
        """Control tokens that stand around texts."""
        return frozenset(self.control_tokens().values()) - {self.tokenizer.unk_token_id}

    @cached_property
    def wants_types(self) -> bool:
        """Whether the model is told which of two texts a token belongs to."""
        return reads_token_types(self.model, self.tokenizer)


def encode_rows(
    encoder: FrozenModel,
    columns: Mapping[str, Sequence[str]],
    *,
    with_types: bool,
    begins: str,
    limit: int | None,
    prompt: str = "",
) -> TextCodes:
    """Tokenise rows of one text or two in one call.

    Args:
        encoder: Whose tokeniser and limits count.
        columns: The texts of one side or both, by what errors call them.
        with_types: Whether the model reads which text a token belongs to.
        begins: How errors of length start.
        limit: The longest row in tokens.
        prompt: What goes before the first text of a row.
    """
    names, rows = list(columns), list(zip(*columns.values(), strict=True))
    errors = [_wrong_with(encoder, dict(zip(names, row, strict=True))) for row in rows]
    good = [row for row, error in zip(rows, errors, strict=True) if error is None]
    if not good:
        return [error for error in errors if error is not None]
    first, *second = map(list, zip(*good, strict=True))
    tokens = encoder.tokenizer(
        [prompt + text for text in first] if prompt else first,
        *second,
        return_attention_mask=False,
        return_token_type_ids=with_types,
        verbose=False,  # too long a text gets an error of ours, not a warning
    )
    ids = tokens["input_ids"]
    types = tokens["token_type_ids"] if with_types else [()] * len(ids)
    encoded = (_code(encoder, *row, begins, limit) for row in zip(ids, types, strict=True))
    return [next(encoded) if error is None else error for error in errors]


def reads_token_types(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether an encoder is to be told which of two texts a token belongs to."""
    # A causal model adds types to its embeddings, though its tokeniser does not name them
    if "token_type_ids" not in tokenizer.model_input_names:
        return False
    # Models that know one type only fail on the ids of tokenisers that count two
    accepted = inspect.signature(model.forward).parameters
    return "token_type_ids" in accepted and getattr(model.config, "type_vocab_size", 2) > 1


def _wrong_with(encoder: FrozenModel, row: Mapping[str, str]) -> InputError | None:
    for what, text in row.items():
        try:
            encoder.check_text(text, what=what)
        except InputError as error:
            return error
        # Some normalisers drop invisible characters, and with them the whole text
        if not _WORD.search(text) and not encoder.tokenizer.tokenize(text):
            return TextError(f"The tokeniser makes no token of the {what} {text[:40]!r}.")
    return None


def _code(
    encoder: FrozenModel, ids: Sequence[int], types: Sequence[int], begins: str, limit: int | None
) -> EncodedText | InputError:
    try:
        encoder.check_length(len(ids), limit=limit, what=begins)
        # Models of characters hash them into their rows and state no vocabulary
        if getattr(encoder.model.config, "vocab_size", None) is not None:
            encoder.check_rows(ids)
    except InputError as error:
        return error
    return EncodedText(tuple(ids), tuple(types))
