"""The heads of one encoder, together, and what must be known to use them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from headwise.choices import NLI_LABELS, ONLY_LAST, NLIFeatures
from headwise.errors import MismatchError
from headwise.functional.class_uncertainty import Uncertainty
from headwise.heads.entailment.abstention_head import AbstentionHead
from headwise.heads.entailment.embedding_heads import EmbeddingHead, LateInteractionHead
from headwise.heads.entailment.interaction_network import ALIGNMENT_SIZE
from headwise.heads.entailment.nli_head import NLIHead
from headwise.heads.entailment.paired_tokens import InferenceInputs

LEARNED = "learned"
"""What ``abstain_by`` calls the uncertainty of the abstention head."""
ABSTAIN_BY = (LEARNED, *(how.value for how in Uncertainty))
"""What uncertainty may be: the abstention head's, or a function of the NLI head's logits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskHeadsConfig:
    """What must be known to use a set of heads.

    Attributes:
        features: What the NLI head reads of a pair.
        hidden_size: H of the encoder.
        embedding_size: Width of its embeddings: H, or a multiple where several poolings are
            joined.
        backbone: Name of the encoder, or ``None``.
        abstain_by: One of :data:`ABSTAIN_BY`.
        threshold: The model abstains where its uncertainty, in [0, 1], is at least this; above 1
            it never does.
        threshold_basis: How the threshold was chosen, in a sentence; ``None`` if it was not.
        max_length: Most tokens of a text; ``None`` for what the encoder reads.
        layers: Whose token vectors the NLI head compares, side by side, by their numbers in
            :meth:`~headwise.backbones.EncoderBackbone.layer_numbers`.

    Raises:
        ValueError: If ``abstain_by``, ``threshold`` or a size is out of range.
    """

    features: NLIFeatures
    hidden_size: int
    embedding_size: int
    backbone: str | None = None
    abstain_by: str = LEARNED
    threshold: float = 0.5
    threshold_basis: str | None = None
    max_length: int | None = None
    layers: tuple[int, ...] = ONLY_LAST

    def __post_init__(self) -> None:
        for name in ("hidden_size", "embedding_size", "max_length"):
            size = getattr(self, name)
            if size is not None and size < 1:
                raise ValueError(f"`{name}` must be at least 1, got {size}.")
        if self.abstain_by not in ABSTAIN_BY:
            raise ValueError(
                f"`abstain_by` must be one of {', '.join(ABSTAIN_BY)}, got {self.abstain_by!r}."
            )
        check_threshold(self.threshold)


def check_threshold(value: float) -> None:
    """Refuse what is no threshold of an uncertainty (`ValueError`).

    Args:
        value: An uncertainty, 0 or more and finite.
    """
    if not 0.0 <= value < math.inf:
        raise ValueError(
            f"`threshold` must be a number of at least 0 (above 1: never abstain), got {value}."
        )


class PairReading(NamedTuple):
    """What the NLI heads make of n pairs, float32.

    Attributes:
        hidden: Hidden layer of the NLI head, ``(n, hidden_size)``.
        logits: Its logits, ``(n, 3)``; with a second NLI head, the logarithms of the mean of both
            heads' probabilities.
        evidence: How tokens were aligned, ``(n, 6)``, if they were, and the log-probabilities of
            the second NLI head, ``(n, 3)``, if there is one: ``(n, E)``.
    """

    hidden: Tensor
    logits: Tensor
    evidence: Tensor


def evidence_size(nli: NLIHead, second: NLIHead | None) -> int:
    """E, how many numbers of evidence :func:`read_pairs` gives.

    Args:
        nli: The NLI head.
        second: Another one on the same features; ``None`` without.
    """
    alignments = 0 if nli.interaction is None else ALIGNMENT_SIZE
    return alignments + (0 if second is None else len(NLI_LABELS))


def read_pairs(nli: NLIHead, second: NLIHead | None, inputs: InferenceInputs) -> PairReading:
    """Read pairs with an NLI head and, if there is one, a second one.

    Args:
        nli: The NLI head.
        second: Another one on the same features; ``None`` without.
        inputs: What they read of n pairs.

    References:
        Lakshminarayanan et al. 2017, arXiv 1612.01474, section 2.4 (the mean of probabilities).
    """
    hidden, logits, alignments = nli.read(inputs)
    evidence = [logits.new_empty(len(logits), 0) if alignments is None else alignments]
    if second is not None:
        other = second(inputs).log_softmax(dim=-1)
        evidence.append(other)
        logits = torch.logaddexp(logits.log_softmax(dim=-1), other) - math.log(2)
    return PairReading(hidden, logits, torch.cat(evidence, dim=-1))


class TaskHeads(nn.Module):
    """The heads of one encoder.

    Without ``embedding`` or ``late_interaction``, the encoder's vectors stay as they are; without
    ``abstention``, nothing says how doubtful an answer of ``nli`` is. ``second`` is an NLI head on
    the same features, trained from another start: the answer is the mean of both, and where the two
    disagree, it is doubtful.

    Args:
        config: Sizes, features, labels and threshold, as they are saved.

    Raises:
        MismatchError: If the heads' sizes do not fit together.
    """

    def __init__(
        self,
        *,
        config: TaskHeadsConfig,
        nli: NLIHead,
        abstention: AbstentionHead | None = None,
        second: NLIHead | None = None,
        embedding: EmbeddingHead | None = None,
        late_interaction: LateInteractionHead | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        self.nli = nli
        self.abstention, self.second = abstention, second
        self.embedding = embedding
        self.late_interaction = late_interaction
        self._check_sizes()

    @property
    def evidence_size(self) -> int:
        """E, how many numbers of a pair :meth:`read` gives beside hidden layer and logits."""
        return evidence_size(self.nli, self.second)

    def read(self, inputs: InferenceInputs) -> PairReading:
        """What the NLI heads make of n pairs, for the abstention head, too.

        Args:
            inputs: What an NLI head reads of n pairs.
        """
        return read_pairs(self.nli, self.second, inputs)

    def _check_sizes(self) -> None:
        config, abstention = self.config, self.abstention
        wanted = []
        for head in (self.nli, self.second):
            if head is None:
                continue
            features = config.features.pooled_size(config.hidden_size, config.embedding_size)
            if config.features.needs_tokens != (head.interaction is not None):
                raise MismatchError(
                    f"Heads on {config.features.value!r} features "
                    f"{'need an' if config.features.needs_tokens else 'have no'} interaction "
                    "network."
                )
            if head.interaction is not None:
                features += head.interaction.output_size
            wanted.append(
                (f"the NLI head's features ({config.features})", head.input_size, features)
            )
        if abstention is not None and abstention.hidden_size:
            needed = self.nli.hidden_size
            wanted.append(("the abstention head's hidden states", abstention.hidden_size, needed))
        if abstention is not None and abstention.evidence_size:
            needed = self.evidence_size
            wanted.append(("the abstention head's evidence", abstention.evidence_size, needed))
        for part, what, needed in (
            (self.embedding, "the embedding head's input", config.embedding_size),
            (self.late_interaction, "the late-interaction head's input", config.hidden_size),
        ):
            if part is not None:
                wanted.append((what, part.hidden_size, needed))
        for what, found, needed in wanted:
            if found != needed:
                raise MismatchError(f"The width of {what} must be {needed}, got {found}.")


class EncoderSizes(Protocol):
    """An encoder, as far as heads must fit it."""

    @property
    def hidden_size(self) -> int:
        """H, the width of its last hidden states."""

    @property
    def embedding_size(self) -> int:
        """E, the width of its pooled vectors."""

    def layers_width(self, layers: Sequence[int], /) -> int:
        """Width of the token vectors of some layers side by side; `ValueError` if it has none."""


def check_task_heads_fit(heads: TaskHeads, encoder: EncoderSizes) -> None:
    """Refuse heads that belong to an encoder of other sizes.

    Args:
        heads: The heads.
        encoder: The encoder's sizes.

    Raises:
        MismatchError: If a size that a head reads differs.
    """
    config = heads.config
    reads_hidden = config.features.needs_joint or heads.late_interaction is not None
    reads_embedding = config.features.needs_pair or heads.embedding is not None
    if (reads_hidden and config.hidden_size != encoder.hidden_size) or (
        reads_embedding and config.embedding_size != encoder.embedding_size
    ):
        name = f" ({config.backbone})" if config.backbone else ""
        raise MismatchError(
            f"The heads read hidden size {config.hidden_size} and embedding size "
            f"{config.embedding_size}, the encoder has {encoder.hidden_size} and "
            f"{encoder.embedding_size}; "
            f"load the encoder that the heads were trained on{name}."
        )
    if (interaction := heads.nli.interaction) is None:
        return
    try:
        width = encoder.layers_width(config.layers)
    except ValueError as error:
        raise MismatchError(f"The heads belong to another encoder: {error}") from None
    if interaction.token_size != width:
        raise MismatchError(
            f"The heads compare token vectors of {interaction.token_size} numbers, those of the "
            f"encoder's layers {list(config.layers)} have {width}; load the encoder that the heads "
            f"were trained on."
        )
