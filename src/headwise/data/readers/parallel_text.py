"""Two text files that belong together line by line."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import BinaryIO

from headwise.data.readers.lines import empty_line, numbered_lines
from headwise.data.records.pairs import Pair, Reject


def pair_lines(
    sources: BinaryIO, hypotheses: BinaryIO, *, names: tuple[str, str]
) -> Iterator[Pair | Reject]:
    """Pair the lines of two streams.

    A line that only one of the streams has is a reject, so that a file that was cut, or files
    that do not belong together, cannot go unnoticed. Lines that are empty in both streams are
    rejects too, except at the end, where they are left out.

    Args:
        sources: Lines of source text.
        hypotheses: Lines of text to score.
        names: What the two streams are called in an error.
    """
    empty_since = 0
    rows = zip_longest(numbered_lines(sources, names[0]), numbered_lines(hypotheses, names[1]))
    for number, (left, right) in enumerate(rows, start=1):
        source = left[1] if left else None
        hypothesis = right[1] if right else None
        if not source and not hypothesis:
            empty_since = empty_since or number
            continue
        for skipped in range(empty_since or number, number):
            yield empty_line(skipped)
        empty_since = 0
        yield _pair(source, hypothesis, number, names)


def _pair(
    source: str | Reject | None,
    hypothesis: str | Reject | None,
    number: int,
    names: tuple[str, str],
) -> Pair | Reject:
    if isinstance(source, str) and isinstance(hypothesis, str):
        return Pair(source, hypothesis, number)
    reasons = []
    for text, name in zip((source, hypothesis), names, strict=True):
        if text is None:
            reasons.append(f"`{name}` has no line {number}; both files need the same lines.")
        elif isinstance(text, Reject):
            reasons.append(f"`{name}`: {text.reason}")
    contents = [
        text.content if isinstance(text, Reject) else text or "" for text in (source, hypothesis)
    ]
    return Reject(number, " ".join(reasons), "\t".join(contents))
