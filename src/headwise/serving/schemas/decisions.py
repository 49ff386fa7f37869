"""Questions about an input, as OpenAI's Decisions API takes them.

https://platform.openai.com/docs/api-reference/decisions is their description. Unknown fields are
errors. Images are not understood.
"""

import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from headwise.entailment import OneOf, YesNo
from headwise.entailment.decisions import DecideBy, state_text
from headwise.serving.schemas.base import Schema, example
from headwise.serving.schemas.classification import Threshold


class TextPart(Schema):
    """A part of a message that is text, or JSON that is read as text."""

    type: Literal["input_text", "output_text", "refusal", "input_json"]
    text: str | None = None
    refusal: str | None = None
    data: dict[str, Any] | list[dict[str, Any]] | None = None
    prompt_cache_breakpoint: dict[str, Any] | None = None

    def plain(self) -> str:
        """What it says."""
        if self.data is not None:
            return state_text(self.data)
        return self.text or self.refusal or ""


Content = str | list[TextPart]


def plain(content: Content | None) -> str:
    """A text, or parts of one, as text."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part.plain() for part in content)


class InputItem(Schema):
    """A message, or the call of a tool, or what came of it."""

    type: Literal[
        "message",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "custom_tool_call_output",
    ] = "message"
    role: Literal["user", "developer", "system", "assistant"] | None = None
    content: Content | None = None
    phase: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: str | None = None
    input: str | None = None
    output: Content | None = None
    call_id: str | None = None
    id: str | None = None
    status: str | None = None

    def plain(self) -> str:
        """What it says."""
        if self.type == "message":
            return plain(self.content)
        said = self.arguments or self.input or plain(self.output)
        return f"{self.name}: {said}" if self.name else said


class NamedQuestion(Schema):
    """What all questions have."""

    instructions: Content
    name: str | None = None


class PredicateQuestion(NamedQuestion):
    """Is it true?"""

    type: Literal["predicate"]

    def asked(self, _: DecideBy) -> YesNo:
        """As entailment answers it."""
        return YesNo(plain(self.instructions))


class ChoiceOption(Schema):
    """An answer to choose."""

    value: str | bool
    description: str | None = None


class ChoiceQuestion(NamedQuestion):
    """Which one is it?"""

    type: Literal["choice"]
    choices: list[ChoiceOption] = Field(min_length=2, max_length=255)

    def asked(self, by: DecideBy) -> OneOf:
        """What is compared with the input: described options by their description."""
        texts = (one.description or json_text(one.value) for one in self.choices)
        return OneOf(plain(self.instructions), tuple(texts), by)


class ScoreLevel(Schema):
    """A level of a scale."""

    label: str
    description: str | None = None


class ScoreQuestion(NamedQuestion):
    """How much is it?"""

    type: Literal["score"]
    levels: list[ScoreLevel] = Field(min_length=2, max_length=10)

    def asked(self, by: DecideBy) -> OneOf:
        """What is compared with the input: described levels by their description."""
        texts = (one.description or one.label for one in self.levels)
        return OneOf(plain(self.instructions), tuple(texts), by)


def kind_of_question(value: Any) -> str:
    """The tag of a question, by which errors do not name its fields: it begins with a capital."""
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return str(kind).capitalize()


AnyQuestion = Annotated[
    Annotated[PredicateQuestion, Tag("Predicate")]
    | Annotated[ChoiceQuestion, Tag("Choice")]
    | Annotated[ScoreQuestion, Tag("Score")],
    Discriminator(
        kind_of_question,
        custom_error_type="question_type",
        custom_error_message="`type` must be predicate, choice or score",
    ),
]


class DecisionsRequest(Schema):
    """An input and questions about it.

    Attributes:
        model: The encoder's name, if the client wants to be sure.
        input: A text, or messages and tool calls, whose texts are read one after the other.
        questions: 1 to 400.
        threshold: From which uncertainty on a question is not answered; by default the model's
            own. Not in OpenAI's shape.
        by: How choices and scores are found: by entailment or by similarity. Not in it either.
        prompt_cache_key: Not used, as are ``prompt_cache_options`` and ``safety_identifier``.
    """

    model_config = example(
        input="A man is playing guitar on stage in front of a crowd.",
        questions=[
            {"type": "predicate", "name": "music", "instructions": "A person is making music."},
            {
                "type": "choice",
                "name": "topic",
                "instructions": "What is it about?",
                "choices": [{"value": "music"}, {"value": "sports"}],
            },
        ],
    )

    model: str | None = None
    input: str | list[InputItem]
    questions: list[AnyQuestion] = Field(min_length=1, max_length=400)
    threshold: float | None = Threshold
    by: DecideBy = "entailment"
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    safety_identifier: str | None = None

    @property
    def state(self) -> str:
        """What the questions are about."""
        if isinstance(self.input, str):
            return self.input
        return "\n".join(_written(item.plain() for item in self.input))


def _written(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if text]


def json_text(value: str | bool) -> str:
    """A text as it is, and a truth value as JSON writes it."""
    return value if isinstance(value, str) else json.dumps(value)
