"""Names in braces, which a prompt's texts hold for what is filled in."""

import string

from headwise.errors import PromptError

NO_PLACE_FOR_SOURCE = (
    "The prompt does not show the source, so that every source would get the same answer. Choose "
    "one that does: --prompt question, or --prompt translate --prompt-variable "
    "source_language=English --prompt-variable target_language=German, or a template of your own: "
    """--prompt '{"kind": "text", "prompt": "{bos}Q: {source}\\nA:", "completion": """
    """" {hypothesis}", "end": "\\n"}' (in Python, `prompt` and `prompt_variables`). Text on """
    "its own has no source (--no-source; in Python, None)."
)


def names_in(text: str) -> list[str]:
    """The names in braces, in order.

    Raises:
        PromptError: If braces are unbalanced or hold more than a name.
    """
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise PromptError(
            f"The prompt {text!r} has braces that do not pair ({error}); write {{{{ and }}}} for "
            "braces that are text."
        ) from None
    names = []
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if form or conversion or not name.isidentifier():
            raise PromptError(
                f"Braces of a prompt hold one plain name, such as {{source}}, got {{{name}}} in "
                f"{text!r}; write {{{{ and }}}} for braces that are text."
            )
        names.append(name)
    return names


def check_unicode(text: str) -> None:
    """Refuse a lone surrogate with a `PromptError`."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise PromptError(
            f"The prompt holds a lone surrogate (U+{ord(text[error.start]):04X}), which is not "
            "valid Unicode; repair its encoding."
        ) from None
