"""Where a generated text ends for an error head: as it would if the text were scored."""

from headwise.backbones import EncodedPair, LanguageBackbone, PromptTemplate
from headwise.quality.writing import Written

_ANY_TEXT = "a"


def closing_token(backbone: LanguageBackbone, prompt: PromptTemplate) -> int | None:
    """The id of the first token behind a text that is scored; ``None`` if nothing closes texts.

    Args:
        backbone: What reads the texts.
        prompt: How they are laid out.

    Raises:
        PromptError: If no text can be scored with this prompt.
    """
    source = _ANY_TEXT if prompt.has_source else None
    (code,) = backbone.encode([(source, _ANY_TEXT)], prompt)
    if not isinstance(code, EncodedPair):
        raise code
    return next(iter(code.targets[len(code.ranges) :]), None)


def read_positions(
    backbone: LanguageBackbone, written: Written, closing: int | None
) -> tuple[tuple[int, ...], bool]:
    """The positions of a generated text that an error head reads, and whether the text is whole.

    These are the text's tokens and, where the layout closes texts, one closing token. A text that
    lacks it was cut.

    Args:
        backbone: What wrote the text.
        written: The text.
        closing: See :func:`closing_token`.
    """
    text = tuple(place.index for place in written.places if not place.special)
    if closing is None or not text:
        return text, True
    closers = backbone.special_ids | {closing}
    end = next(
        (p.index for p in written.places if p.index > text[-1] and p.token_id in closers), None
    )
    return (text, False) if end is None else ((*text, end), True)
