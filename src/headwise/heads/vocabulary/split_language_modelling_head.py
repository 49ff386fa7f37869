"""The language modelling head: an unembedding in named splits whose loss builds no logits."""

from collections.abc import Mapping, Sequence
from operator import is_
from typing import Any, Literal, cast, overload

import torch
from torch import Tensor, nn

from headwise.errors import MismatchError
from headwise.functional import LinearCrossEntropyOutput, linear_cross_entropy
from headwise.heads.checks import check_hidden_states, check_materialised, whole_number
from headwise.heads.vocabulary.split_linear import SplitLinear, check_plain
from headwise.heads.vocabulary.split_token_embeddings import (
    EmbeddingsReference,
    SplitTokenEmbeddings,
)
from headwise.heads.vocabulary.vocabulary_splits import set_trainable, split_ranges, split_weights


class SplitLanguageModellingHead(nn.Module):
    """One unembedding a split, whose rows follow one another as global ids.

    Losses never build ``(N, V)`` logits and never join the weights; a frozen split costs no
    gradient of its weight. State dicts have d9d's names, ``lm_head.<split>.weight``.

    Args:
        split_vocab_size: Number of tokens of each split, by name; 0 is allowed.
        split_order: All names, in the order of their global ids.
        hidden_size: H.
        softcap: Bound on the logits' absolute value, ``cap * tanh(z / cap)``; ``None`` for none.
        bias: Whether each token has a bias, as in Phi and GPT-J; d9d's have none.

    Attributes:
        lm_head: Linear layers, weights ``(V_i, H)``, in ``split_order``.
        split_ranges: The global ids of each split, in ``split_order``.

    Raises:
        TypeError: If ``split_vocab_size`` is no mapping.
        ValueError: If names or sizes are not allowed or do not fit together, or ``softcap`` is
            not above 0.
    """

    def __init__(
        self,
        *,
        split_vocab_size: Mapping[str, int],
        split_order: Sequence[str],
        hidden_size: int,
        softcap: float | None = None,
        bias: bool = False,
    ) -> None:
        super().__init__()
        if softcap is not None and not softcap > 0.0:
            raise ValueError(f"`softcap` must be above 0, or None, got {softcap}.")
        self.split_ranges = split_ranges(split_vocab_size, split_order)
        self.hidden_size, self.softcap = whole_number("hidden_size", hidden_size), softcap
        self._embeddings: EmbeddingsReference | None = None
        self.lm_head = nn.ModuleDict(
            {
                name: SplitLinear(self.hidden_size, len(ids), bias=bias)
                for name, ids in self.split_ranges.items()
            }
        )

    def reset_parameters(self) -> None:
        """Draw weights and biases anew, as PyTorch does for linear layers.

        Weights that are tied at this moment are left to the embeddings.
        """
        for layer, shared in zip(self.lm_head.values(), self._shared(), strict=True):
            assert isinstance(layer, SplitLinear)
            if shared:
                layer.reset_bias()
            else:
                layer.reset_parameters()

    @property
    def tied(self) -> bool:
        """Whether the weights are, at this moment, those of living embeddings.

        :meth:`tie_to` makes it so. Copying the head alone ends it, as does whatever replaces
        parameters one by one: ``to_empty`` from the ``meta`` device, ``load_state_dict`` with
        ``assign=True``.
        """
        return all(self._shared())

    def _shared(self) -> tuple[bool, ...]:
        """Of each split, whether its weight is that of the embeddings."""
        embeddings = None if self._embeddings is None else self._embeddings()
        if embeddings is None:
            return (False,) * len(self.lm_head)
        return tuple(map(is_, self.weights, embeddings.weights))

    @property
    def vocabulary_size(self) -> int:
        """V, the number of tokens of all splits."""
        return sum(map(len, self.split_ranges.values()))

    @property
    def weights(self) -> tuple[nn.Parameter, ...]:
        """The unembeddings, ``(V_i, H)`` each, in the order of the global ids."""
        return split_weights(self.lm_head)

    @property
    def biases(self) -> tuple[nn.Parameter | None, ...]:
        """The biases, ``(V_i,)`` each, or ``None``, in the order of the global ids."""
        return tuple(cast("nn.Parameter | None", layer.bias) for layer in self.lm_head.values())

    def freeze(self, *splits: str) -> None:
        """Give splits no gradient any more; all of them if none is named.

        Tied weights are frozen in the embeddings too.
        """
        set_trainable(self.lm_head, splits, trainable=False)

    def unfreeze(self, *splits: str) -> None:
        """Give splits gradients again; all of them if none is named."""
        set_trainable(self.lm_head, splits, trainable=True)

    def tie_to(self, embeddings: SplitTokenEmbeddings) -> None:
        """Use the embeddings' tables as weights from now on; each then sums both gradients.

        Raises:
            MismatchError: If the splits, their order, their sizes or H differ.
            TypeError: If they are not in splits.
        """
        if not isinstance(embeddings, SplitTokenEmbeddings):
            raise TypeError(
                "A split head can be tied to SplitTokenEmbeddings with the same splits, got "
                f"{type(embeddings).__module__}.{type(embeddings).__name__}."
            )
        own, other = (
            {name: (len(ids), part.hidden_size) for name, ids in part.split_ranges.items()}
            for part in (self, embeddings)
        )
        if list(own.items()) != list(other.items()):
            raise MismatchError(
                "Head and embeddings must have the same splits in the same order to be tied; "
                f"(V_i, H) of the head are {own}, of the embeddings {other}."
            )
        for layer, table in zip(self.lm_head.values(), embeddings.weights, strict=True):
            layer.weight = table
        self._embeddings = embeddings.reference

    def forward(self, hidden_states: Tensor, labels: Tensor | None = None) -> Tensor:
        """Losses of the labels, or logits where there are none.

        Args:
            hidden_states: Hidden states, ``(..., H)``; cast to the dtype of the weights.
            labels: Global ids of the tokens to predict, not shifted, ``(...)``; those of
                ``LM_IGNORE_INDEX`` are left out.

        Returns:
            Cross-entropies in nats, ``(...)``, float32, 0 where the label is ignored; without
            labels, :meth:`logits`.

        Raises:
            UninitialisedError: If the weights are on the ``meta`` device.
            UnsupportedModelError: As :meth:`loss`.
            ValueError: If shapes or dtypes do not fit, or a label is no token.
        """
        if labels is None:
            return self.logits(hidden_states)
        return self.loss(hidden_states, labels, reduction="none")

    @overload
    def loss(
        self,
        hidden_states: Tensor,
        labels: Tensor,
        *,
        return_logsumexp: Literal[False] = False,
        return_entropy: Literal[False] = False,
        **options: Any,
    ) -> Tensor: ...

    @overload
    def loss(
        self,
        hidden_states: Tensor,
        labels: Tensor,
        *,
        return_logsumexp: Literal[True],
        return_entropy: bool = False,
        **options: Any,
    ) -> LinearCrossEntropyOutput: ...

    @overload
    def loss(
        self,
        hidden_states: Tensor,
        labels: Tensor,
        *,
        return_logsumexp: bool = False,
        return_entropy: Literal[True],
        **options: Any,
    ) -> LinearCrossEntropyOutput: ...

    def loss(
        self, hidden_states: Tensor, labels: Tensor, **options: Any
    ) -> Tensor | LinearCrossEntropyOutput:
        """Cross-entropy with all options of :func:`headwise.functional.linear_cross_entropy`.

        Args:
            hidden_states: Hidden states, ``(..., H)``; cast to the dtype of the weights.
            labels: Global ids of the tokens to predict, ``(...)``.
            **options: ``reduction`` (``"mean"``), ``shift``, ``label_smoothing``, ``z_loss`` and
                so on; the soft-cap is the head's own.

        Returns:
            The mean loss if nothing else is asked for, a float32 scalar; with
            ``return_logsumexp`` or ``return_entropy``, a record of it and them.

        Raises:
            UninitialisedError: If the weights are on the ``meta`` device.
            UnsupportedModelError: If a split is no plain linear layer any more; adapters and hooks
                on one, for instance, work in :meth:`logits` alone.
            ValueError: If shapes, dtypes or options do not fit, or a label is no token.
        """
        check_plain(self.lm_head)
        self._check(hidden_states)
        found: Tensor | LinearCrossEntropyOutput = linear_cross_entropy(
            hidden_states,
            self.weights,
            labels,
            bias=self.biases,
            softcap=self.softcap,
            **options,
        )
        return found

    def log_probs(self, hidden_states: Tensor, labels: Tensor) -> Tensor:
        """Log-probabilities of the labels, ``(...)``, at most 0, float32.

        An ignored label has 0 too, which stands for nothing: mask it before taking means.
        """
        # A minus sign would make -0.0 of ignored labels
        return 0.0 - self.forward(hidden_states, labels)

    def logits(self, hidden_states: Tensor) -> Tensor:
        """Logits of the whole vocabulary, ``(..., V)``, in the dtype of the weights.

        Raises:
            UninitialisedError: If the weights are on the ``meta`` device.
            ValueError: If the hidden states have another width.
        """
        self._check(hidden_states)
        hidden_states = hidden_states.to(self.weights[0].dtype)
        logits = torch.cat([layer(hidden_states) for layer in self.lm_head.values()], dim=-1)
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)

    def _check(self, hidden_states: Tensor) -> None:
        check_hidden_states(hidden_states, hidden_size=self.hidden_size)
        check_materialised(next(iter(self.lm_head.values())), hidden_states)

    def extra_repr(self) -> str:
        """The global ids of each split, and the soft-cap."""
        shown = [f"{name}=[{r.start}, {r.stop})" for name, r in self.split_ranges.items()]
        return ", ".join([*shown, f"softcap={self.softcap}"])
