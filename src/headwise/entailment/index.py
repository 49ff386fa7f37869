"""Search over the embeddings of documents, in memory."""

import json
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from headwise.documents import parse_json
from headwise.entailment.inputs import at_least_one, one_of
from headwise.entailment.ranking import Ranked, best_first
from headwise.errors import DataError, MismatchError
from headwise.files import atomic_path, naming_output, write_tensors
from headwise.functional.similarity import Similarity, similarities
from headwise.heads.storage.files import read_tensors

IndexBackend = Literal["exact", "faiss"]
Embed = Callable[[Sequence[str]], Tensor]

_VECTORS, _DOCUMENTS, _SIMILARITY = "vectors.safetensors", "documents.jsonl", "similarity"
# Neighbours a node, and candidates while building and searching: recall before size
_NEIGHBOURS, _BUILD_CANDIDATES, _SEARCH_CANDIDATES = 32, 200, 128
# Cosine of a stored vector with the same text's vector today; other dtypes and devices stay above
_SAME_ENCODER = 0.99


class DocumentIndex:
    """Finds the documents whose embeddings are closest to a query's.

    For cosines, embeddings are kept at unit length.

    Args:
        documents: N texts.
        vectors: Their embeddings, ``(N, D)``.
        embed: Makes the embeddings of queries, ``(n, D)``; ``EntailmentModel.embed`` for one.
        similarity: How a query is compared with a document.
        backend: ``exact`` compares a query with every document; ``faiss`` walks a graph of
            neighbours, which pays from some 100,000 documents on and may miss one now and then.

    Raises:
        ValueError: If there are not as many vectors as documents, or the backend is unknown.
        ImportError: If FAISS is asked for and not installed.

    References:
        Malkov & Yashunin 2018, arXiv 1603.09320, for the graph.
    """

    def __init__(
        self,
        documents: Sequence[str],
        vectors: Tensor,
        *,
        embed: Embed,
        backend: IndexBackend = "exact",
        similarity: Similarity = Similarity.COSINE,
    ) -> None:
        if vectors.ndim != 2 or len(vectors) != len(documents):
            raise ValueError(
                f"`vectors` must be (N, D) with one row for each of {len(documents)} documents, "
                f"got {tuple(vectors.shape)}."
            )
        one_of(backend, IndexBackend, name="backend")
        self.documents = tuple(documents)
        self.similarity = Similarity(similarity)
        self.vectors = self._kept(vectors)
        self._embed = embed
        self._graph = None
        if backend == "faiss":
            if self.similarity not in (Similarity.COSINE, Similarity.DOT):
                raise ValueError(
                    f"The backend 'faiss' compares by inner products, and this encoder by "
                    f"{self.similarity.value}; use the backend 'exact'."
                )
            self._graph = _build_graph(self.vectors)

    def __len__(self) -> int:
        return len(self.documents)

    def _kept(self, vectors: Tensor) -> Tensor:
        vectors = vectors.float().cpu()
        return F.normalize(vectors, dim=-1) if self.similarity is Similarity.COSINE else vectors

    def search(self, query: str, top_k: int = 10) -> list[Ranked]:
        """Find the documents that are closest to a query, best first; equal ones keep their order.

        Args:
            query: The text to look for.
            top_k: How many documents, at most.

        Raises:
            TextError: If the query cannot be read.
            ContextLengthError: If it is longer than the context.
        """
        at_least_one(top_k, name="top_k")
        vector = self._kept(self._embed([query]))  # (1, D)
        if not self.documents:
            return []
        if self._graph is None:
            # Cosines are products of vectors that have unit length already
            cosine = self.similarity is Similarity.COSINE
            how = Similarity.DOT if cosine else self.similarity
            return best_first(
                self.documents, similarities(vector, self.vectors, how)[0], top_k=top_k
            )
        self._graph.hnsw.efSearch = max(_SEARCH_CANDIDATES, 2 * top_k)
        scores, places = self._graph.search(vector.numpy(), min(top_k, len(self)))
        return [
            Ranked(place, self.documents[place], score)
            for score, place in zip(scores[0].tolist(), places[0].tolist(), strict=True)
            if place >= 0  # FAISS fills up with -1 what it did not find
        ]

    def save(self, folder: str | Path) -> Path:
        """Write vectors and documents into a folder, made if it is missing, and return it.

        Args:
            folder: Where to; made if it is missing.

        Raises:
            OutputError: If a file cannot be written.
        """
        folder = Path(folder)
        place = torch.tensor(list(Similarity).index(self.similarity))
        write_tensors(folder / _VECTORS, {"vectors": self.vectors, _SIMILARITY: place})
        path = folder / _DOCUMENTS
        with (
            naming_output(path),
            atomic_path(path) as temporary,
            temporary.open("w", encoding="utf-8", newline="\n") as lines,
        ):
            lines.writelines(json.dumps(text, ensure_ascii=False) + "\n" for text in self.documents)
        return folder

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        embed: Embed,
        embed_documents: Embed | None = None,
        backend: IndexBackend = "exact",
    ) -> "DocumentIndex":
        """Read back what :meth:`save` wrote; `EntailmentModel.load_index` knows how to embed.

        The first document is embedded anew by ``embed_documents`` (by default ``embed``), to see
        that vectors and encoder belong together.

        Args:
            folder: Where :meth:`save` wrote to.
            backend: What searches: exact, or FAISS.
            embed: Embeds queries.
            embed_documents: Embeds documents; by default the same.

        Raises:
            DataError: If the documents are missing or damaged.
            WeightsError: If the vectors are.
            MismatchError: If another encoder made the vectors.
        """
        folder = Path(folder)
        documents = _read_documents(folder / _DOCUMENTS)
        if not (folder / _VECTORS).is_file():
            raise DataError(f"{folder} has no {_VECTORS}; save the index again.")
        stored = read_tensors(folder / _VECTORS)
        vectors = stored.get("vectors")
        if vectors is None or vectors.ndim != 2 or len(vectors) != len(documents):
            raise DataError(
                f"{folder} does not hold one vector for each of {len(documents)} documents; save "
                "the index again."
            )
        if documents:
            today = (embed_documents or embed)(documents[:1]).float().cpu()
            if today.shape[1] != vectors.shape[1]:
                raise MismatchError(
                    f"The index in {folder} has vectors of {vectors.shape[1]} numbers, this "
                    f"encoder makes {today.shape[1]}; load the encoder that made the index."
                )
            if F.cosine_similarity(today, vectors[:1]).item() < _SAME_ENCODER:
                raise MismatchError(
                    f"The index in {folder} was made by another encoder: the first document has "
                    "another vector today; load the encoder that made the index."
                )
        similarity = _read_similarity(stored.get(_SIMILARITY), folder)
        return cls(documents, vectors, embed=embed, backend=backend, similarity=similarity)


def _read_similarity(place: Tensor | None, folder: Path) -> Similarity:
    """What was written beside the vectors; nothing was while all indices compared by cosines."""
    if place is None:
        return Similarity.COSINE
    known = dict(enumerate(Similarity))
    if place.numel() != 1 or place.is_floating_point() or int(place) not in known:
        raise DataError(f"{folder} does not say how to compare its vectors; save the index again.")
    return known[int(place)]


def _read_documents(path: Path) -> list[str]:
    try:
        # Not splitlines: a text may hold other characters that Unicode calls line breaks
        lines = path.read_text(encoding="utf-8").split("\n")
        documents = [parse_json(line) for line in lines[:-1]]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise DataError(
            f"{path} must hold one text a line, in JSON ({error}); save the index again."
        ) from None
    if lines[-1] or not all(isinstance(text, str) for text in documents):
        raise DataError(f"{path} must hold one text a line, in JSON; save the index again.")
    return documents


def _build_graph(vectors: Tensor) -> Any:
    if find_spec("faiss") is None:
        raise ImportError(
            "The backend 'faiss' needs FAISS, which is not installed: pip install 'headwise[faiss]'"
        )
    faiss = import_module("faiss")
    graph = faiss.IndexHNSWFlat(vectors.shape[1], _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = _BUILD_CANDIDATES
    graph.add(vectors.numpy())
    return graph
