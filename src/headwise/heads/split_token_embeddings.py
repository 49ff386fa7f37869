"""Token embeddings in named splits, each with a table of its own."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from headwise.heads.split_vocabulary import set_trainable, split_ranges, split_weights


class SplitTokenEmbeddings(nn.Module):
    """One table a split, read by global ids as if it were one.

    New tokens, for instance, get their own table, with its own learning rate, beside a frozen one.
    State dicts have d9d's names, ``token_embedding.<split>.weight``.

    Args:
        split_vocab_size: Number of tokens of each split, by name; 0 is allowed.
        split_order: All names, in the order of their global ids.
        hidden_size: H.

    Attributes:
        token_embedding: The tables, ``(V_i, H)`` each, in ``split_order``.
        split_ranges: The global ids of each split, in ``split_order``.

    Raises:
        ValueError: If names or sizes are not allowed or do not fit together.
    """

    def __init__(
        self, *, split_vocab_size: Mapping[str, int], split_order: Sequence[str], hidden_size: int
    ) -> None:
        super().__init__()
        self.split_ranges = split_ranges(split_vocab_size, split_order)
        self.hidden_size = hidden_size
        self.token_embedding = nn.ModuleDict(
            {name: nn.Embedding(len(ids), hidden_size) for name, ids in self.split_ranges.items()}
        )

    def reset_parameters(self) -> None:
        """Draw all tables anew, as PyTorch does for embeddings: normal, standard deviation 1."""
        for table in self.token_embedding.values():
            assert isinstance(table, nn.Embedding)
            table.reset_parameters()

    @property
    def vocabulary_size(self) -> int:
        """V, the number of tokens of all splits."""
        return sum(map(len, self.split_ranges.values()))

    @property
    def weights(self) -> tuple[nn.Parameter, ...]:
        """The tables, ``(V_i, H)`` each, in the order of the global ids."""
        return split_weights(self.token_embedding)

    def freeze(self, *splits: str) -> None:
        """Give splits no gradient any more; all of them if none is named."""
        set_trainable(self.token_embedding, splits, trainable=False)

    def unfreeze(self, *splits: str) -> None:
        """Give splits gradients again; all of them if none is named."""
        set_trainable(self.token_embedding, splits, trainable=True)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Look tokens up, without joining the tables.

        Every table that is trained gets a gradient, zeros for tokens that did not occur, as one
        table would: with ``DistributedDataParallel``, a table without one stops the run.

        Args:
            input_ids: Global ids in [0, V), ``(...)``, int64 or int32.

        Returns:
            Embeddings, ``(..., H)``, in the dtype of the first split that has tokens.

        Raises:
            ValueError: If an id is out of range. On accelerators and in compiled code nothing is
                waited for: the lookup itself fails there, as it does in ``nn.Embedding``.
        """
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

    def extra_repr(self) -> str:
        """The global ids of each split."""
        return ", ".join(f"{name}=[{r.start}, {r.stop})" for name, r in self.split_ranges.items())
