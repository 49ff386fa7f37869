"""What a frozen encoder does without an NLI head: embed, rerank, search, read token ids."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from torch import Tensor

from headwise.backbones import EncodedText, EncoderBackbone
from headwise.backbones.encoders.sentence_embedding import TextRole
from headwise.entailment.embedding import HeadedEncoder
from headwise.entailment.index import DocumentIndex, IndexBackend
from headwise.entailment.inputs import all_good, at_least_one, one_of, text_list
from headwise.entailment.modes import Mode, run_mode
from headwise.entailment.ranking import Ranked, RerankBy, best_first, late_interaction_scores
from headwise.heads import TaskHeads


class TextSearch:
    """Embeds texts, and finds those that are close to a query."""

    def __init__(self, encoder: HeadedEncoder) -> None:
        self.encoder = encoder

    @property
    def backbone(self) -> EncoderBackbone:
        """The frozen encoder; its ``model`` and ``tokenizer`` are those of Transformers."""
        return self.encoder.backbone

    @property
    def heads(self) -> TaskHeads | None:
        """The heads, or ``None``."""
        return self.encoder.heads

    def __call__(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        mode: Mode | str = Mode.EMBED,
        token_type_ids: Tensor | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Read token ids, ``(B, T)`` like the mask and types, in one of four modes.

        Returns:
            ``embed``: ``(B, D)``; ``late_interaction``: ``(B, T, D)``; ``nli``: ``(B, 3)``;
            ``abstention``: ``(B, 3)`` and ``(B, 2)``. float32, on the encoder's device.

        Raises:
            ValueError: If the mode is unknown, or the heads cannot read token ids this way.
        """
        return run_mode(self.encoder, mode, input_ids, attention_mask, token_type_ids)

    def embed(
        self, texts: str | Iterable[str], *, role: TextRole = "text", progress: bool = False
    ) -> Tensor:
        """Embed texts.

        Args:
            texts: One text or a list.
            role: Whose prompt goes before each: that of a ``query``, of a ``document``, or of a
                ``text`` that is neither. Most encoders have no prompts.
            progress: Whether to show a bar.

        Returns:
            ``(D,)`` for one text, else ``(N, D)`` in input order; float32, on the CPU. The
            encoder's own embeddings, or those of the embedding head if there is one.
        """
        one_of(role, TextRole, name="role")
        single = isinstance(texts, str)
        listed = [texts] if isinstance(texts, str) else text_list(texts, name="texts")
        name = None if single else "texts"
        what = "query" if role == "query" else "text"
        vectors = self._embed(listed, what=what, role=role, name=name, progress=progress)
        return vectors[0] if single else vectors

    def rerank(
        self,
        query: str,
        documents: Iterable[str],
        *,
        top_k: int | None = None,
        by: RerankBy = "late_interaction",
    ) -> list[Ranked]:
        """Sort documents by how well they fit a query.

        Args:
            query: What to look for.
            documents: Where to look.
            top_k: How many to return; all by default.
            by: ``late_interaction``: the sum, over the query's tokens, of their best cosine with
                a token of the document. ``similarity``: that of the embeddings, as in a search.

        Returns:
            Documents, best first; equal ones keep their order.

        Raises:
            ValueError: If ``top_k`` is below 1 or ``by`` is unknown.
        """
        one_of(by, RerankBy, name="by")
        if top_k is not None:
            at_least_one(top_k, name="top_k")
        listed = text_list(documents, name="documents")
        if by == "similarity":
            return self.search(query, self.index(listed), top_k or max(1, len(listed)))
        asked = self._read_query(query)
        codes = all_good(self.backbone.encode(listed, what="document"), name="documents")
        scores = late_interaction_scores(self.encoder, asked, codes)
        return best_first(listed, scores, top_k=top_k)

    def index(
        self,
        documents: Iterable[str],
        *,
        backend: IndexBackend = "exact",
        progress: bool = False,
    ) -> DocumentIndex:
        """Embed documents to search them again and again; with ``faiss`` if they are very many.

        Args:
            documents: The texts to search.
            backend: What searches: ``exact``, or ``faiss``.
            progress: Whether a bar is shown.

        Raises:
            ImportError: If FAISS is asked for and not installed.
        """
        listed = text_list(documents, name="documents")
        vectors = self._embed(
            listed, what="document", role="document", name="documents", progress=progress
        )
        return DocumentIndex(
            listed,
            vectors,
            embed=partial(self.embed, role="query"),
            backend=backend,
            similarity=self.encoder.similarity,
        )

    def load_index(self, folder: str | Path, *, backend: IndexBackend = "exact") -> DocumentIndex:
        """Read back an index that this encoder made; errors are those of `DocumentIndex.load`."""
        return DocumentIndex.load(
            folder,
            embed=partial(self.embed, role="query"),
            embed_documents=partial(self.embed, role="document"),
            backend=backend,
        )

    def search(
        self, query: str, documents: Iterable[str] | DocumentIndex, top_k: int = 10
    ) -> list[Ranked]:
        """Find the documents whose embeddings are closest to a query's, ``top_k`` at most.

        An index of documents is embedded once for all queries.

        Args:
            query: The text to look for.
            documents: Texts, or an index of them.
            top_k: How many to find, at most.
        """
        self._read_query(query, role="query")
        index = documents if isinstance(documents, DocumentIndex) else self.index(documents)
        return index.search(query, top_k)

    def _read_query(self, query: str, role: TextRole | None = None) -> EncodedText:
        """Say what is wrong with a query before anything else costs time."""
        (code,) = all_good(self.backbone.encode([query], what="query", role=role), name=None)
        return code

    def _embed(
        self, texts: Sequence[str], *, what: str, role: TextRole, name: str | None, progress: bool
    ) -> Tensor:
        codes = all_good(self.backbone.encode(texts, what=what, role=role), name=name)
        return self.encoder.embed(codes, progress=progress)
