"""A prompt and its hypothesis as one text, and where one ends and the other begins."""

from dataclasses import dataclass


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
