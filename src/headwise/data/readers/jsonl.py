"""JSON Lines: one object a line."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from headwise.data.readers.layout import Layout
from headwise.data.readers.lines import content_lines
from headwise.data.readers.nested_rows import TRANSLATION, find_nested
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import InputError

# Python can read JSON a little deeper than it can write it again; no row of text comes near this.
MAX_NESTING = 64


def read_jsonl(stream: BinaryIO, name: str, layout: Layout) -> Iterator[Pair | Reject]:
    """Read JSON objects; keys are found like the columns of a header, row by row."""
    for number, line in content_lines(stream, name):
        if isinstance(line, Reject):
            yield line
        else:
            yield from _parse(line, number, layout)


def _parse(line: str, number: int, layout: Layout) -> Sequence[Pair | Reject]:
    try:
        row = json.loads(line)
        if not isinstance(row, dict):
            raise InputError(f"The line must be a JSON object, got {type(row).__name__}.")
        if _nested_deeper(row, MAX_NESTING):
            raise RecursionError
        texts = row.get(TRANSLATION)
        languages = list(texts) if isinstance(texts, dict) else None
        return find_nested(row, layout, languages=languages).pairs(row, number)
    except json.JSONDecodeError as error:
        reason = f"Invalid JSON at character {error.pos + 1} of the line: {error.msg}."
    except LookupError as error:
        reason = f"In this object {error.args[0]}."
    except InputError as error:
        reason = str(error)
    except RecursionError:
        reason = f"The JSON is nested more than {MAX_NESTING} levels deep; flatten it."
    except ValueError as error:  # such as an integer of more digits than Python converts
        reason = f"Invalid JSON: {error}."
    return [Reject(number, reason, line)]


def _nested_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    children = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_nested_deeper(child, levels - 1) for child in children)
