"""Named splits of a vocabulary: which global ids each holds, and which are trained."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import cast

from torch import nn

# A ModuleDict refuses names that are its own, in words that tell nobody why
_TAKEN = nn.ModuleDict()


def split_ranges(
    split_vocab_size: Mapping[str, int], split_order: Sequence[str]
) -> dict[str, range]:
    """Lay the splits' ids end to end.

    Args:
        split_vocab_size: Number of tokens of each split, by name; 0 is allowed.
        split_order: All names, in the order of their global ids.

    Returns:
        The global ids of each split, in ``split_order``; together ``range(V)``.

    Raises:
        ValueError: If a name or a size is not allowed, if ``split_order`` is not a permutation of
            the names, or if there is no token at all.
    """
    for name, size in split_vocab_size.items():
        _check_name(name)
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise ValueError(
                f"`split_vocab_size[{name!r}]` must be a whole number of at least 0, got {size!r}."
            )
    _check_order(split_vocab_size, split_order)
    stops = list(accumulate(split_vocab_size[name] for name in split_order))
    if not stops or stops[-1] == 0:
        raise ValueError(
            "The splits must have at least one token together, got "
            f"{dict(split_vocab_size) or 'no split'}."
        )
    return {
        name: range(stop - split_vocab_size[name], stop)
        for name, stop in zip(split_order, stops, strict=True)
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


def split_weights(layers: nn.ModuleDict) -> tuple[nn.Parameter, ...]:
    """The layers' own weights, ``(V_i, H)`` each, in their order."""
    return tuple(cast(nn.Parameter, layer.weight) for layer in layers.values())


def set_trainable(layers: nn.ModuleDict, splits: Sequence[str], *, trainable: bool) -> None:
    """Let some splits be trained, or no longer.

    Args:
        layers: One layer a split.
        splits: Their names; all if there are none.
        trainable: Whether they are to get gradients.

    Raises:
        ValueError: If there is no split of a name.
    """
    unknown = [name for name in splits if name not in layers]
    if unknown:
        raise ValueError(
            f"There is no split named {', '.join(map(repr, unknown))}; the splits are "
            f"{', '.join(layers)}."
        )
    for name in splits or layers:
        layers[name].requires_grad_(trainable)
