"""What the plugin is told when vLLM starts."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_KEY = "headwise"


class PluginSettings(BaseModel):
    """The object ``headwise`` of vLLM's ``--additional-config``; all of it may be left out.

    Attributes:
        head: A folder or hub id of heads, or a bundled name for that model's heads.
        prompt: A template, or the name of one; by default the one saved with the head.
        prompt_variables: Values for its variables.
        prompt_columns: Columns of pairs that variables take their values from.
        device: Where the output layer and heads compute.
        most_pairs: Pairs that a request may hold: their texts are tokenised while others wait.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    head: str | None = None
    prompt: str | dict[str, Any] | None = None
    prompt_variables: dict[str, str] = Field(default_factory=dict)
    prompt_columns: dict[str, str] = Field(default_factory=dict)
    device: str = "cpu"
    most_pairs: int = Field(default=256, ge=1)

    @classmethod
    def of(cls, additional: object) -> Self:
        """Read vLLM's additional config.

        Raises:
            ValueError: If its object ``headwise`` is something else.
        """
        given = additional.get(_KEY, {}) if isinstance(additional, dict) else {}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise ValueError(f"`{_KEY}` of --additional-config: {error}") from error
