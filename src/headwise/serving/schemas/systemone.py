"""Questions about a state, as TypeSafe's System One takes them.

https://docs.typesafe.ai/api describes it; other fields are ignored.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from headwise.entailment import OneOf, YesNo
from headwise.entailment.decisions import DecideBy, state_text
from headwise.serving.schemas.base import OpenSchema, example
from headwise.serving.schemas.classification import Threshold
from headwise.serving.schemas.decisions import kind_of_question

Content = str | dict[str, Any] | list[Any]


class Outcomes(OpenSchema):
    """What yes and no mean."""

    true: Content | None = None
    false: Content | None = None


class NoulQuestion(OpenSchema):
    """Is it true?"""

    type: Literal["noul"]
    instructions: Content
    criteria: Outcomes = Outcomes()

    def asked(self, _: DecideBy) -> YesNo:
        """As entailment answers it: by what yes means, if that is said."""
        yes, no = self.criteria.true, self.criteria.false
        statement = state_text(self.instructions if yes is None else yes)
        return YesNo(statement, None if no is None else state_text(no))


class LabelQuestion(OpenSchema):
    """Which label fits? Labels with what they mean, if that is said."""

    type: Literal["choice"]
    instructions: Content
    criteria: dict[str, Content | None] = Field(min_length=1, max_length=255)

    def asked(self, by: DecideBy) -> OneOf:
        """What is compared with the state: described labels by their description."""
        texts = (state_text(said) if said else label for label, said in self.criteria.items())
        return OneOf(state_text(self.instructions), tuple(texts), by)


class LevelQuestion(OpenSchema):
    """Which level of a scale fits?"""

    type: Literal["score"]
    instructions: Content
    criteria: list[Content] = Field(min_length=1, max_length=10)

    def asked(self, by: DecideBy) -> OneOf:
        """What is compared with the state."""
        return OneOf(state_text(self.instructions), tuple(map(state_text, self.criteria)), by)


AnySystemOneQuestion = Annotated[
    Annotated[NoulQuestion, Tag("Noul")]
    | Annotated[LabelQuestion, Tag("Choice")]
    | Annotated[LevelQuestion, Tag("Score")],
    Discriminator(
        kind_of_question,
        custom_error_type="question_type",
        custom_error_message="`type` must be noul, choice or score",
    ),
]


class SystemOneRequest(OpenSchema):
    """A state and named questions about it.

    Attributes:
        model: The encoder's name, if the client wants to be sure.
        state: A text or JSON, which is read as a line a value.
        questions: By name.
        threshold: From which uncertainty on a question is not answered; by default the model's
            own. Not in TypeSafe's shape.
        by: How choices and scores are found: by entailment or by similarity. Not in it either.
    """

    model_config = example(
        state={"picture": "A man is playing guitar on stage in front of a crowd."},
        questions={
            "music": {"type": "noul", "instructions": "A person is making music."},
            "people": {
                "type": "score",
                "instructions": "How many people are there?",
                "criteria": ["nobody", "few", "many"],
            },
        },
    )

    model: str | None = None
    state: Content
    questions: dict[str, AnySystemOneQuestion] = Field(min_length=1, max_length=400)
    threshold: float | None = Threshold
    by: DecideBy = "entailment"
