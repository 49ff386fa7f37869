"""Compares two texts token by token: each token with what it finds of itself in the other text."""

import math

import torch
from torch import Tensor, nn

from headwise.functional.packed_texts import (
    packed_mean_and_max,
    packed_rows,
    packed_starts,
    padded,
)
from headwise.heads.checks import check_hidden_states, reset_layers, whole_number
from headwise.heads.entailment.paired_tokens import PairedTokens

# Tokens of pairs that are compared at once where no gradients are kept: 20 MB of comparisons
_MOST_TOKENS = 8192
ALIGNMENT_SIZE = 6
"""Width of what is told of alignments."""
# Width of what a comparison is told of places, and how many tokens are a long way
_PLACES_SIZE, _FAR = 4, 3.0


class _CoordinateDropout(nn.Module):
    """Drops a share of the coordinates, the same ones in all rows ``(S, D)`` of a call."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, rows: Tensor) -> Tensor:
        if not self.training or not self.share:
            return rows
        kept = torch.rand(rows.shape[-1], device=rows.device) >= self.share
        return rows * (kept / (1.0 - self.share))


class InteractionNetwork(nn.Module):
    """Attend, compare, aggregate, on token vectors that a frozen encoder made of each text apart.

    Tokens are projected, ``x = gelu(norm(P t + p))``, and aligned by ``softmax(f(x) . f(y) /
    sqrt(D))`` over the other text; each is compared with the mean ``a`` of what it is aligned with,
    ``g([x, a, x - a, x * a, o])``; mean and maximum over each text's tokens come out. A text is
    projected once, however many pairs it is in.

    ``o`` says where token i of T is aligned, by the mean place ``e_i`` among the U tokens of the
    other text: ``e_i / U - (i + 1/2) / T``, how far the alignment has moved since the token before,
    ``tanh((e_i - e_{i - 1}) / 3)``, and moves to the one behind, and the largest share of an
    alignment. Without it the same words in another order would be the same, but for what the
    encoder made of them.

    Args:
        token_size: W, the width of token vectors.
        inner_size: D, the width of all that the network computes.
        dropout: Share of the coordinates that the comparison reads, and of those inside it, that
            is dropped in training.
        token_dropout: The same of token vectors. Coordinates of what is read are dropped for all
            tokens of a step: what one token lacks could be had from its neighbours.

    Attributes:
        projection: Dropout, linear, layer norm, GELU; ``(S, W)`` to ``(S, D)``.
        alignment: f: linear, GELU; ``(S, D)`` to ``(S, D)``.
        comparison: g: dropout, linear, GELU, dropout, linear, GELU; ``(S, 4D + 4)`` to ``(S, D)``.

    References:
        Parikh et al. 2016, arXiv 1606.01933, section 3 (attend, compare, aggregate); Chen et al.
        2017, arXiv 1609.06038, section 3.2 (difference and product) and 3.3 (mean and maximum);
        Gal & Ghahramani 2016, arXiv 1512.05287, section 4.1 (one mask for all steps of a text).
    """

    def __init__(
        self,
        *,
        token_size: int,
        inner_size: int = 160,
        dropout: float = 0.25,
        token_dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.token_size = whole_number("token_size", token_size)
        self.inner_size = size = whole_number("inner_size", inner_size)
        self.projection = nn.Sequential(
            _CoordinateDropout(token_dropout),
            nn.Linear(token_size, size),
            nn.LayerNorm(size),
            nn.GELU(),
        )
        self.alignment = nn.Sequential(nn.Linear(size, size), nn.GELU())
        self.comparison = nn.Sequential(
            _CoordinateDropout(dropout),
            nn.Linear(4 * size + _PLACES_SIZE, size),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(size, size),
            nn.GELU(),
        )

    @property
    def output_size(self) -> int:
        """Width of what comes out, 4D."""
        return 4 * self.inner_size

    def reset_parameters(self) -> None:
        """Draw all layers anew, as PyTorch does for linear layers and layer norms."""
        reset_layers(self)

    def forward(self, tokens: PairedTokens) -> Tensor:
        """Mean and maximum of what :meth:`read` compares, ``(n, 4D)``, float32.

        Args:
            tokens: Token vectors of n pairs, their texts one after another.
        """
        return self.read(tokens)[0]

    def read(self, tokens: PairedTokens) -> tuple[Tensor, Tensor]:
        """Compare n pairs.

        Returns:
            Mean and maximum of the comparisons of the premise's tokens, then of the hypothesis',
            ``(n, 4D)``, and how the tokens were aligned, ``(n, 6)``, both float32. The latter are,
            for premise and hypothesis each: the probability that a token is aligned with one that
            is aligned with it, and the largest share of an alignment, both as means over the
            tokens, in [0, 1]; and the logarithm of their number.

        Raises:
            ValueError: If token vectors have another width.
        """
        check_hidden_states(tokens.vectors, hidden_size=self.token_size)
        texts: Tensor = self.projection(tokens.vectors.float())  # (S, D)
        aligned = self.alignment(texts)
        ends = torch.stack([tokens.premises, tokens.hypotheses])  # (2, n)
        firsts, lengths = packed_starts(tokens.lengths)[ends], tokens.lengths[ends]
        if torch.is_grad_enabled():
            return self._interact(texts, aligned, firsts, lengths)
        found = texts.new_empty(ends.shape[1], self.output_size)
        alignments = texts.new_empty(ends.shape[1], ALIGNMENT_SIZE)
        for part in _parts(lengths.sum(dim=0)):
            found[part], alignments[part] = self._interact(
                texts, aligned, firsts[:, part], lengths[:, part]
            )
        return found, alignments

    def _interact(
        self, texts: Tensor, keys: Tensor, firsts: Tensor, lengths: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compare pairs whose texts begin at rows and have lengths, ``(2, n)``, as `read` does."""
        sides = list(zip(firsts, lengths, strict=True))
        (premises, of_premise), (hypotheses, of_hypothesis) = (padded(texts, *one) for one in sides)
        alike = torch.bmm(
            padded(keys, *sides[0])[0], padded(keys, *sides[1])[0].transpose(1, 2)
        ) / math.sqrt(self.inner_size)  # (n, T, U)
        over_hypothesis = alike.masked_fill(~of_hypothesis.unsqueeze(1), -torch.inf).softmax(2)
        over_premise = alike.masked_fill(~of_premise.unsqueeze(2), -torch.inf).softmax(1)
        found = [
            torch.bmm(over_hypothesis, hypotheses)[of_premise],
            torch.bmm(over_premise.transpose(1, 2), premises)[of_hypothesis],
        ]
        places = [
            _places(over_hypothesis, *lengths)[of_premise],
            _places(over_premise.transpose(1, 2), *lengths.flip(0))[of_hypothesis],
        ]
        compared = [
            self._compared(texts[packed_rows(*side)], other, place, side[1])
            for side, other, place in zip(sides, found, places, strict=True)
        ]
        with torch.no_grad():
            alignments = _alignments(
                over_hypothesis * of_premise.unsqueeze(2),
                over_premise * of_hypothesis.unsqueeze(1),
                lengths.float(),
            )
        return torch.cat(compared, dim=-1), alignments

    def _compared(self, own: Tensor, aligned: Tensor, places: Tensor, lengths: Tensor) -> Tensor:
        """Mean and maximum of the comparisons of each text's tokens, ``(n, 2D)``."""
        read = [own, aligned, own - aligned, own * aligned, places]
        found = self.comparison(torch.cat(read, dim=-1))
        return packed_mean_and_max(found, lengths)


def _places(over_other: Tensor, lengths: Tensor, others: Tensor) -> Tensor:
    """Where tokens are aligned, ``(n, T, 4)``, as the class says.

    ``over_other`` are their alignments ``(n, T, U)``, anything at padding; there are
    ``lengths`` tokens in theirs and ``others`` in the other texts, ``(n,)``.
    """
    own, other = (torch.arange(size, device=lengths.device) + 0.5 for size in over_other.shape[1:])
    expected = (over_other * other).sum(dim=2)
    moved = torch.tanh(expected.diff(dim=1) / _FAR)
    none = expected.new_zeros(len(expected), 1)
    # Of the last token of a text, what is behind it is padding
    last = own > lengths.unsqueeze(1) - 1
    return torch.stack(
        [
            expected / others.unsqueeze(1) - own / lengths.unsqueeze(1),
            torch.cat([none, moved], dim=1),
            torch.cat([moved, none], dim=1).masked_fill(last, 0.0),
            over_other.amax(dim=2),
        ],
        dim=-1,
    )


def _alignments(over_hypothesis: Tensor, over_premise: Tensor, lengths: Tensor) -> Tensor:
    """What `InteractionNetwork.read` says of alignments, ``(n, T, U)``, 0 at padding: ``(n, 6)``.

    ``lengths`` are those of premises and hypotheses, ``(2, n)``, float32.
    """
    mutual = (over_hypothesis * over_premise).sum(dim=(1, 2)) / lengths
    largest = torch.stack([over_hypothesis.amax(2).sum(1), over_premise.amax(1).sum(1)]) / lengths
    return torch.cat([mutual, largest, lengths.log()]).T


def _parts(lengths: Tensor) -> list[Tensor]:
    """Numbers of pairs, of like lengths together, in parts whose padded tokens have a bound."""
    order = lengths.argsort(descending=True, stable=True)
    found: list[Tensor] = []
    first = 0
    while first < len(order):
        size = max(1, _MOST_TOKENS // int(lengths[order[first]]))
        found.append(order[first : first + size])
        first += size
    return found
