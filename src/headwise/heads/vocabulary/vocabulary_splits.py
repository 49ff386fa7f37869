"""Named splits of a vocabulary: which global ids each holds, and which are trained."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import cast

from torch import nn

from headwise.heads.checks import whole_number

# A ModuleDict refuses names that are its own, in words that tell nobody why
_TAKEN = nn.ModuleDict()


class VocabularySplits(nn.Module):
    """A layer a split, whose rows follow one another as global ids.

    Args:
        split_vocab_size: Number of tokens of each split, by name; 0 is allowed.
        split_order: All names, in the order of their global ids.
        hidden_size: H.

    Attributes:
        split_ranges: The global ids of each split, in ``split_order``.

    Raises:
        TypeError: If ``split_vocab_size`` is no mapping.
        ValueError: If names or sizes are not allowed or do not fit together.
    """

    def __init__(
        self, split_vocab_size: Mapping[str, int], split_order: Sequence[str], hidden_size: int
    ) -> None:
        super().__init__()
        self.split_ranges = split_ranges(split_vocab_size, split_order)
        self.hidden_size = whole_number("hidden_size", hidden_size)

    @property
    def layers(self) -> nn.ModuleDict:
        """The layers, weights ``(V_i, H)``, in ``split_order``."""
        raise NotImplementedError

    @property
    def vocabulary_size(self) -> int:
        """V, the number of tokens of all splits."""
        return sum(map(len, self.split_ranges.values()))

    @property
    def weights(self) -> tuple[nn.Parameter, ...]:
        """The layers' own weights, ``(V_i, H)`` each, in the order of the global ids."""
        return tuple(cast(nn.Parameter, layer.weight) for layer in self.layers.values())

    def freeze(self, *splits: str) -> None:
        """Give splits no gradient any more; all of them if none is named.

        Tied weights are frozen in head and embeddings.

        Args:
            splits: Their names.
        """
        self._train(splits, False)

    def unfreeze(self, *splits: str) -> None:
        """Give splits gradients again; all of them if none is named.

        Args:
            splits: Their names.
        """
        self._train(splits, True)

    def _train(self, splits: Sequence[str], trainable: bool) -> None:
        if not all(isinstance(name, str) for name in splits):
            raise TypeError(
                "Splits are named one by one, as in `freeze('base', 'new')`, got "
                f"{', '.join(map(repr, splits))}."
            )
        unknown = [name for name in splits if name not in self.layers]
        if unknown:
            raise ValueError(
                f"There is no split named {', '.join(map(repr, unknown))}; the splits are "
                f"{', '.join(self.layers)}."
            )
        for name in splits or self.layers:
            self.layers[name].requires_grad_(trainable)

    def extra_repr(self) -> str:
        """The global ids of each split."""
        return ", ".join(f"{name}=[{r.start}, {r.stop})" for name, r in self.split_ranges.items())


def split_ranges(
    split_vocab_size: Mapping[str, int], split_order: Sequence[str]
) -> dict[str, range]:
    """Lay the splits' ids end to end: together ``range(V)``, in ``split_order``.

    Raises:
        TypeError: If ``split_vocab_size`` is no mapping.
        ValueError: If a name or a size is not allowed, if ``split_order`` is not a permutation of
            the names, or if there is no token at all.
    """
    if not isinstance(split_vocab_size, Mapping):
        raise TypeError(
            "`split_vocab_size` must map each split's name to its number of tokens, such as "
            f"{{'base': 50257, 'new': 3}}, got {split_vocab_size!r}."
        )
    sizes = {}
    for name, size in split_vocab_size.items():
        _check_name(name)
        sizes[name] = whole_number(f"split_vocab_size[{name!r}]", size, least=0)
    _check_order(sizes, split_order)
    stops = list(accumulate(sizes[name] for name in split_order))
    if not stops or stops[-1] == 0:
        raise ValueError(
            f"The splits must have at least one token together, got {sizes or 'no split'}."
        )
    return {
        name: range(stop - sizes[name], stop) for name, stop in zip(split_order, stops, strict=True)
    }


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name or "." in name:
        raise ValueError(
            f"A split's name must be a text that is not empty and has no dots, got {name!r}."
        )
    if hasattr(_TAKEN, name):
        raise ValueError(
            f"A split cannot be named {name!r}: PyTorch's modules have an attribute of that name; "
            f"choose another, such as {name + '_tokens'!r}."
        )


def _check_order(split_vocab_size: Mapping[str, int], split_order: Sequence[str]) -> None:
    # A text is a sequence of texts too
    order = [split_order] if isinstance(split_order, str) else list(split_order)
    faults = {
        "missing": [name for name in split_vocab_size if name not in order],
        "unknown": [name for name in dict.fromkeys(order) if name not in split_vocab_size],
        "more than once": [name for name in dict.fromkeys(order) if order.count(name) > 1],
    }
    found = [f"{what}: {', '.join(map(str, names))}" for what, names in faults.items() if names]
    if found or isinstance(split_order, str):
        raise ValueError(
            "`split_order` must be a sequence that names every split of `split_vocab_size` once, "
            f"got {split_order!r} ({'; '.join(found) or 'a text'})."
        )
