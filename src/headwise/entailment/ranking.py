"""Documents with the score that they got."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from headwise.backbones import EncodedText
from headwise.entailment.embedding import HeadedEncoder

RerankBy = Literal["late_interaction", "similarity"]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A document and its score.

    Attributes:
        index: Where the document stands among those that were given, from 0.
        document: Its text.
        score: The higher the better; the similarity of embeddings (the cosine, in [-1, 1],
            where the encoder does not ask for another one), or for late
            interaction the sum over the query's tokens of their best cosine.
    """

    index: int
    document: str
    score: float


def best_first(documents: Sequence[str], scores: Tensor, *, top_k: int | None) -> list[Ranked]:
    """Sort N documents by their scores, ``(N,)``; equal ones keep their order."""
    order = scores.argsort(descending=True, stable=True)[:top_k].tolist()
    return [Ranked(i, documents[i], float(scores[i])) for i in order]


def late_interaction_scores(
    encoder: HeadedEncoder, query: EncodedText, documents: Sequence[EncodedText]
) -> Tensor:
    """Sum, over the query's tokens, their best cosine with a token of the document.

    The query is encoded once. Documents of similar length are encoded and scored together and
    then dropped, so that memory does not grow with their number. Scores of N documents, ``(N,)``,
    are float32, on the CPU, in input order.

    References:
        Khattab & Zaharia 2020, arXiv 2004.12832, Eq. 3.
    """
    # Once a text: another batch would round differently, and equal documents would lose their tie
    places = {document: place for place, document in enumerate(dict.fromkeys(documents))}
    scores = torch.empty(len(places))
    head, backbone = encoder.late_interaction, encoder.backbone
    with torch.inference_mode():
        queries = head(*backbone.hidden([query]))

        def best_cosines(hidden: Tensor, mask: Tensor) -> Tensor:
            return head.score(queries, head(hidden, mask), document_mask=mask)[0]

        for batch, found in backbone.kept(list(places), best_cosines):
            scores[batch] = found.cpu()
    return scores[[places[document] for document in documents]]
