"""What a cascade is asked."""

from typing import Any, Self

from pydantic import Field, model_validator

from headwise.serving.schemas.base import Schema, example


class CascadeRequest(Schema):
    """A text to answer or translate, or several.

    Attributes:
        source: The text.
        sources: Several, each of which is answered by itself.
        columns: Columns beside them, from which prompts take variables.
        ask_all: Whether all models are asked, to compare them; the answer stays the same.
    """

    model_config = example(source="A dog runs along the beach.")

    source: str | None = None
    sources: list[str] | None = Field(default=None, min_length=1)
    columns: dict[str, Any] = Field(default_factory=dict)
    ask_all: bool = False

    @model_validator(mode="after")
    def _one_or_several(self) -> Self:
        if (self.source is None) == (self.sources is None):
            raise ValueError("give `source`, or `sources`")
        return self

    @property
    def texts(self) -> list[str]:
        """What is asked."""
        return self.sources if self.sources is not None else [self.source or ""]
