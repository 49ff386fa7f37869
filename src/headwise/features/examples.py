"""Pairs as the examples that a head learns from: token ids and error marks."""

from collections.abc import Sequence
from dataclasses import dataclass

from headwise.backbones import Backbone, EncodedPair, PromptTemplate
from headwise.data.error_spans import is_marked, marked_ranges
from headwise.data.pairs import Pair
from headwise.errors import InputError, MismatchError


@dataclass(frozen=True, slots=True)
class Example:
    """One pair, ready to be read by the model.

    Attributes:
        pair: Its number among all pairs of the data.
        code: Its token ids.
        errors: For each target whether a person marked it as wrong; ``None`` if nobody looked.
    """

    pair: int
    code: EncodedPair
    errors: tuple[bool, ...] | None


def encode_examples(
    backbone: Backbone,
    pairs: Sequence[Pair],
    prompt: PromptTemplate,
    *,
    first: int = 0,
    max_length: int | None = None,
    cut: bool = False,
) -> list[Example]:
    """Tokenise pairs; those that cannot be read are left out.

    Args:
        backbone: The model that will read them.
        pairs: Consecutive pairs of the data.
        prompt: How a pair is laid out.
        first: Number of the first of them among all pairs.
        max_length: Longest input in tokens; the model's own limit holds as well.
        cut: Whether a hypothesis that is too long loses its end, instead of being left out.

    Raises:
        MismatchError: If the tokeniser gives ids that the model's output layer has no row for.
    """
    codes = backbone.encode(
        [(pair.given, pair.hypothesis) for pair in pairs], prompt, max_length=max_length, cut=cut
    )
    ids = (max(code.targets) for code in codes if not isinstance(code, InputError))
    if (largest := max(ids, default=0)) >= backbone.vocabulary_size:
        raise MismatchError(
            f"The tokeniser gives ids up to {largest}, but the model's output layer has "
            f"{backbone.vocabulary_size} rows; they do not belong together."
        )
    return [
        Example(number, code, _marked(pair, code))
        for number, (pair, code) in enumerate(zip(pairs, codes, strict=True), start=first)
        if not isinstance(code, InputError)
    ]


def _marked(pair: Pair, code: EncodedPair) -> tuple[bool, ...] | None:
    if pair.errors is None:
        return None
    ranges = marked_ranges(pair.errors, pair.hypothesis)
    marks = [is_marked(place, ranges) for place in code.ranges]
    return tuple(marks + [False] * (len(code.targets) - len(marks)))
