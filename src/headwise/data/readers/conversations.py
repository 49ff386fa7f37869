"""Conversations: every assistant turn is a hypothesis, and what was said before it its history."""

from collections.abc import Mapping
from typing import Any

from headwise.data.records.json_values import kind_of
from headwise.data.records.pairs import Message, Pair
from headwise.errors import InputError

ROLES = ("system", "user", "assistant")


def turn_pairs(messages: object, *, line: int, extra: Mapping[str, Any]) -> list[Pair]:
    """Make a pair of every assistant turn of a conversation.

    Args:
        messages: A list of objects with ``role`` (``system``, ``user`` or ``assistant``) and
            ``content`` (a string). Other keys must be empty: what a tool or a picture said would
            otherwise be missing from the history in silence.
        line: Where the conversation stood in its file.
        extra: Other columns of its row.

    Raises:
        InputError: If the messages are something else, or no assistant turn follows a message.
    """
    if not isinstance(messages, list):
        raise InputError(f"`messages` must be a list of messages, got {kind_of(messages)}.")
    read = tuple(_message(message, number) for number, message in enumerate(messages, start=1))
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


def _message(message: object, number: int) -> Message:
    if not isinstance(message, dict):
        raise InputError(f"Message {number} must be an object, got {kind_of(message)}.")
    role, content = message.get("role"), message.get("content")
    if role not in ROLES:
        raise InputError(f"The role of message {number} must be {_listed(ROLES)}, got {role!r}.")
    more = [key for key, value in message.items() if value and key not in ("role", "content")]
    if more:
        raise InputError(
            f"Message {number} holds `{more[0]}`; only role and content are understood."
        )
    if not isinstance(content, str):
        raise InputError(
            f"The content of message {number} must be a string, got {kind_of(content)}."
        )
    return {"role": role, "content": content}


def _last_of_user(history: tuple[Message, ...]) -> str | None:
    contents = (message["content"] for message in reversed(history) if message["role"] == "user")
    return next(contents, None)


def _listed(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}"
