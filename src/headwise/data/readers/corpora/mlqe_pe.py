"""MLQE-PE: translations with direct assessments, word tags and post-editing effort.

References:
    Fomicheva et al. 2022, arXiv 2010.04480.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from headwise.data.readers.layout import Format
from headwise.data.readers.lines import text_lines
from headwise.data.readers.opening import check_readable, open_bytes
from headwise.data.readers.rows import all_rows
from headwise.data.readers.tables import open_table
from headwise.data.records.json_values import parse_number
from headwise.data.records.pairs import Pair, Reject
from headwise.data.records.tagged_words import align_words, parse_tags, spaced_words
from headwise.data.records.word_tags import place_tags
from headwise.documents import parse_json
from headwise.errors import DataError

_SOURCE, _TRANSLATION = "original", "translation"
_NUMBERS = ("mean", "z_mean", "model_scores")
_LISTS = ("scores", "z_scores")

Row = Mapping[str, str]


def read_mlqe_pe(
    *,
    da: str | Path | None = None,
    sources: str | Path | None = None,
    translations: str | Path | None = None,
    tokenised: str | Path | None = None,
    tags: str | Path | None = None,
    hter: str | Path | None = None,
    encoding: str | None = None,
) -> Iterator[Pair | Reject]:
    """Read the files of one part of the corpus, ``.gz`` or not, which belong together row by row.

    All of them are read before the first row comes, so that files that do not belong together
    are noticed before anything is done with them.

    Args:
        da: Table with a header: ``original``, ``translation``, assessments (``mean``,
            ``z_mean``, ...). Its texts are taken, as people read them, unless there are
            ``sources`` and ``translations``.
        sources: One source a line.
        translations: One translation a line.
        tokenised: The translations cut into words by ASCII spaces, the way the tags count them; a
            no-break space is part of a word. By default the translations themselves are cut so.
        tags: Word tags, ``OK`` or ``BAD``, of words alone or of gaps and words in turn.
        hter: One number a line.
        encoding: That of all files, if it is neither UTF-8 nor UTF-16.

    Returns:
        For each row a ``Pair``, or a ``Reject`` if a row of any file does not fit: tags that are
        not as many as the words, words that are not those of the translation, what is no number.
        ``extra`` has the other columns of ``da`` and ``hter``, numbers as numbers; ``line`` is
        the row's number among the texts, counted from 1. With tags, ``errors`` has a span of
        category ``BAD`` for every wrong word.

    Raises:
        ValueError: If the files that are named do not say what the texts are.
        DataError: If a file is missing or damaged, files have different numbers of rows, or
            ``da`` lacks its columns.
    """
    if (sources is None) != (translations is None):
        raise ValueError("Give both `sources` and `translations`, or none of them.")
    if sources is None and da is None:
        raise ValueError("Give `da`, or `sources` and `translations`: there are no texts.")
    if tokenised is not None and tags is None:
        raise ValueError("`tokenised` is only for finding the words of `tags`; give both.")
    given = {"sources": sources, "translations": translations}
    given |= {"tokenised": tokenised, "tags": tags, "hter": hter}
    paths = {name: path for name, path in given.items() if path is not None}
    for path in (*paths.values(), *([] if da is None else [da])):
        check_readable(path)
    return _read(paths, da, encoding)


def _read(
    paths: Mapping[str, str | Path], da: str | Path | None, encoding: str | None
) -> Iterator[Pair | Reject]:
    columns = {name: _lines(path, encoding) for name, path in paths.items()}
    table = None if da is None else _table(da, encoding)
    counts = {str(paths[name]): len(lines) for name, lines in columns.items()}
    if table is not None:
        counts[str(da)] = len(table)
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"`{path}` {count:,}" for path, count in counts.items())
        raise DataError(f"Files that belong together must have equally many rows; got {listed}.")
    for index in range(next(iter(counts.values()))):
        row = {name: lines[index] for name, lines in columns.items()}
        assessed = {} if table is None else table[index]
        try:
            yield _pair(row, assessed, index + 1)
        except ValueError as error:
            yield Reject(index + 1, str(error), "\t".join([*row.values(), *assessed.values()]))


def _pair(row: Row, assessed: Row, line: int) -> Pair:
    extra: dict[str, Any] = {
        name: _value(name, cell)
        for name, cell in assessed.items()
        if name not in (_SOURCE, _TRANSLATION)
    }
    if "hter" in row:
        extra["hter"] = _value("hter", row["hter"])
    pair = Pair(
        row["sources"] if "sources" in row else assessed[_SOURCE],
        row["translations"] if "translations" in row else assessed[_TRANSLATION],
        line,
        extra,
    )
    if "tags" not in row:
        return pair
    words = spaced_words(row.get("tokenised", pair.hypothesis))
    tags = place_tags(parse_tags(row["tags"]), tuple(align_words(words, pair.hypothesis)))
    return replace(pair, tags=tags, errors=tags.errors)


def _value(name: str, cell: str) -> Any:
    if name in _LISTS:
        try:
            return parse_json(cell, allow_nan=True)
        except ValueError:
            raise ValueError(f"`{name}` must be a list of numbers, got {cell!r}.") from None
    if name not in (*_NUMBERS, "hter"):
        return cell
    try:
        return parse_number(cell)
    except ValueError as error:
        raise ValueError(f"In `{name}`, {error}.") from None


def _lines(path: str | Path, encoding: str | None) -> list[str]:
    with open_bytes(path, encoding) as stream:
        return [line for _, line in text_lines(stream, str(path))]


def _table(path: str | Path, encoding: str | None) -> list[Row]:
    with open_table(path, Format.TSV, encoding=encoding) as table:
        table.require((_SOURCE, _TRANSLATION), "assessments")
        return [row.values for row in all_rows(table)]
