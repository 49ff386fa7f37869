"""What the page asks for: hypotheses of one source, ready to be drawn."""

from pydantic import Field

from headwise.serving.schemas.base import Schema


class ViewRequest(Schema):
    """Hypotheses to show, each with all signals that the model can give quickly.

    Attributes:
        model: The model's name, if the client wants to be sure.
        source: What the hypotheses answer to or translate; ``None`` for texts on their own.
        hypotheses: The texts to score.
        signal: The main signal, which shades; the model's best by default.
        alternatives: How many of the language model's own choices a token has.
        variables: Values for variables of the prompt, such as ``target_language``.
    """

    model: str | None = None
    source: str | None = None
    hypotheses: list[str] = Field(min_length=1, max_length=32)
    signal: str | None = None
    alternatives: int = Field(default=5, ge=0, le=20)
    variables: dict[str, str] = Field(default_factory=dict)
