"""The language modelling head: an unembedding in named splits whose loss builds no logits."""

from collections.abc import Mapping, Sequence
from operator import is_
from typing import Any, Literal, cast, overload

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from headwise.errors import MismatchError, UnsupportedModelError
from headwise.functional import LinearCrossEntropyOutput, linear_cross_entropy
from headwise.heads.checks import check_hidden_states, check_materialised
from headwise.heads.vocabulary.split_token_embeddings import (
    EmbeddingsReference,
    SplitTokenEmbeddings,
)
from headwise.heads.vocabulary.vocabulary_splits import VocabularySplits


class SplitLinear(nn.Linear):
    """A linear layer that may have no outputs; PyTorch's warns of it each time it is reset."""

    def reset_parameters(self) -> None:
        """Draw weight and bias anew, as PyTorch does."""
        if self.out_features:
            super().reset_parameters()

    def reset_bias(self) -> None:
        """Draw the bias alone anew, if there is one, as PyTorch does."""
        if self.bias is not None:
            nn.init.uniform_(self.bias, -(self.in_features**-0.5), self.in_features**-0.5)


def check_plain(layers: nn.ModuleDict) -> None:
    """Refuse splits that compute more than a product, which who reads weights would not see.

    Parametrised weights (``torch.nn.utils.parametrize``) are seen. A layer that is no
    :class:`SplitLinear`, or has hooks or a forward of its own, is an `UnsupportedModelError`.
    """
    for name, layer in layers.items():
        # A parametrised layer is of a class made for it alone
        kind = type(layer).__base__ if is_parametrized(layer) else type(layer)
        if kind is not SplitLinear:
            found = f"is {type(layer).__module__}.{type(layer).__name__}"
        elif layer._forward_pre_hooks or layer._forward_hooks or "forward" in layer.__dict__:
            found = "has forward hooks, or a forward of its own"
        else:
            continue
        raise UnsupportedModelError(
            f"The output layer of split {name!r} {found}, which losses without logits would not "
            "see: they read its weight alone. Leave `lm_head` out of adapters (LoRA's "
            "`target_modules`), quantisation, pruning and hooks, merge adapters "
            "(`merge_and_unload()`), or take the loss of the head's `logits(hidden_states)`."
        )


class SplitLanguageModellingHead(VocabularySplits):
    """One unembedding a split, whose rows follow one another as global ids.

    Losses never build ``(N, V)`` logits and never join the weights; a frozen split costs no
    gradient of its weight. State dicts have d9d's names, ``lm_head.<split>.weight``.

    Other arguments and errors are those of
    :class:`~headwise.heads.vocabulary.vocabulary_splits.VocabularySplits`.

    Args:
        softcap: Bound on the logits' absolute value, ``cap * tanh(z / cap)``; ``None`` for none.
        bias: Whether each token has a bias, as in Phi and GPT-J; d9d's have none.

    Attributes:
        lm_head: Linear layers, weights ``(V_i, H)``, in ``split_order``.

    Raises:
        ValueError: If ``softcap`` is not above 0.
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
        if softcap is not None and not softcap > 0.0:
            raise ValueError(f"`softcap` must be above 0, or None, got {softcap}.")
        super().__init__(split_vocab_size, split_order, hidden_size)
        self.softcap = softcap
        self._embeddings: EmbeddingsReference | None = None
        self.lm_head = nn.ModuleDict(
            {
                name: SplitLinear(self.hidden_size, len(ids), bias=bias)
                for name, ids in self.split_ranges.items()
            }
        )

    @property
    def layers(self) -> nn.ModuleDict:
        """The linear layers, weights ``(V_i, H)``, in ``split_order``."""
        return self.lm_head

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
    def biases(self) -> tuple[nn.Parameter | None, ...]:
        """The biases, ``(V_i,)`` each, or ``None``, in the order of the global ids."""
        return tuple(cast("nn.Parameter | None", layer.bias) for layer in self.lm_head.values())

    def tie_to(self, embeddings: SplitTokenEmbeddings) -> None:
        """Use the embeddings' tables as weights from now on; each then sums both gradients.

        Args:
            embeddings: Embeddings in the same splits.

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
        """Losses of the labels, or :meth:`logits` where there are none.

        Labels are not shifted; those of ``LM_IGNORE_INDEX`` are left out. Arguments and errors
        are those of :meth:`loss`.

        Returns:
            Cross-entropies in nats, ``(...)``, float32, 0 where the label is ignored.
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

        Args:
            hidden_states: What enters the head, ``(..., H)``.
            labels: Token ids of the whole vocabulary, ``(...)``, not shifted.
        """
        # A minus sign would make -0.0 of ignored labels
        return 0.0 - self.forward(hidden_states, labels)

    def logits(self, hidden_states: Tensor) -> Tensor:
        """Logits of the whole vocabulary, ``(..., V)``, in the dtype of the weights.

        Args:
            hidden_states: What enters the head, ``(..., H)``.

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
        return f"{super().extra_repr()}, softcap={self.softcap}"
