"""The closed set of quality heads, by the names that they have in files and settings."""

from collections.abc import Callable

from headwise.heads.quality.biased_head import BiasedSigmoidHead, ContextualSigmoidHead
from headwise.heads.quality.rescaling_head import RescaledSigmoidHead, RescalingHead, TokenLogits
from headwise.heads.quality.sigmoid_head import SigmoidHead

QualityHead = SigmoidHead | RescalingHead
"""Any head that scores tokens; those with an unembedding of their own are `SigmoidHead`s."""

HEAD_TYPES = (
    SigmoidHead.head_type,
    BiasedSigmoidHead.head_type,
    ContextualSigmoidHead.head_type,
    RescalingHead.head_type,
    RescaledSigmoidHead.head_type,
)


def build_head(
    head_type: str,
    *,
    vocabulary_size: int,
    hidden_size: int,
    unembedding: Callable[[], TokenLogits],
    context_size: int = 64,
) -> QualityHead:
    """Build a head in its first state.

    Args:
        head_type: One of :data:`HEAD_TYPES`.
        vocabulary_size: V; a head without an unembedding of its own does not need it.
        hidden_size: H; likewise.
        unembedding: Gives the backbone's output layer; called only for heads that rescale its
            logits, so that the others work with backbones whose logits nobody understands.
        context_size: Inner width of a contextual bias.

    Raises:
        ValueError: If there is no such type.
    """
    match head_type:
        case SigmoidHead.head_type:
            return SigmoidHead(vocabulary_size=vocabulary_size, hidden_size=hidden_size)
        case BiasedSigmoidHead.head_type:
            return BiasedSigmoidHead(vocabulary_size=vocabulary_size, hidden_size=hidden_size)
        case ContextualSigmoidHead.head_type:
            return ContextualSigmoidHead(
                vocabulary_size=vocabulary_size,
                hidden_size=hidden_size,
                context_size=context_size,
            )
        case RescalingHead.head_type:
            return RescalingHead(unembedding=unembedding())
        case RescaledSigmoidHead.head_type:
            return RescaledSigmoidHead(vocabulary_size=vocabulary_size, hidden_size=hidden_size)
        case _:
            raise ValueError(
                f"`head_type` must be one of {', '.join(HEAD_TYPES)}, got {head_type!r}."
            )
