"""Which texts can be scored at all."""

import re

from transformers import PreTrainedTokenizerBase

from headwise.errors import TextError


def control_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """The tokeniser's control tokens by name, also those that it does not list as its own."""
    names = dict(zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True))
    return names | {str(t): i for i, t in tokenizer.added_tokens_decoder.items() if t.special}


def control_token_pattern(tokenizer: PreTrainedTokenizerBase) -> re.Pattern[str] | None:
    """A pattern that finds the tokeniser's control tokens spelled out in a text."""
    names = set(control_tokens(tokenizer)) - {""}
    if not names:
        return None
    return re.compile("|".join(map(re.escape, sorted(names, key=len, reverse=True))))


def check_text(text: object, *, what: str, control_tokens: re.Pattern[str] | None) -> None:
    """Refuse what no tokeniser can carry or what would be read as something else.

    Raises:
        TextError: If the text is not a string, is empty, holds a lone surrogate, or spells out a
            control token, which the model would take for the end of the prompt or the like.
    """
    if not isinstance(text, str):
        raise TextError(f"The {what} must be text, got {type(text).__name__}.")
    if not text.strip():
        raise TextError(f"The {what} is empty; there is nothing to score.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise TextError(
            f"The {what} holds a lone surrogate (U+{ord(text[error.start]):04X} at character "
            f"{error.start}), which is not valid Unicode; repair the text's encoding."
        ) from None
    if control_tokens is not None and (found := control_tokens.search(text)):
        raise TextError(
            f"The {what} spells out the control token {found.group()!r} at character "
            f"{found.start()}, which the model would obey instead of read; remove it."
        )
