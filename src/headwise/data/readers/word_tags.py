"""Files of word tags, one text a line."""

from collections.abc import Iterator
from pathlib import Path

from headwise.data.readers.lines import text_lines
from headwise.data.readers.opening import open_bytes
from headwise.data.records.tagged_words import parse_tags
from headwise.errors import DataError


def read_tags(path: str | Path) -> Iterator[tuple[bool, ...]]:
    """Read a file with the tags of one text a line, ``.gz`` or not.

    Args:
        path: Words ``OK`` or ``BAD`` with spaces between them.

    Yields:
        Whether each tag of a line is ``BAD``.

    Raises:
        DataError: If the file is missing or damaged, or a tag is another one, with its line.
    """
    with open_bytes(path) as stream:
        for number, line in text_lines(stream, str(path)):
            try:
                yield parse_tags(line)
            except ValueError as error:
                raise DataError(f"Line {number} of `{path}`: {error}") from None
