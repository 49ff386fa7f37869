"""A prompt as text: names in braces that are filled in, and where a hypothesis lies in it."""

import string
from dataclasses import dataclass

from headwise.errors import PromptError

NO_PLACE_FOR_SOURCE = (
    "The prompt does not show the source, so that every source would get the same answer. Choose "
    "one that does: --prompt question, or --prompt translate --prompt-variable "
    "source_language=English --prompt-variable target_language=German, or a template of your own: "
    """--prompt '{"kind": "text", "prompt": "{bos}Q: {source}\\nA:", "completion": """
    """" {hypothesis}", "end": "\\n"}' (in Python, `prompt` and `prompt_variables`). Text on """
    "its own has no source (--no-source; in Python, None)."
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A prompt and the hypothesis after it.

    Attributes:
        text: The whole text.
        prompt_end: Where the scored part begins, in characters: at the hypothesis, or at the
            spaces right before it, which belong to its first token.
        start: Where the hypothesis itself begins.
        end: Where it ends.
    """

    text: str
    prompt_end: int
    start: int
    end: int

    @property
    def prompt(self) -> str:
        """What is given."""
        return self.text[: self.prompt_end]

    @property
    def closing(self) -> str:
        """What closes the hypothesis."""
        return self.text[self.end :]


def prompt_end(opening: str, own: str) -> int:
    """Where the scored part begins in what stands before a hypothesis, in characters.

    White space that the hypothesis has before it in its own field, ``own``, is the model's to
    write, and so are the spaces that a layout puts right before it: tokenisers make one token of a
    space and the word behind it.
    """
    if not opening.endswith(own):  # a chat template has stripped it
        own = ""
    words = own.rstrip()
    given = opening[: len(opening) - len(own) + len(words)]
    return len(given if words else given.rstrip(" "))


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
