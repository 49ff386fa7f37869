"""What all requests have in common."""

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """A request whose unknown fields are errors, as OpenAI's are."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class OpenSchema(Schema):
    """A request whose unknown fields are ignored, where the shape's own servers do that."""

    model_config = ConfigDict(extra="ignore")
