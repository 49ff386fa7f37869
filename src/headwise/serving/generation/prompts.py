"""What a model is asked: a conversation as it understands one, or a text to go on with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from headwise.backbones import ChatPromptTemplate
from headwise.backbones.prompts import NAMED_PROMPTS, SequenceTemplate
from headwise.data.readers.nested_rows import pair_in_row
from headwise.data.records.pairs import Pair
from headwise.errors import InputError
from headwise.quality.scorer import Scorer
from headwise.serving.errors import ApiError


def asked_in_chat(scorer: Scorer, messages: Sequence[Mapping[str, Any]]) -> tuple[Scorer, Pair]:
    """What answers a conversation, and the conversation.

    It is laid out by the model's chat template. Where there is none, the last message of the user
    is the source of the model's own prompt, and a system message is not read.

    Raises:
        ApiError: If a message cannot be read, or the model knows no conversations and this is more
            than one question.
    """
    try:
        asked = pair_in_row([dict(one) for one in messages], "", None)
    except InputError as error:
        raise ApiError(400, str(error), param="messages") from error
    roles = [message["role"] for message in asked.history]
    if roles[-1] != "user":
        raise ApiError(400, "The last message must be the user's.", param="messages")
    if isinstance(scorer.prompt, ChatPromptTemplate):
        return scorer, asked
    sequence = isinstance(scorer.prompt, SequenceTemplate)
    if scorer.backbone.tokenizer.chat_template is not None and not sequence:
        return replace(scorer, prompt=NAMED_PROMPTS["chat"]), asked
    if roles not in (["user"], ["system", "user"]):
        raise ApiError(
            400,
            "This model has no chat template: it answers one message of the user (a system message "
            f"before it is not read), and got {len(roles)} messages ({', '.join(roles)}). Send "
            "the last one alone.",
            param="messages",
        )
    return scorer, replace(asked, history=())


def asked_to_continue(scorer: Scorer, prompt: str) -> tuple[Scorer, Pair]:
    """What goes on with a text, and the text; an encoder-decoder model answers it."""
    if not isinstance(scorer.prompt, SequenceTemplate):
        scorer = replace(scorer, prompt=NAMED_PROMPTS["continue"])
    return scorer, Pair(prompt, "")
