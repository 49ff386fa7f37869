"""What a model makes of the length of its input, padding included, beside reading it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from torch import nn


@dataclass(frozen=True, slots=True)
class LengthEffects:
    """How lengths change the way in which a model reads; with most models they do not.

    Attributes:
        switches: Lengths beyond which rotary positions have other frequencies (LongRoPE).
        limits: Lengths beyond which their frequencies follow the length (dynamic NTK).
        alone: Whether every length may be read in a way of its own (BigBird attends to all tokens
            of short inputs and to random blocks of others).
        undo: Makes the model forget what longer or shorter inputs have left behind in it.

    References:
        Ding et al. 2024, arXiv 2402.13753 (LongRoPE); Zaheer et al. 2020, arXiv 2007.14062
        (BigBird).
    """

    switches: tuple[int, ...]
    limits: tuple[int, ...]
    alone: bool
    undo: tuple[Callable[[], None], ...]

    @classmethod
    def of(cls, model: nn.Module) -> "LengthEffects | None":
        """Look at the modules of a Transformers model; ``None`` if lengths do not matter."""
        switches, limits, undo = set(), set(), []
        for module, layer, kind in _rotary_modules(model):
            if kind == "longrope":
                parameters = module.config.rope_parameters
                parameters = parameters if layer is None else parameters[layer]
                switches.add(int(parameters["original_max_position_embeddings"]))
            elif "dynamic" in kind:
                limits.add(int(module.original_max_seq_len))
                undo.append(_shortest(module, layer))
        sparse = list(_sparse_modules(model))
        undo += [_sparse_again(module) for module in sparse]
        if not (switches or limits or sparse):
            return None
        return cls(tuple(sorted(switches)), tuple(sorted(limits)), bool(sparse), tuple(undo))

    def matter(self, tokens: int) -> bool:
        """Whether an input of so many tokens is read otherwise than a shorter one."""
        return self.alone or any(tokens > limit for limit in (*self.switches, *self.limits))

    def alike(self, tokens: int, others: int) -> bool:
        """Whether two lengths of one text that grows are read in the same way."""
        return self._key(tokens) == self._key(others)

    def together(self, lengths: Sequence[int]) -> list[list[int]]:
        """Places of the inputs that one batch may hold, so that each is read as if alone."""
        if self.alone:
            return [[place] for place in range(len(lengths))]
        if not self.matter(max(lengths, default=0)):
            return [list(range(len(lengths)))]
        key = [self._key(tokens) for tokens in lengths]
        order = sorted(range(len(lengths)), key=key.__getitem__)
        return [list(group) for _, group in groupby(order, key.__getitem__)]

    def forget(self) -> None:
        """Undo what other inputs have left behind; before every reading."""
        for undo in self.undo:
            undo()

    def _key(self, tokens: int) -> tuple[int, int]:
        """Equal for lengths that are read alike."""
        side = sum(tokens > switch for switch in self.switches)
        return side, tokens if any(tokens > limit for limit in self.limits) else 0


def _rotary_modules(model: nn.Module) -> Iterator[tuple[Any, str | None, str]]:
    """Modules of rotary positions, with each kind that they have, for some layers or for all."""
    for module in model.modules():
        kinds = getattr(module, "rope_type", None)
        if isinstance(kinds, str):
            yield module, None, kinds
        elif isinstance(kinds, dict):
            yield from ((module, layer, kind) for layer, kind in kinds.items() if kind)


def _shortest(module: Any, layer: str | None) -> Callable[[], None]:
    prefix = "" if layer is None else f"{layer}_"

    def forget() -> None:
        original = getattr(module, f"{prefix}original_inv_freq")
        current = getattr(module, f"{prefix}inv_freq")
        setattr(module, f"{prefix}inv_freq", original.to(current.device))
        setattr(module, f"{prefix}max_seq_len_cached", module.original_max_seq_len)

    return forget


def _sparse_modules(model: nn.Module) -> Iterator[Any]:
    """Outermost modules whose attention is sparse until a short input makes it full, for good."""
    if hasattr(model, "set_attention_type"):
        if getattr(model, "attention_type", None) == "block_sparse":
            yield model
        return
    for child in model.children():
        yield from _sparse_modules(child)


def _sparse_again(module: Any) -> Callable[[], None]:
    return lambda: module.set_attention_type("block_sparse")
