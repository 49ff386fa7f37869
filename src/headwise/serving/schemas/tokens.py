"""Texts as tokens and back, as vLLM's servers take them.

See https://docs.vllm.ai/en/latest/serving/online_serving (Tokenizer API).
"""

from typing import Any, Self

from pydantic import Field, model_validator

from headwise.serving.schemas.base import OpenSchema


class TokenizeRequest(OpenSchema):
    """A text, or the messages of a conversation.

    Attributes:
        model: The name of the language model, the default, or of the encoder.
        prompt: A text on its own.
        messages: Of a conversation; its tokens are those of the prompt that is answered.
        add_special_tokens: Whether a text gets the tokens that the tokeniser puts around texts.
        return_token_strs: Whether the tokens' names come as well.
    """

    model: str | None = None
    prompt: str | None = Field(default=None, examples=["A dog runs on the beach."])
    messages: list[dict[str, Any]] | None = None
    add_special_tokens: bool = True
    return_token_strs: bool | None = False

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.prompt is None) is (self.messages is None):
            raise ValueError("give `prompt` or `messages`, one of the two")
        return self


class DetokenizeRequest(OpenSchema):
    """Token ids.

    Attributes:
        model: The name of the language model, the default, or of the encoder.
        tokens: Ids of its tokens.
    """

    model: str | None = None
    tokens: list[int] = Field(examples=[[5, 6, 7]])
