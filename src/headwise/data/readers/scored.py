"""Scored JSON Lines, as `headwise score --level token` writes them."""

import json
from collections.abc import Iterator
from pathlib import Path

from headwise.data.pairs import Reject
from headwise.data.readers.files import check_readable
from headwise.data.readers.lines import content_lines
from headwise.data.scored import ScoredHypothesis
from headwise.errors import DataError


def read_scored(path: str | Path) -> Iterator[ScoredHypothesis]:
    """Read back scored hypotheses with their tokens.

    Args:
        path: A JSONL file written at token level.

    Yields:
        One record a line.

    Raises:
        DataError: If the file is missing, or a line is not a scored hypothesis with tokens.
    """
    check_readable(path)
    with Path(path).open("rb") as stream:
        for number, line in content_lines(stream, str(path)):
            try:
                if isinstance(line, Reject):
                    raise ValueError(line.reason)
                yield ScoredHypothesis.from_dict(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"Line {number} of `{path}` is not a hypothesis scored at token level "
                    f"({type(error).__name__}: {error}); write one with `headwise score --level "
                    "token`."
                ) from error
