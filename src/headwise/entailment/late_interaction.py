"""Score documents for a query token by token, without keeping the documents' token vectors."""

from collections.abc import Sequence

import torch
from torch import Tensor

from headwise.backbones.encoder import EncodedText, EncoderBackbone
from headwise.heads.late_interaction_head import LateInteractionHead
from headwise.heads.task_heads import TaskHeads


def late_interaction_head(
    backbone: EncoderBackbone, heads: TaskHeads | None
) -> LateInteractionHead:
    """The head for token vectors; without one, a head that only makes them unit vectors."""
    if heads is not None and heads.late_interaction is not None:
        return heads.late_interaction
    return LateInteractionHead(hidden_size=backbone.hidden_size)


def late_interaction_scores(
    backbone: EncoderBackbone,
    heads: TaskHeads | None,
    query: EncodedText,
    documents: Sequence[EncodedText],
) -> Tensor:
    """Sum, over the query's tokens, their best cosine with a token of the document.

    The query is encoded once. Documents of similar length are encoded and scored together and
    then dropped, so that memory does not grow with their number.

    Args:
        backbone: The encoder.
        heads: May have a head for token vectors; without it, hidden states make them.
        query: The query.
        documents: N documents.

    Returns:
        Scores, ``(N,)``, float32, on the CPU, in input order.

    References:
        Khattab & Zaharia 2020, arXiv 2004.12832, Eq. 3.
    """
    scores = torch.empty(len(documents))
    head = late_interaction_head(backbone, heads)
    with torch.inference_mode():
        queries = head(*backbone.hidden([query]))
        for batch, hidden, mask in backbone.batches(documents):
            found = head.score(queries, head(hidden, mask), document_mask=mask)
            scores[batch] = found[0].cpu()
    return scores
