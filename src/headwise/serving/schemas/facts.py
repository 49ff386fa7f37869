"""Claims to check against a source, and queries to route."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from headwise.choices import DEFAULT_MIN_SIMILARITY, DEFAULT_TOGETHER
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
        min_similarity: Cosine that a passage needs to contradict a claim, or to be read together
            with others, in [-1, 1].
        together: How many passages may be read as one premise; 1 reads each by itself alone.
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
    together: int = Field(default=DEFAULT_TOGETHER, ge=1, le=16)
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
        names = {"language", "top_k", "window", "min_similarity", "together"}
        return self.model_dump(include=names)


class RouteExample(Schema):
    """A query, and where it belongs.

    Attributes:
        query: What is to be sent somewhere.
        route: Name of its route; ``null`` if none suits.
    """

    query: str
    route: str | None


class RouteRequest(Schema):
    """A query and routes; options are those of `EntailmentModel.route`.

    Attributes:
        model: The encoder's name, if the client wants to be sure.
        query: What is to be sent somewhere.
        routes: Names and descriptions or example queries (by entailment, hypotheses), one or
            several each; or texts that name themselves.
        by: What makes a route suit: that it is close to the query, entailed by it, or both;
            ``auto`` is similarity, or what is right on most ``examples``.
        examples: Queries and their routes, to choose the way by.
        min_score: Least score of a route, on the scale of ``by``; not with ``examples``.
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
    by: Literal["auto", "similarity", "both", "entailment"] = "auto"
    examples: list[RouteExample] | None = None
    min_score: float | None = Field(default=None, allow_inf_nan=False)
    threshold: float | None = Threshold

    @model_validator(mode="after")
    def _examples_choose(self) -> Self:
        if self.examples is not None and (self.by != "auto" or self.min_score is not None):
            raise ValueError("`examples` choose the way and its least score; leave the others out")
        return self

    @property
    def pairs(self) -> list[tuple[str, str | None]]:
        """The examples as the library takes them."""
        return [(example.query, example.route) for example in self.examples or ()]
