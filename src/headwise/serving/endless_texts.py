"""Texts that no model of this context can read are refused before a tokeniser works on them.

A tokeniser takes seconds for some megabytes, in which others would wait.
"""

from headwise.errors import ContextLengthError

# Characters that a token stands for at most, generously: the longest of vocabularies have 128
_CHARACTERS = 256


def endless(max_length: int | None, *texts: object) -> ContextLengthError | None:
    """What is wrong with texts that are far beyond a context of so many tokens, if any is."""
    longest = max((len(text) for text in texts if isinstance(text, str)), default=0)
    if max_length is None or longest <= max_length * _CHARACTERS:
        return None
    return ContextLengthError(
        f"A text has {longest:,} characters, but the model reads {max_length} tokens at most; "
        "split it."
    )
