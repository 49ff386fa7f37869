"""Texts to embed, as OpenAI's embeddings take them."""

from typing import Literal

from pydantic import Field

from headwise.serving.schemas.base import Schema, example


class EmbeddingsRequest(Schema):
    """One text or several (https://platform.openai.com/docs/api-reference/embeddings/create).

    Attributes:
        input: A text or a list. Token ids are understood, and refused: they are another
            tokeniser's.
        model: The encoder's name, if the client wants to be sure.
        encoding_format: Numbers, or the bytes of float32, little end first, in base64.
        dimensions: As many as the embeddings have; they cannot be cut.
        user: Not used.
    """

    model_config = example(input=["A dog runs on the beach.", "Ein Hund läuft am Strand."])

    input: str | list[str] | list[int] | list[list[int]]
    model: str | None = None
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = Field(default=None, ge=1)
    user: str | None = None

    @property
    def texts(self) -> list[str] | None:
        """The texts, if they are texts."""
        if isinstance(self.input, str):
            return [self.input]
        texts = [one for one in self.input if isinstance(one, str)]
        return texts if len(texts) == len(self.input) else None
