"""Claims to check against a source, and queries to route."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from headwise.choices import DEFAULT_MIN_SIMILARITY
from headwise.serving.schemas.base import Schema, example
from headwise.serving.schemas.classification import Threshold


class CheckRequest(Schema):
    """A source, and a claim or several; options are those of `EntailmentModel.validate`.

    Attributes:
        model: The encoder's name, if the client wants to be sure.
        source: The source, of any length.
        claim: One statement.
        claims: Several, each of which is checked by itself.
        language: Code of the source's language, for its sentences.
        top_k: How many passages to ask about.
        window: Neighbouring sentences in a passage.
        min_similarity: Cosine that a passage needs to contradict a claim, in [-1, 1].
        threshold: From which uncertainty on the model abstains; by default its own.
    """

    model_config = example(
        source="A man is playing guitar on stage. Two dogs run on the beach.",
        claims=["A person is making music.", "The dogs are asleep."],
    )

    model: str | None = None
    source: str
    claim: str | None = None
    claims: list[str] | None = Field(default=None, min_length=1)
    language: str = "en"
    top_k: int = Field(default=5, ge=1, le=256)
    window: int = Field(default=1, ge=1, le=64)
    min_similarity: float = Field(default=DEFAULT_MIN_SIMILARITY, ge=-1, le=1)
    threshold: float | None = Threshold

    @model_validator(mode="after")
    def _claim_or_claims(self) -> Self:
        if (self.claim is None) == (self.claims is None):
            raise ValueError("give `claim`, or `claims`")
        return self

    @property
    def all_claims(self) -> list[str]:
        """What is to be checked."""
        return self.claims if self.claims is not None else [self.claim or ""]

    def options(self) -> dict[str, Any]:
        """Of `EntailmentModel.validate`."""
        return self.model_dump(include={"language", "top_k", "window", "min_similarity"})


class RouteRequest(Schema):
    """A query and routes; options are those of `EntailmentModel.route`.

    Attributes:
        model: The encoder's name, if the client wants to be sure.
        query: What is to be sent somewhere.
        routes: Names and hypotheses (by similarity, descriptions or examples), one or several
            each; or hypotheses that name themselves.
        by: What must be true of a route: entailed by the query, or close to it.
        min_score: Least score of a route.
        threshold: From which uncertainty on the model abstains; by default its own.
    """

    model_config = example(
        query="How do I reverse a list in Python?",
        routes={"code": "This is about programming.", "cooking": "This is about cooking."},
        by="similarity",
    )

    model: str | None = None
    query: str
    routes: dict[str, str | list[str]] | list[str]
    by: Literal["entailment", "similarity"] = "entailment"
    min_score: float | None = Field(default=None, allow_inf_nan=False)
    threshold: float | None = Threshold
