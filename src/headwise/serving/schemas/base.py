"""What all requests have in common."""

from typing import Any

from pydantic import BaseModel, ConfigDict


def example(**fields: Any) -> ConfigDict:
    """Settings of a request that show a whole body, which runs as it stands."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class Schema(BaseModel):
    """A request whose unknown fields are errors, as OpenAI's are."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class OpenSchema(Schema):
    """A request whose unknown fields are ignored, where the shape's own servers do that."""

    model_config = ConfigDict(extra="ignore")
