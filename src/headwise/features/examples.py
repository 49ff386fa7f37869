"""Pairs as the examples that a head learns from: token ids and error marks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headwise.backbones import Backbone, EncodedPair, PromptTemplate
from headwise.data.records.error_spans import missing_places
from headwise.data.records.pairs import Pair
from headwise.data.records.token_marks import (
    is_missing_somewhere,
    known_marks,
    missing_marks,
    tagged_places,
    token_marks,
)
from headwise.errors import InputError, MismatchError

Marks = tuple[bool, ...] | None
"""One for each target; ``None`` if nobody looked."""


@dataclass(frozen=True, slots=True)
class Example:
    """One pair, ready to be read by the model.

    Attributes:
        pair: Its number among all pairs of the data.
        code: Its token ids.
        errors: For each target whether it was marked as wrong; ``None`` if nobody looked. The
            one right after a gap among the pair's ``errors`` counts as wrong, the one after a
            gap of its ``tags`` does not.
        missing: For each target whether something is missing right before it; ``None`` if that
            is not known. What is missing at the end belongs to the first closing token.
        errors_known: For each target whether ``errors`` say what it is; ``None`` if they do of
            all. Of a pair's ``unsure`` characters nobody knows it.
        missing_known: The same of ``missing``.
    """

    pair: int
    code: EncodedPair
    errors: Marks
    missing: Marks
    errors_known: Marks = None
    missing_known: Marks = None

    @property
    def closing(self) -> tuple[bool, ...]:
        """For each target whether it closes the text, of which it is no part."""
        own = len(self.code.ranges)
        return (False,) * own + (True,) * (len(self.code.targets) - own)


def encode_examples(
    backbone: Backbone,
    pairs: Sequence[Pair],
    prompt: PromptTemplate,
    *,
    first: int = 0,
    max_length: int | None = None,
    cut: bool = False,
    closing_tokens: int | None = None,
    gaps_marked: bool = True,
) -> list[Example]:
    """Tokenise pairs; those that cannot be read are left out.

    Args:
        backbone: The model that will read them.
        pairs: Consecutive pairs of the data.
        prompt: How a pair is laid out.
        first: Number of the first of them among all pairs.
        max_length: Longest input in tokens; the model's own limit holds as well.
        cut: Whether a hypothesis that is too long loses its end, instead of being left out.
        closing_tokens: How many of the tokens that close a text are targets; ``None`` for all.
        gaps_marked: Whether who marked spans also marked gaps. If not, or if a pair has marks of
            missing text without a place, nobody knows where something is missing. Word tags say
            themselves whether they speak of gaps.

    Raises:
        MismatchError: If the tokeniser gives ids that the model's output layer has no row for.
    """
    codes = backbone.encode(
        [(pair.given, pair.hypothesis) for pair in pairs],
        prompt,
        rows=[pair.extra for pair in pairs],
        max_length=max_length,
        cut=cut,
    )
    ids = (max(code.targets) for code in codes if not isinstance(code, InputError))
    if (largest := max(ids, default=0)) >= backbone.vocabulary_size:
        raise MismatchError(
            f"The tokeniser gives ids up to {largest}, but the model's output layer has "
            f"{backbone.vocabulary_size} rows; they do not belong together."
        )
    examples = []
    for number, (pair, code) in enumerate(zip(pairs, codes, strict=True), start=first):
        if not isinstance(code, InputError):
            read = _closed(code, closing_tokens)
            marks = _marks(pair, read, gaps_marked)
            examples.append(Example(number, read, *marks, *_known(pair, read)))
    return examples


def none_read(
    backbone: Backbone, pairs: Sequence[Pair], prompt: PromptTemplate, max_length: int | None
) -> str:
    """What is said of data of which the model can read nothing; why not, by the first pair."""
    said = "hold no pair that the model can read"
    if not pairs:
        return f"{said}: they are empty."
    first = pairs[0]
    reason = backbone.encode([(first.given, first.hypothesis)], prompt, max_length=max_length)[0]
    return f"{said}; of the first{f' (line {first.line})' if first.line else ''}: {reason}"


def _closed(code: EncodedPair, closing_tokens: int | None) -> EncodedPair:
    """A pair with some of its closing tokens; what predicts the others is not read either."""
    if closing_tokens is None:
        return code
    targets = code.targets[: len(code.ranges) + closing_tokens]
    return replace(code, targets=targets, input_ids=code.input_ids[: code.first + len(targets)])


def _known(pair: Pair, code: EncodedPair) -> tuple[Marks, Marks]:
    """Of which targets it is known whether they are wrong, and whether something is missing."""
    if not pair.unsure:
        return None, None
    count = len(code.targets)
    tokens, places = known_marks(code.ranges, pair.unsure)
    beyond = (True,) * count
    return (*tokens, *beyond)[:count], (*places, *beyond)[:count]


def _marks(pair: Pair, code: EncodedPair, gaps_marked: bool) -> tuple[Marks, Marks]:
    """What is marked as wrong and as missing."""
    text, count = pair.hypothesis, len(code.targets)
    tags, found = pair.tags, pair.errors
    if found is None and tags is not None:
        found = tags.errors
    if found is None:
        return None, None
    wrong, before = token_marks(code.ranges, found, text)
    # There may be closing tokens beyond the end, or none for it
    beyond = (False,) * count
    errors = (*wrong, before[-1], *beyond)[:count]
    gaps = missing_places(found)
    if tags is None:
        known = gaps_marked
    else:  # who was asked for words alone said nothing of gaps
        known = tags.bad_gaps is not None or bool(gaps)
        before = missing_marks(code.ranges, (*gaps, *tagged_places(tags, text)))
    if not known or is_missing_somewhere(pair.extra):
        return errors, None
    return errors, (*before, *beyond)[:count]
