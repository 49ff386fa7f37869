"""The layers of a model: which there are, and reading some of them and none above."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from headwise.choices import LAST_LAYER, ONLY_LAST
from headwise.errors import UnsupportedModelError

# The readings that the running code belongs to: threads that share a model share its hooks
_READINGS: ContextVar[tuple[object, ...]] = ContextVar("readings", default=())
# PyTorch numbers its hooks without a lock, and two of one number would replace each other
_HOOKING = threading.Lock()


class _EverythingRead(BaseException):
    """Ends a pass when nothing above is asked for; no model catches it."""


@contextmanager
def watched(
    modules: Mapping[int, nn.Module], seen: Callable[[int, Tensor], None]
) -> Iterator[None]:
    """Tell what enters modules, by their numbers, in calls that the block itself makes.

    Calls of other threads are none of its. The hooks go with the block, whatever ends it.
    """
    own = object()

    def hook(number: int) -> Callable[..., None]:
        # While one thread adds or removes its hook, PyTorch may call it in another without names
        def tell(
            _: nn.Module, positional: tuple[Any, ...], named: dict[str, Any] | None = None
        ) -> None:
            if own in _READINGS.get():
                entering = positional[0] if positional else (named or {}).get("hidden_states")
                if isinstance(entering, Tensor):
                    seen(number, entering)

        return tell

    handles = []
    before = _READINGS.set((*_READINGS.get(), own))
    try:
        for number, module in modules.items():
            with _HOOKING:
                handles.append(module.register_forward_pre_hook(hook(number), with_kwargs=True))
        yield
    finally:
        _READINGS.reset(before)
        for handle in handles:
            handle.remove()


@dataclass(frozen=True, slots=True)
class ModelLayers:
    """The L layers of a model in order.

    Attributes:
        modules: The layers; what enters number n is the hidden state number n.
        widths: Of the hidden states 0 to L - 1.
    """

    modules: tuple[nn.Module, ...]
    widths: tuple[int, ...]

    @classmethod
    def of(
        cls, model: PreTrainedModel, stack: nn.Module, inputs: Mapping[str, Tensor], **options: Any
    ) -> Self:
        """Find the layers of an encoder or decoder: ``output_hidden_states`` has what enters them.

        Names and configurations differ from family to family, so the model is asked: it reads a
        few tokens, and all lists of modules are watched.

        Raises:
            UnsupportedModelError: If there is no such list.
        """
        lists = [one for one in stack.modules() if isinstance(one, nn.ModuleList)]
        every = [module for one in lists for module in one]
        entered: dict[int, Tensor] = {}

        def keep(number: int, hidden: Tensor) -> None:
            # What is changed in place below, or entered twice, is no state to be read
            entered[number] = hidden.clone() if number not in entered else hidden[:0]

        with torch.inference_mode(), watched(dict(enumerate(every)), keep):
            output = model(**inputs, **options, output_hidden_states=True)
        states = getattr(output, "decoder_hidden_states", None) or output.get("hidden_states") or ()
        first = 0
        for modules in lists:
            own = [entered.get(number) for number in range(first, first + len(modules))]
            first += len(modules)
            if len(states) == len(own) + 1 and all(map(_same, own, states)):
                return cls(tuple(modules), tuple(state.shape[-1] for state in states[:-1]))
        raise UnsupportedModelError(
            f"The layers of {type(model).__name__} cannot be read one by one: what enters them is "
            "not what its `output_hidden_states` has. Read the last hidden states alone (-1)."
        )

    def read(
        self, run: Callable[[], Tensor], layers: Sequence[int], keep: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """Hidden states of some layers from one pass that goes no higher than it has to.

        Args:
            run: The pass, which gives the last hidden states.
            layers: Their numbers: 0 to L - 1, and -1 for the last.
            keep: What to keep of each, ``(B, T, H)``.

        Returns:
            What was kept, side by side in the last dimension.
        """
        found: dict[int, Tensor] = {}
        middle = {n: self.modules[n] for n in sorted({*layers} - {LAST_LAYER})}
        top = None if LAST_LAYER in layers else max(middle)

        def seen(number: int, hidden: Tensor) -> None:
            found[number] = keep(hidden)
            if number == top:
                raise _EverythingRead

        with watched(middle, seen), suppress(_EverythingRead):
            found[LAST_LAYER] = keep(run())
        # A large model's layers may lie on several devices
        device = found[layers[-1]].device
        return torch.cat([found[n].to(device) for n in layers], dim=-1)


class LayeredModel(ABC):
    """A model whose layers can be read; they are looked for when one is asked for."""

    @property
    @abstractmethod
    def hidden_size(self) -> int:
        """H, the width of the last hidden states."""

    @cached_property
    def _layers(self) -> ModelLayers:
        return self._find_layers()

    @abstractmethod
    def _find_layers(self) -> ModelLayers:
        """Find them, which costs a pass of the model."""

    @property
    def layer_widths(self) -> tuple[int, ...]:
        """Widths of the hidden states 0 to L, of which the last is H.

        Raises:
            UnsupportedModelError: If the layers of the model cannot be read.
        """
        return (*self._layers.widths, self.hidden_size)

    def layer_numbers(self, layers: Sequence[int]) -> tuple[int, ...]:
        """Numbers of layers as 0 to L - 1, and -1 for the last.

        Args:
            layers: Numbers from 0 to L, or negative ones from the last.

        Raises:
            ValueError: If the model has no such layer, or none is named.
            UnsupportedModelError: If the layers of the model cannot be read.
        """
        if all(number == LAST_LAYER for number in layers) and layers:
            return tuple(layers)  # without finding out which there are
        return numbers_of_layers(layers, len(self.layer_widths) - 1)

    def layers_width(self, layers: Sequence[int]) -> int:
        """Width of the hidden states of some layers side by side.

        Args:
            layers: Numbers as of :meth:`layer_numbers`.
        """
        return sum(self._width(number) for number in self.layer_numbers(layers))

    def _width(self, number: int) -> int:
        return self.hidden_size if number == LAST_LAYER else self._layers.widths[number]

    def of_layers(self, hidden: Tensor, given: Sequence[int], wanted: Sequence[int]) -> Tensor:
        """Of hidden states of given `layer_numbers`, side by side, those of wanted layers.

        Args:
            hidden: Hidden states, ``(..., W)``.
            given: The layers that they are of, in order.
            wanted: Some of these.
        """
        if (wanted := self.layer_numbers(wanted)) == given:
            return hidden
        parts = hidden.split([self._width(number) for number in given], dim=-1)
        found = dict(zip(given, parts, strict=True))
        return torch.cat([found[number] for number in wanted], dim=-1)

    def _of_pass(
        self, run: Callable[[], Tensor], layers: Sequence[int], keep: Callable[[Tensor], Tensor]
    ) -> Tensor:
        """What is kept of the hidden states of `layer_numbers` in a pass that gives the last."""
        return keep(run()) if layers == ONLY_LAST else self._layers.read(run, layers, keep)


def _same(entered: Tensor | None, state: Tensor) -> bool:
    return entered is not None and entered.shape == state.shape and torch.equal(entered, state)


def numbers_of_layers(layers: Sequence[int], count: int) -> tuple[int, ...]:
    """Numbers of layers of a model that has ``count``: 0 to L - 1, and -1 for the last.

    Raises:
        ValueError: If it has no such layer, or none is named.
    """
    if not layers or not all(
        type(number) is int and -count - 1 <= number <= count for number in layers
    ):
        raise ValueError(
            f"`layers` must hold whole numbers from {-count - 1} to {count}, since the model "
            f"has {count} layers above its embedding, got {list(layers)}."
        )
    placed = [number % (count + 1) for number in layers]
    return tuple(LAST_LAYER if number == count else number for number in placed)


def all_layers(*read: Sequence[int]) -> tuple[int, ...]:
    """What several heads read together, from the lowest to the last; the last if they read none."""
    numbers = {number for layers in read for number in layers} or ONLY_LAST
    return tuple(sorted(numbers, key=lambda n: (n == LAST_LAYER, n)))
