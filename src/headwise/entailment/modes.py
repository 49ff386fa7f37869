"""Four readings of one batch of token ids."""

from enum import StrEnum
from typing import assert_never

import torch
from torch import Tensor

from headwise.backbones import EncoderBackbone
from headwise.choices import NLIFeatures
from headwise.entailment.embedding import HeadedEncoder
from headwise.errors import ContextLengthError
from headwise.functional.pooling import Pooling, pool
from headwise.heads import InferenceInputs, TaskHeads


class Mode(StrEnum):
    """What to make of a batch.

    Attributes:
        EMBED: Embeddings, ``(B, E)``.
        LATE_INTERACTION: Token vectors of unit length, zeros at padding, ``(B, T, D)``.
        NLI: Logits of entailment, neutral and contradiction, ``(B, 3)``.
        ABSTENTION: The same, and logits of confident and uncertain, ``(B, 2)``.
    """

    EMBED = "embed"
    LATE_INTERACTION = "late_interaction"
    NLI = "nli"
    ABSTENTION = "abstention"


def run_mode(
    encoder: HeadedEncoder,
    mode: Mode | str,
    input_ids: Tensor,
    attention_mask: Tensor,
    token_type_ids: Tensor | None,
) -> Tensor | tuple[Tensor, Tensor]:
    """Read a batch; see :class:`Mode` for what comes out, float32.

    Raises:
        ValueError: If the mode is unknown, the heads cannot read token ids this way, or these are
            no batch of a token or more.
        ContextLengthError: If the batch is wider than the context.
    """
    try:
        mode = Mode(mode)
    except ValueError:
        raise ValueError(f"`mode` must be one of {', '.join(Mode)}, got {mode!r}.") from None
    backbone, heads = encoder.backbone, encoder.heads
    if mode in (Mode.NLI, Mode.ABSTENTION):
        _check_joint(heads, mode)
    _check_batch(backbone, input_ids, attention_mask)
    ids, mask = input_ids.to(backbone.device), attention_mask.to(backbone.device)
    types = None if token_type_ids is None else token_type_ids.to(backbone.device)
    # Not inference_mode: what comes out may go into someone's training
    with torch.no_grad():
        hidden = backbone.forward(ids, mask, types)
        match mode:
            case Mode.EMBED:
                return encoder.embeddings_of(backbone.pool(hidden, mask))
            case Mode.LATE_INTERACTION:
                vectors: Tensor = encoder.late_interaction(hidden, mask)
                return vectors
            case Mode.NLI | Mode.ABSTENTION:
                assert heads is not None
                first = pool(hidden, mask, Pooling.CLS)
                inner, logits, evidence = heads.read(InferenceInputs(first))
                if mode is Mode.NLI:
                    return logits
                assert heads.abstention is not None
                return logits, heads.abstention(inner, logits, evidence)
    assert_never(mode)


def _check_batch(backbone: EncoderBackbone, input_ids: object, attention_mask: object) -> None:
    ids, mask = (
        tuple(given.shape) if isinstance(given, Tensor) else None
        for given in (input_ids, attention_mask)
    )
    if ids is None or ids != mask or len(ids) != 2 or 0 in ids:
        found = (ids or type(input_ids).__name__, mask or type(attention_mask).__name__)
        raise ValueError(
            "`input_ids` and `attention_mask` must be tensors (B, T) of one shape, of a token or "
            f"more, got {found[0]} and {found[1]}."
        )
    if backbone.max_length is not None and ids[1] > backbone.max_length:
        raise ContextLengthError(
            f"The batch is {ids[1]} tokens wide, but the model reads {backbone.max_length} at "
            "most; split the texts."
        )


def _check_joint(heads: TaskHeads | None, mode: Mode) -> None:
    if heads is None:
        raise ValueError(
            f"Mode {mode.value!r} needs heads and none are loaded; give `heads`, or use 'embed' "
            "or 'late_interaction'."
        )
    if heads.config.features is not NLIFeatures.JOINT:
        raise ValueError(
            f"Mode {mode.value!r} reads premise and hypothesis as one text; these heads read "
            f"{heads.config.features.value!r} features, for which the texts are encoded apart: "
            "use `predict`."
        )
    if mode is Mode.ABSTENTION and heads.abstention is None:
        raise ValueError(
            "Mode 'abstention' needs an abstention head and there is none; train one, or use 'nli'."
        )
