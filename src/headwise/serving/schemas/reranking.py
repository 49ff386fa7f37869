"""Documents to rank for a query, as Jina, Cohere and text-embeddings-inference take them."""

from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from headwise.serving.schemas.base import OpenSchema, example

_QUERY = "Who plays music?"
_DOCUMENTS = ["A man is playing guitar on stage.", "A dog runs on the beach."]


class TextDocument(OpenSchema):
    """A document with other fields beside its text, which come back with it."""

    model_config = ConfigDict(extra="allow")
    text: str


Document = str | TextDocument


class RerankRequest(OpenSchema):
    """A query and documents (https://api.jina.ai/redoc#tag/rerank); other fields are ignored.

    Attributes:
        model: The encoder's name, or that of the language model: then ``query`` is the source, and
            ``documents`` are hypotheses, ranked by quality.
        query: What to look for; or the source.
        documents: Where to look; or the hypotheses. Texts, or objects with ``text``.
        top_n: How many to return, best first; all by default.
        return_documents: Whether documents come back.
        signals: Of the language model, the main one first; its best by default.
    """

    model_config = example(query=_QUERY, documents=_DOCUMENTS, top_n=1)

    model: str | None = None
    query: str
    documents: list[Document] = Field(min_length=1)
    top_n: int | None = Field(default=None, ge=1)
    return_documents: bool = True
    signals: list[str] | None = None

    @property
    def texts(self) -> list[str]:
        """What is ranked."""
        return [one if isinstance(one, str) else one.text for one in self.documents]

    def document(self, index: int) -> dict[str, Any]:
        """A document as it comes back."""
        one = self.documents[index]
        return {"text": one} if isinstance(one, str) else one.model_dump()


class CohereRerankRequest(RerankRequest):
    """The same of Cohere's API v2 (https://docs.cohere.com/reference/rerank).

    Attributes:
        return_documents: Whether documents come back, which newer versions do not offer.
        max_tokens_per_doc: Not used: documents are read whole or refused.
        priority: Not used.
    """

    model_config = ConfigDict(extra="allow") | example(
        model="tiny-en-de",
        query="A dog runs on the beach.",
        documents=["Ein Hund läuft am Bahnhof.", "Ein Hund läuft am Strand."],
    )

    return_documents: bool = False
    max_tokens_per_doc: int | None = Field(default=None, ge=1)
    priority: int | None = None


class AnyRerankRequest(RerankRequest):
    """Jina's request; or that of text-embeddings-inference, which calls documents ``texts``.

    https://huggingface.github.io/text-embeddings-inference/ describes it.

    Attributes:
        documents: As above.
        plain_texts: Documents, if the answer is to have the other shape.
        raw_scores: Of that shape: sums of best cosines, not their mean.
        return_text: Of that shape: whether texts come back.
        truncate: Of that shape, not used: documents are read whole or refused.
    """

    model_config = example(query=_QUERY, texts=_DOCUMENTS, return_text=True)

    documents: list[Document] = Field(default_factory=list)
    plain_texts: list[str] | None = Field(default=None, alias="texts", min_length=1)
    raw_scores: bool = False
    return_text: bool = False
    truncate: bool = False

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if bool(self.documents) == (self.plain_texts is not None):
            raise ValueError("give `documents` (or, as text-embeddings-inference, `texts`)")
        return self

    @property
    def texts(self) -> list[str]:
        """What is ranked."""
        return super().texts if self.plain_texts is None else self.plain_texts
