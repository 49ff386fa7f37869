"""Token embeddings in named splits, each with a table of its own."""

import weakref
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from headwise.heads.checks import check_materialised
from headwise.heads.vocabulary.vocabulary_splits import VocabularySplits

# Those that `nn.Embedding` reads
_ID_TYPES = (torch.int64, torch.int32)


class EmbeddingsReference:
    """Finds living embeddings without owning them.

    A head that is tied to them shares it with them. Copied or pickled together, it finds the new
    embeddings, which come forward in ``__setstate__``; without them, it finds none. A mere weak
    reference would find the old ones, an ordinary one would copy them with the head.
    """

    def __init__(self) -> None:
        self._found: weakref.ref[SplitTokenEmbeddings] | None = None

    def __call__(self) -> "SplitTokenEmbeddings | None":
        """The embeddings, or ``None`` if there are none (any more)."""
        return None if self._found is None else self._found()

    def find(self, embeddings: "SplitTokenEmbeddings") -> None:
        """Refer to these embeddings, unless others live."""
        if self() is None:
            self._found = weakref.ref(embeddings)

    def __reduce__(self) -> tuple[type["EmbeddingsReference"], tuple[()]]:
        return EmbeddingsReference, ()


class SplitTokenEmbeddings(VocabularySplits):
    """One table a split, read by global ids as if it were one.

    New tokens, for instance, get their own table, with its own learning rate, beside a frozen one.
    State dicts have d9d's names, ``token_embedding.<split>.weight``. Arguments and errors are
    those of :class:`~headwise.heads.vocabulary.vocabulary_splits.VocabularySplits`.

    Attributes:
        token_embedding: The tables, ``(V_i, H)`` each, in ``split_order``.
        reference: Finds these embeddings for heads that are tied to them.
    """

    def __init__(
        self, *, split_vocab_size: Mapping[str, int], split_order: Sequence[str], hidden_size: int
    ) -> None:
        super().__init__(split_vocab_size, split_order, hidden_size)
        self.reference = EmbeddingsReference()
        self.reference.find(self)
        self.token_embedding = nn.ModuleDict(
            {
                name: nn.Embedding(len(ids), self.hidden_size)
                for name, ids in self.split_ranges.items()
            }
        )

    @property
    def layers(self) -> nn.ModuleDict:
        """The tables, ``(V_i, H)`` each, in ``split_order``."""
        return self.token_embedding

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Come forward to tied heads that were copied or pickled too."""
        cast(Any, super()).__setstate__(state)
        self.reference.find(self)

    def reset_parameters(self) -> None:
        """Draw all tables anew, as PyTorch does for embeddings: normal, standard deviation 1."""
        for table in self.token_embedding.values():
            assert isinstance(table, nn.Embedding)
            table.reset_parameters()

    def forward(self, input_ids: Tensor) -> Tensor:
        """Look tokens up, without joining the tables.

        Every table that is trained gets a gradient, zeros for tokens that did not occur, as one
        table would: with ``DistributedDataParallel``, a table without one stops the run.

        Args:
            input_ids: Global ids in [0, V), ``(...)``, int64 or int32.

        Returns:
            Embeddings, ``(..., H)``, in the dtype of the first split that has tokens.

        Raises:
            UninitialisedError: If the tables are on the ``meta`` device.
            ValueError: If ids are not int64 or int32, or one is out of range. On accelerators and
                in compiled code nothing is waited for: the lookup itself fails there, as it does
                in ``nn.Embedding``.
        """
        if input_ids.dtype not in _ID_TYPES:
            raise ValueError(f"`input_ids` must be int64 or int32, got {input_ids.dtype}.")
        check_materialised(next(iter(self.token_embedding.values())), input_ids)
        eager_cpu = input_ids.is_cpu and not torch.compiler.is_compiling()
        if eager_cpu:
            self._check_ids(input_ids)
        flat = input_ids.flatten()  # (N,)
        (first, ids), *others = [item for item in self.split_ranges.items() if len(item[1])]
        # Only ids of other splits become 0, so that wrong ones still meet the table's own check
        own = flat.where(flat < ids.stop, 0) if others else flat
        embeddings: Tensor = self.token_embedding[first](own)  # (N, H)
        for name, ids in others:
            table = self.token_embedding[name]
            inside = flat >= ids.start
            if ids.stop < self.vocabulary_size:
                inside &= flat < ids.stop
            if eager_cpu:
                places = inside.nonzero().squeeze(1)
                rows = table(flat[places] - ids.start).to(embeddings.dtype)
                embeddings = embeddings.index_put((places,), rows)
            else:
                # To count them would make the CPU wait for the accelerator
                rows = table((flat - ids.start).where(inside, 0)).to(embeddings.dtype)
                embeddings = rows.where(inside.unsqueeze(-1), embeddings)
        return embeddings.view(*input_ids.shape, self.hidden_size)

    def _check_ids(self, input_ids: Tensor) -> None:
        if input_ids.numel() == 0:
            return
        low, high = (int(bound) for bound in input_ids.aminmax())
        if low < 0 or high >= self.vocabulary_size:
            raise ValueError(
                f"`input_ids` must be in [0, {self.vocabulary_size}) ({self.extra_repr()}), got "
                f"ids from {low} to {high}."
            )
