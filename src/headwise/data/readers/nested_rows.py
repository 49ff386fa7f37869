"""Rows whose values may be nested: JSON objects, and rows of Parquet files and data sets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headwise.data.readers.conversations import turn_pairs
from headwise.data.readers.corpora.paws_x import is_paws_x_header, paws_x_columns
from headwise.data.readers.layout import Columns, Layout, folded
from headwise.data.records.error_spans import read_annotations
from headwise.data.records.json_values import kind_of
from headwise.data.records.pairs import Pair
from headwise.data.records.word_tags import read_word_tags
from headwise.errors import InputError

TRANSLATION = "translation"
MISSING_MARKS = "missing_marks"


@dataclass(frozen=True, slots=True)
class NestedColumns:
    """The names under which a row holds its texts, and how.

    Attributes:
        texts: The names of source and hypothesis; ``None`` for a conversation.
        within: The column that holds the texts or the messages; ``None`` if the texts are columns
            themselves.
        annotations: The column of error marks, if there is one.
        word_tags: The column of word tags, if there is one.
    """

    texts: Columns | None
    within: str | None
    annotations: str | None
    word_tags: str | None

    def pairs(self, row: Mapping[str, Any], line: int) -> list[Pair]:
        """Make pairs of a row: one for each assistant turn of a conversation, otherwise one.

        Raises:
            InputError: If the row does not hold what it should.
        """
        read_here = (self.within, self.annotations, self.word_tags)
        rest = {name: value for name, value in row.items() if name not in read_here}
        if self.within is None:
            assert self.texts is not None
            pairs = [self.texts.pair(rest, line)]
        elif self.texts is None:
            pairs = turn_pairs(row[self.within], line=line, extra=rest)
        else:
            pairs = [replace(self._translation(row[self.within], line), extra=rest)]
        marks, tags = _value(row, self.annotations), _value(row, self.word_tags)
        if marks is None and tags is None:
            return pairs
        if len(pairs) > 1:
            raise InputError(
                f"`{self.word_tags if marks is None else self.annotations}` could belong to each "
                f"of the {len(pairs)} assistant turns; make a row of every turn that is annotated."
            )
        return [_marked(pairs[0], marks, tags)]

    def _translation(self, texts: object, line: int) -> Pair:
        assert self.texts is not None
        if not isinstance(texts, dict):
            raise InputError(f"`{self.within}` must hold texts by language, got {kind_of(texts)}.")
        return self.texts.pair(texts, line)


def _value(row: Mapping[str, Any], name: str | None) -> Any:
    return None if name is None else row[name]


def _marked(pair: Pair, marks: object, tags: object) -> Pair:
    """Give a pair what people said of it; missing text has no place there, and is counted."""
    errors = read_annotations(marks, pair.hypothesis)
    pair = replace(pair, errors=errors, tags=read_word_tags(tags, pair.hypothesis))
    missing = len(marks) - len(errors) if isinstance(marks, list) and errors is not None else 0
    return replace(pair, extra={MISSING_MARKS: missing, **pair.extra}) if missing else pair


def find_nested(
    names: Iterable[str], layout: Layout, *, languages: Sequence[str] | None
) -> NestedColumns:
    """Find the texts among columns or keys.

    Args:
        names: All columns.
        layout: What the user said about them.
        languages: The keys of the column ``translation``, if it holds texts by language.

    Raises:
        LookupError: If a column is not there, or several could be meant. The message says which
            and what to do.
    """
    present = list(names)
    marks = (_named("annotations", present), _named("word_tags", present))
    texts_among = [name for name in present if name not in marks]
    messages = _named("messages", present)
    if messages is not None and layout.has_source and not layout.names_columns:
        return NestedColumns(None, messages, *marks)
    if is_paws_x_header(present) and not layout.names_columns:
        return NestedColumns(paws_x_columns(present, layout), None, *marks)
    chosen = {layout.source_column, layout.hypothesis_column}
    if languages is None or chosen & set(present):
        return NestedColumns(layout.columns(texts_among), None, *marks)
    return NestedColumns(_language_columns(languages, layout), TRANSLATION, *marks)


def _language_columns(languages: Sequence[str], layout: Layout) -> Columns:
    listed = ", ".join(f"`{language}`" for language in languages) or "none"
    if len(languages) != 2:
        raise LookupError(f"`{TRANSLATION}` must hold texts in two languages; found {listed}")
    source, hypothesis = languages
    if layout.source_column == hypothesis or layout.hypothesis_column == source:
        source, hypothesis = hypothesis, source
    for chosen, found, role in (
        (layout.source_column, source, "source"),
        (layout.hypothesis_column, hypothesis, "hypothesis"),
    ):
        if chosen not in (None, found):
            raise LookupError(
                f"`{TRANSLATION}` cannot have `{chosen}` as its {role}; its languages are {listed}"
            )
    return Columns(source if layout.has_source else None, hypothesis)


def _named(wanted: str, present: list[str]) -> str | None:
    found = [name for name in present if folded(name) == wanted]
    if len(found) > 1:
        several = ", ".join(f"`{name}`" for name in found)
        raise LookupError(f"{several} could each be the {wanted}; rename one")
    return found[0] if found else None
