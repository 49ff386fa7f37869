"""Texts, and pairs of texts that are read together, as token ids for an encoder."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from headwise.backbones.encoded_pairs import stack_rows
from headwise.backbones.text_checks import check_text
from headwise.errors import InputError, TextError

_WORD = re.compile(r"\w")


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


def encode_texts(
    tokenizer: PreTrainedTokenizerBase,
    columns: Mapping[str, Sequence[str]],
    *,
    control_tokens: re.Pattern[str] | None,
    token_types: bool,
    check_length: Callable[[int], None],
) -> list[EncodedText | InputError]:
    """Tokenise texts, or pairs of texts, in one call of the tokeniser, in its own layout.

    Args:
        tokenizer: The tokeniser.
        columns: One column of texts, or two of the same length, by what errors call them.
        control_tokens: Finds control tokens spelled out in a text.
        token_types: Whether the model asks which text a token belongs to.
        check_length: Raises a `ContextLengthError` for a number of tokens that is too large.

    Returns:
        One result a row; an error stands in the place of a row that cannot be read.
    """
    errors = [
        _error(tokenizer, dict(zip(columns, row, strict=True)), control_tokens)
        for row in zip(*columns.values(), strict=True)
    ]
    good = [i for i, error in enumerate(errors) if error is None]
    if not good:
        return [error for error in errors if error is not None]
    tokens = tokenizer(
        *([column[i] for i in good] for column in columns.values()),
        return_attention_mask=False,
        return_token_type_ids=token_types,
        verbose=False,  # too long a text gets an error of ours, not a warning
    )
    rows = tokens["input_ids"]
    types = tokens["token_type_ids"] if token_types else [()] * len(rows)
    encoded = (_code(*row, check_length) for row in zip(rows, types, strict=True))
    return [next(encoded) if error is None else error for error in errors]


def _error(
    tokenizer: PreTrainedTokenizerBase,
    row: dict[str, str],
    control_tokens: re.Pattern[str] | None,
) -> InputError | None:
    for what, text in row.items():
        try:
            check_text(text, what=what, control_tokens=control_tokens)
        except InputError as error:
            return error
        # Some normalisers drop invisible characters, and with them the whole text
        if not _WORD.search(text) and not tokenizer.tokenize(text):
            return TextError(f"The tokeniser makes no token of the {what} {text[:40]!r}.")
    return None


def _code(
    ids: Sequence[int], types: Sequence[int], check_length: Callable[[int], None]
) -> EncodedText | InputError:
    try:
        check_length(len(ids))
    except InputError as error:
        return error
    return EncodedText(tuple(ids), tuple(types))


def stack_codes(
    codes: Sequence[EncodedText], *, padding_id: int, device: torch.device
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Stack a batch, padded on the right.

    Args:
        codes: B encoded texts, at least one.
        padding_id: Id of the padding; RoBERTa and its kin count positions by all others.
        device: Where the tensors go.

    Returns:
        Token ids, mask of real tokens, and token types (``None`` if the codes have none), each
        ``(B, T)``, int64.
    """
    ids, mask = stack_rows([code.input_ids for code in codes], filling=padding_id, device=device)
    if not codes[0].token_type_ids:
        return ids, mask, None
    types, _ = stack_rows([code.token_type_ids for code in codes], filling=0, device=device)
    return ids, mask, types
