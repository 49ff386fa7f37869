"""What a server is told when it starts."""

from pydantic import BaseModel, ConfigDict, Field


class ServerSettings(BaseModel):
    """Models, and how much is done at a time.

    Attributes:
        model: Name of the language model, as `QualityEstimator.from_pretrained` takes it; ``None``
            for none.
        head: Its head, likewise.
        entailment: Name of the encoder, as `EntailmentModel.from_pretrained` takes it.
        heads: Its heads, likewise.
        max_concurrent_requests: Requests in work at a time; others are answered 429.
        max_client_batch_size: Texts or pairs a JSON request may hold; lines of NDJSON are not
            counted.
        max_body_bytes: Bytes a request's body may have.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = "tiny-en-de"
    head: str | None = None
    entailment: str | None = "minilm-snli"
    heads: str | None = None
    max_concurrent_requests: int = Field(default=256, ge=1)
    max_client_batch_size: int = Field(default=256, ge=1)
    max_body_bytes: int = Field(default=8 * 2**20, ge=1)
