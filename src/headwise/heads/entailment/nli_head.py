"""The NLI head: entailment, neutral or contradiction from one vector of a pair."""

from enum import StrEnum

from torch import Tensor, nn


class NLILabel(StrEnum):
    """The three classes of entailment; their order is that of the head's outputs."""

    ENTAILMENT = "entailment"
    NEUTRAL = "neutral"
    CONTRADICTION = "contradiction"


NLI_LABELS = tuple(NLILabel)


"""The classes by index: 0 entailment, 1 neutral, 2 contradiction."""


class NLIHead(nn.Module):
    """Two layers that classify a pair, ``W2 . gelu(norm(W1 x + b1)) + b2``.

    Args:
        input_size: F, width of the features; see :class:`headwise.heads.NLIFeatures`.
        hidden_size: Width of the hidden layer, which an abstention head reads too.
        dropout: Share of the hidden layer that is dropped in training.

    Attributes:
        nli_hidden: Linear, layer norm, GELU, dropout; ``(..., F)`` to ``(..., hidden_size)``.
        nli_output: Linear; ``(..., hidden_size)`` to ``(..., 3)``.
    """

    def __init__(self, *, input_size: int, hidden_size: int = 512, dropout: float = 0.1) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.nli_hidden = nn.Sequential(
            nn.Linear(input_size, hidden_size),
            nn.LayerNorm(hidden_size),
            nn.GELU(),
            nn.Dropout(dropout),
        )
        self.nli_output = nn.Linear(hidden_size, len(NLI_LABELS))

    def reset_parameters(self) -> None:
        """Draw all layers anew, as PyTorch does for linear layers and layer norms."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.LayerNorm):
                module.reset_parameters()

    def hidden(self, features: Tensor) -> Tensor:
        """The hidden layer, ``(..., F)`` to ``(..., hidden_size)``, float32."""
        hidden: Tensor = self.nli_hidden(features.float())
        return hidden

    def forward(self, features: Tensor) -> Tensor:
        """Score the three classes.

        Args:
            features: What was read of each pair, ``(..., F)``.

        Returns:
            Logits of entailment, neutral and contradiction, ``(..., 3)``, float32.
        """
        return self.with_hidden(features)[1]

    def with_hidden(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The hidden layer ``(..., hidden_size)`` and the logits ``(..., 3)``, in one pass."""
        hidden = self.hidden(features)
        return hidden, self.nli_output(hidden)


class NLIFeatures(StrEnum):
    """How a pair becomes one vector.

    Attributes:
        JOINT: The last hidden state of the first token, premise and hypothesis read together,
            ``(N, H)``.
        PAIR: The embeddings u of the premise and v of the hypothesis, read apart, as
            ``[u, v, |u - v|, u * v]``, ``(N, 4E)``; a text is encoded once for all its pairs.
        PAIR_AND_JOINT: Both, the pair's part first, ``(N, 4E + H)``.

    References:
        Conneau et al. 2017, arXiv 1705.02364, section 3.1, for the pair.
    """

    JOINT = "joint"
    PAIR = "pair"
    PAIR_AND_JOINT = "pair+joint"

    @property
    def needs_pair(self) -> bool:
        """Whether the texts' embeddings are read."""
        return self is not NLIFeatures.JOINT

    @property
    def needs_joint(self) -> bool:
        """Whether the first token of the joint text is read."""
        return self is not NLIFeatures.PAIR

    def input_size(self, hidden_size: int, embedding_size: int | None = None) -> int:
        """Width of the vector.

        Args:
            hidden_size: H of the encoder.
            embedding_size: E, width of a text's embedding; H if ``None``.
        """
        pair = 4 * (hidden_size if embedding_size is None else embedding_size)
        return pair * self.needs_pair + hidden_size * self.needs_joint
