"""An unembedding in blocks whose logits are built, and turned into gradients, chunk by chunk."""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from headwise.functional.logit_chunks import ChunkPlan, Slabs
from headwise.functional.losses.vocabulary_slices import VocabularySlice

# Of the workspace, how much the product of a few rows of a low-precision weight may take; a
# processor copies the rows besides, elsewhere each piece costs a launch
_PIECE_SHARE_ON_CPU, _PIECE_SHARE_ELSEWHERE = 1 / 16, 1 / 4


class LogitLayer:
    """The unembedding in blocks, and room for the logits of one chunk.

    Args:
        tensors: Hidden states ``(N, H)``, a bias of each position ``(N,)`` or ``None``, then
            the weights of all blocks, then their biases or ``None``.
        rows: Which hidden states count, ``(n,)``; ``None`` for all.
        dtype: In which the products are computed.
        temporaries: How many tensors of a slab's size the loss holds on the way.
        workspace_bytes: Budget for all that is held meanwhile.
        vocabulary: The slice that this process has; ``None`` for all of it.
    """

    def __init__(
        self,
        tensors: Sequence[Tensor | None],
        *,
        rows: Tensor | None,
        dtype: torch.dtype,
        temporaries: int,
        workspace_bytes: int,
        vocabulary: VocabularySlice | None,
    ) -> None:
        hidden, self.row_bias, *self.parameters = tensors
        assert hidden is not None
        self.hidden, self.rows, self.dtype, self.vocabulary = hidden, rows, dtype, vocabulary
        self.sums = torch.promote_types(dtype, torch.float32)
        blocks = len(self.parameters) // 2
        self.weights = [w.to(dtype) for w in self.parameters[:blocks] if w is not None]
        self.biases = [None if b is None else b.to(self.sums) for b in self.parameters[blocks:]]
        ends = [0, *accumulate(len(weight) for weight in self.weights)]
        self.columns = [slice(first, last) for first, last in pairwise(ends)]
        # Processes that exchange chunks must cut them alike
        widest = ends[-1] if vocabulary is None else vocabulary.largest
        narrow = dtype.itemsize if dtype != self.sums else 0
        wide, width = self.sums.itemsize, hidden.shape[1]
        on_cpu = hidden.device.type == "cpu"
        share = _PIECE_SHARE_ON_CPU if on_cpu else _PIECE_SHARE_ELSEWHERE
        self._piece = max(1, int(workspace_bytes * share) // max(1, width * dtype.itemsize))
        self.plan = ChunkPlan.of(
            len(hidden) if rows is None else len(rows),
            row_bytes=widest * (wide + narrow) + 3 * width * wide + 64,
            temporary_bytes=temporaries * widest * wide,
            # A piece of a gradient, and the copy of the weight that a product makes on some
            # processors
            fixed_bytes=(2 if on_cpu else 1) * self._piece * width * narrow,
            device=hidden.device,
            workspace_bytes=workspace_bytes,
        )
        shape = (self.plan.rows, ends[-1])
        self._logits = hidden.new_empty(shape, dtype=self.sums)
        self.slabs = Slabs(room=temporaries)
        self.products = hidden.new_empty(shape, dtype=dtype) if narrow else self._logits

    def counted(self, part: slice) -> slice | Tensor:
        """Where a chunk's positions are among all N."""
        return part if self.rows is None else self.rows[part]

    def pieces(self, block: int) -> Iterator[tuple[slice, slice]]:
        """What enters a product at once: rows of a block, and their columns of the logits."""
        size, start = len(self.weights[block]), self.columns[block].start
        step = max(1, size) if self.products.dtype == self.sums else self._piece
        for first in range(0, size, step):
            last = min(first + step, size)
            yield slice(first, last), slice(start + first, start + last)

    def inputs(self, part: slice) -> Tensor:
        """Hidden states of a chunk, ``(n, H)``, in the dtype of the products."""
        return self.hidden[self.counted(part)].to(self.dtype)

    def logits(self, part: slice) -> Tensor:
        """Logits of a chunk, ``(n, V)``, in memory that the next chunk will use again."""
        inputs = self.inputs(part)
        logits, products = self._logits[: len(inputs)], self.products[: len(inputs)]
        for block, weight in enumerate(self.weights):
            for rows, columns in self.pieces(block):
                torch.mm(inputs, weight[rows].T, out=products[:, columns])
        if products.dtype != logits.dtype:
            logits.copy_(products)
        for columns, bias in zip(self.columns, self.biases, strict=True):
            if bias is not None:
                logits[:, columns].add_(bias)
        if self.row_bias is not None:
            logits.add_(self.row_bias[self.counted(part)].unsqueeze(1).to(self.sums))
        return logits

    def let_go(self) -> None:
        """Drop the room for logits."""
        self._logits = self.products = self._logits[:0].clone()
        self.slabs = Slabs(room=0)


class LayerGradients:
    """Gradients of a layer's inputs, filled chunk by chunk from those of the logits."""

    def __init__(self, layer: LogitLayer, wanted: Sequence[bool]) -> None:
        self.layer, self._first = layer, True
        for_hidden, for_row_bias, *for_parameters = wanted
        # Positions that do not count keep their zeros
        self.hidden = torch.zeros_like(layer.hidden) if for_hidden else None
        self.row_bias = (
            torch.zeros_like(layer.row_bias)
            if for_row_bias and layer.row_bias is not None
            else None
        )
        parameters = [
            layer.hidden.new_empty(p.shape, dtype=layer.sums) if want and p is not None else None
            for p, want in zip(layer.parameters, for_parameters, strict=True)
        ]
        blocks = len(layer.weights)
        self.weights, self.biases = parameters[:blocks], parameters[blocks:]

    def add(self, part: slice, gradient: Tensor) -> None:
        """Take in the gradient of a chunk's logits, ``(n, V)``."""
        layer = self.layer
        rows = layer.counted(part)
        for bias, columns in zip(self.biases, layer.columns, strict=True):
            if bias is not None:
                total = gradient[:, columns].sum(0)
                bias.copy_(total) if self._first else bias.add_(total)
        if self.row_bias is not None:
            self.row_bias[rows] = gradient.sum(-1).to(self.row_bias.dtype)
        products = layer.products[: len(gradient)]
        if products.dtype != gradient.dtype:
            products.copy_(gradient)
        if self.hidden is not None:
            self.hidden[rows] = self._for_hidden(products).to(self.hidden.dtype)
        inputs = layer.inputs(part)
        for block, weight in enumerate(self.weights):
            if weight is not None:
                for own, columns in layer.pieces(block):
                    self._add_rows(weight[own], products[:, columns], inputs)
        self._first = False

    def _add_rows(self, gradient: Tensor, products: Tensor, inputs: Tensor) -> None:
        if products.dtype == gradient.dtype:
            gradient.addmm_(products.T, inputs, beta=0 if self._first else 1)
            return
        # Each product is rounded, their sum is not
        product = products.T @ inputs
        gradient.copy_(product) if self._first else gradient.add_(product)

    def _for_hidden(self, products: Tensor) -> Tensor:
        layer = self.layer
        total = products.new_zeros(len(products), layer.hidden.shape[1], dtype=layer.sums)
        for block, weight in enumerate(layer.weights):
            for rows, columns in layer.pieces(block):
                if products.dtype == total.dtype:
                    total.addmm_(products[:, columns], weight[rows])
                else:
                    total.add_(products[:, columns] @ weight[rows])
        return total if layer.vocabulary is None else layer.vocabulary.summed(total)

    def finished(self) -> list[Tensor | None]:
        """Gradients of hidden states, row bias, weights and biases, in their own dtypes."""
        found = [*self.weights, *self.biases]
        self.weights = self.biases = []
        for place, (parameter, gradient) in enumerate(
            zip(self.layer.parameters, found, strict=True)
        ):
            if gradient is not None and parameter is not None:
                if self._first:
                    gradient.zero_()
                # One after the other, so that the wide one is gone before the next is cast
                found[place] = gradient.to(parameter.dtype)
        return [self.hidden, self.row_bias, *found]
