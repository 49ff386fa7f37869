"""Rows whose values may be nested: JSON objects, and rows of Parquet files and data sets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from headwise.data.readers.column_names import Role
from headwise.data.readers.corpora.mteval import is_mteval, mteval_pairs
from headwise.data.readers.corpora.paws_x import is_paws_x_header, paws_x_columns
from headwise.data.readers.layout import Layout
from headwise.data.readers.rows import TRANSLATION, Columns, Row, RowStream
from headwise.data.records.json_values import expect, kind_of, listed
from headwise.data.records.pairs import AnyPair, Message, Pair, Pairlike
from headwise.data.records.word_tags import read_marks
from headwise.errors import InputError

MISSING_MARKS = "missing_marks"
_TEXT_PARTS = ("text", "input_text", "output_text")

_MESSAGES, _ANNOTATIONS, _WORD_TAGS = (
    Role(name, ((name,),), remedy="rename one") for name in ("messages", "annotations", "word_tags")
)


@dataclass(frozen=True, slots=True)
class NestedColumns:
    """The names under which a row holds its texts, and how.

    Attributes:
        texts: The names of source and hypothesis; ``None`` for a conversation.
        within: The column that holds the texts or the messages; ``None`` if the texts are columns
            themselves.
        by_system: Whether a row holds the translations of several systems.
    """

    texts: Columns | None
    within: str | None
    annotations: str | None
    word_tags: str | None
    by_system: bool = False

    @property
    def columns(self) -> dict[str, str]:
        """The columns that are texts themselves, by ``source`` and ``hypothesis``."""
        if self.texts is None or self.within is not None or self.by_system:
            return {}
        named = {"source": self.texts.source, "hypothesis": self.texts.hypothesis}
        return {role: column for role, column in named.items() if column is not None}

    def pairs(self, row: Row) -> list[Pair]:
        """Make pairs of a row: one for each assistant turn of a conversation, otherwise one.

        Raises:
            InputError: If the row does not hold what it should.
        """
        rest = row.values.copy()
        if self.by_system:
            assert self.texts is not None
            has_source = self.texts.source is not None
            return mteval_pairs(rest, line=row.line, has_source=has_source)
        inner, marks, tags = (
            None if name is None else rest.pop(name)
            for name in (self.within, self.annotations, self.word_tags)
        )
        if self.texts is None:
            pairs = turn_pairs(inner, line=row.line, extra=rest)
        elif self.within is None and isinstance(rest.get(told := self.texts.source or ""), list):
            messages, answer = rest.pop(told), rest.pop(self.texts.hypothesis)
            pairs = [answer_pair(messages, answer, line=row.line, extra=rest)]
        elif self.within is None:
            source, hypothesis = self.texts.texts(rest)
            pairs = [Pair(source, hypothesis, row.line, rest)]
        elif isinstance(inner, dict):
            source, hypothesis = self.texts.texts(inner.copy())
            pairs = [Pair(source, hypothesis, row.line, rest)]
        else:
            raise InputError(f"`{self.within}` must hold texts by language, got {kind_of(inner)}.")
        if marks is None and tags is None:
            return pairs
        if len(pairs) > 1:
            raise InputError(
                f"`{self.word_tags if marks is None else self.annotations}` could belong to each "
                f"of the {len(pairs)} assistant turns; make a row of every turn that is annotated."
            )
        return [_marked(pairs[0], marks, tags)]


def _marked(pair: Pair, marks: Any, tags: object) -> Pair:
    """Give a pair what people said of it; missing text has no place there, and is counted."""
    errors, tagged = read_marks(marks, tags, pair.hypothesis)
    missing = 0 if marks is None else len(marks) - len(errors or ())
    extra = {MISSING_MARKS: missing, **pair.extra} if missing else pair.extra
    return replace(pair, errors=errors, tags=tagged, extra=extra)


def find_nested(
    present: Sequence[str], layout: Layout, languages: Sequence[str] | None
) -> NestedColumns:
    """Find the texts among columns, or ``languages``: the keys of the column ``translation``.

    Raises:
        LookupError: If a column is not there, or several could be meant. The message says which
            and what to do.
    """
    marks = (_ANNOTATIONS.look_for(present), _WORD_TAGS.look_for(present))
    messages = _MESSAGES.look_for(present)
    if messages is not None and layout.has_source and not layout.names_columns:
        return NestedColumns(None, messages, *marks)
    if is_mteval(present) and not layout.names_columns:
        texts = Columns("src" if layout.has_source else None, "hyps")
        return NestedColumns(texts, None, None, None, by_system=True)
    if is_paws_x_header(present) and not layout.names_columns:
        return NestedColumns(paws_x_columns(present, layout), None, *marks)
    chosen = {layout.source_column, layout.hypothesis_column}
    if languages is None or chosen & set(present):
        texts_among = [name for name in present if name not in marks]
        return NestedColumns(layout.columns(texts_among), None, *marks)
    return NestedColumns(_language_columns(languages, layout), TRANSLATION, *marks)


def text_columns(table: RowStream, layout: Layout) -> dict[str, str]:
    """The columns of a table that are texts themselves, by ``source`` and ``hypothesis``.

    Raises:
        DataError: If its header lacks a column, or leaves open which one is meant.
    """
    find = table.find(lambda names, languages: find_nested(names, layout, languages))
    return find(Row(0, {})).columns


def _language_columns(languages: Sequence[str], layout: Layout) -> Columns:
    if len(languages) != 2:
        raise LookupError(
            f"`{TRANSLATION}` must hold texts in two languages; found {listed(languages)}"
        )
    source, hypothesis = languages
    if layout.source_column == hypothesis or layout.hypothesis_column == source:
        source, hypothesis = hypothesis, source
    for chosen, found, role in (
        (layout.source_column, source, "source"),
        (layout.hypothesis_column, hypothesis, "hypothesis"),
    ):
        if chosen not in (None, found):
            raise LookupError(
                f"`{TRANSLATION}` cannot have `{chosen}` as its {role}; its languages are "
                f"{listed(languages)}"
            )
    return Columns(source if layout.has_source else None, hypothesis)


def turn_pairs(messages: object, *, line: int, extra: Mapping[str, Any]) -> list[Pair]:
    """Make a pair of every assistant turn of a conversation; what came before is its history.

    Messages are objects with ``role`` (``system``, ``user`` or ``assistant``; ``developer`` is the
    newer name of ``system``) and ``content`` (a string, or a list of parts of type ``text``). Other
    keys must be empty: what a tool or a picture said would otherwise be missing from the history in
    silence.

    Raises:
        InputError: If the messages are something else, or no assistant turn follows a message.
    """
    said = expect(messages, list, "`messages`", "a list of messages")
    read = tuple(_message(message, number) for number, message in enumerate(said, start=1))
    if read and read[0]["role"] == "assistant":
        raise InputError(
            "The first message is the assistant's; put what it answers to before it, or leave it "
            "out."
        )
    turns = [place for place, message in enumerate(read) if message["role"] == "assistant"]
    if not turns:
        raise InputError(
            f"None of the {len(read)} messages is the assistant's; a turn to read is needed."
        )
    return [
        Pair(_last_of_user(read[:turn]), read[turn]["content"], line, extra, history=read[:turn])
        for turn in turns
    ]


def answer_pair(
    messages: object, answer: object, *, line: int = 0, extra: Mapping[str, Any] | None = None
) -> Pair:
    """Make a pair of a conversation and what is said next: a text, or one assistant message.

    Raises:
        InputError: If they are something else.
    """
    said = expect(messages, list, "The prompt", "a string or a list of messages")
    history = tuple(_message(message, number) for number, message in enumerate(said, start=1))
    if isinstance(answer, list):
        turns = [_message(message, len(said) + n) for n, message in enumerate(answer, start=1)]
        if [turn["role"] for turn in turns] != ["assistant"]:
            raise InputError("The answer must be a string or one message of the assistant.")
        answer = turns[0]["content"]
    text = expect(answer, str, "The answer")
    if not history:
        raise InputError("The prompt has no messages; a message to answer is needed.")
    return Pair(_last_of_user(history), text, line, extra or {}, history=history)


def as_pair(value: Pairlike) -> Pair:
    """A pair from what stands for one in Python.

    Args:
        value: A pair; a tuple of source (a text, ``None`` or a list of messages) and hypothesis; a
            row as files of JSON lines hold it, such as ``{"prompt": ..., "response": ...}`` or
            ``{"messages": [...]}``; or a list of messages. Of a conversation, the last turn of the
            assistant is the hypothesis.

    Raises:
        InputError: If a row or conversation does not hold what it should.
        TypeError: If it is none of these.
    """
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return turn_pairs(list(map(dict, value)), line=0, extra={})[-1]
    if isinstance(value, Mapping) and "hypothesis" not in value:
        row = Row(0, dict(value))
        texts = row.values.get(TRANSLATION)
        languages = tuple(texts) if isinstance(texts, dict) else None
        try:
            return find_nested(tuple(row.values), Layout(), languages).pairs(row)[-1]
        except LookupError as error:
            raise InputError(f"In this row {error.args[0]}.") from None
    if isinstance(value, Sequence) and len(value) == 2 and isinstance(value[0], list):
        return answer_pair(*value)
    return Pair.of(cast(AnyPair, value))


def pair_in_row(
    source: str | list[Message] | None, hypothesis: str, row: Mapping[str, Any] | None
) -> Pair:
    """A text or conversation and what answers it, with the other columns of its row."""
    return replace(as_pair((source, hypothesis)), extra=row or {})


def as_pairs(values: Iterable[Pairlike]) -> list[Pair]:
    """All of them as pairs, see :func:`as_pair`."""
    return [value if isinstance(value, Pair) else as_pair(value) for value in values]


def _message(value: object, number: int) -> Message:
    message = expect(value, dict, f"Message {number}")
    role = message.get("role")
    role = "system" if role == "developer" else role
    if role not in ("system", "user", "assistant"):
        raise InputError(
            f"The role of message {number} must be system, user or assistant, got {role!r}."
        )
    more = [key for key, value in message.items() if value and key not in ("role", "content")]
    if more:
        raise InputError(
            f"Message {number} holds `{more[0]}`; only role and content are understood."
        )
    return {"role": role, "content": _content(message.get("content"), number)}


def _content(value: object, number: int) -> str:
    """What a message says: a string, or the texts of its parts one after another."""
    if not isinstance(value, list):
        return expect(value, str, f"The content of message {number}")
    texts = []
    for part in value:
        kind = part.get("type") if isinstance(part, dict) else kind_of(part)
        if kind not in _TEXT_PARTS:
            raise InputError(
                f"The content of message {number} has a part of type {kind!r}; only `text` is read."
            )
        texts.append(expect(part.get("text"), str, f"A text of message {number}"))
    return "".join(texts)


def _last_of_user(history: tuple[Message, ...]) -> str | None:
    contents = (message["content"] for message in reversed(history) if message["role"] == "user")
    return next(contents, None)
