"""Language models whose hidden states others compute: a server, an engine, files."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from headwise.backbones.base import LanguageBackbone
from headwise.backbones.causal import CausalBackbone
from headwise.backbones.content import configuration_digest, tokenizer_digest, weights_digest
from headwise.backbones.encodings import EncodedPair
from headwise.backbones.layers import numbers_of_layers
from headwise.backbones.loading.layerless import LayerlessModel
from headwise.backbones.prompts.templates import PromptTemplate, Source
from headwise.backbones.unembedding import Unembedding
from headwise.choices import ONLY_LAST
from headwise.errors import StatesError, UnsupportedModelError


class StatesBackbone(CausalBackbone):
    """A causal language model that reads texts somewhere else.

    Here are its tokeniser, its config and its output layer: what turns texts into token ids, and
    hidden states into scores. It scores as any other backbone does; it does not generate.

    Attributes:
        origin: Where states come from, in words, for messages.

    Args:
        parts: Tokeniser, config and output layer of the model.
    """

    origin: str
    # One request waits while another is computed
    waits_for_others = True

    def __init__(self, parts: LayerlessModel, *, origin: str) -> None:
        # Nothing is asked of a model without numbers, as CausalBackbone would
        LanguageBackbone.__init__(self, parts.model, parts.tokenizer)
        self._length_effects = None  # whoever reads the texts knows what their lengths do
        self.gguf = parts.gguf
        self.origin = origin

    @property
    def device(self) -> torch.device:
        """Where the output layer is."""
        return self._unembedding.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the output layer."""
        return self._unembedding.weight.dtype

    @cached_property
    def unembedding(self) -> Unembedding:
        """The output layer, as the config describes what comes after it.

        Without layers there are no logits of the model's own to compare it with.
        """
        return self._unembedding

    @property
    def _depth(self) -> int:
        config = self.model.config.get_text_config(decoder=True)
        return int(config.num_hidden_layers)

    @property
    def layers_given(self) -> tuple[int, ...]:
        """Layers whose states can be had, as 0 to L - 1, and -1 for the last."""
        return ONLY_LAST

    @property
    def layer_widths(self) -> tuple[int, ...]:
        """Widths of the hidden states 0 to L: all are H."""
        return (self.hidden_size,) * (self._depth + 1)

    def _width(self, number: int) -> int:
        del number
        return self.hidden_size

    def gives(self, layers: Sequence[int]) -> bool:
        """Whether states of all these layers can be had.

        Args:
            layers: Numbers from 0 to L, or negative ones from the last.
        """
        return set(numbers_of_layers(layers, self._depth)) <= set(self.layers_given)

    def layer_numbers(self, layers: Sequence[int]) -> tuple[int, ...]:
        """Numbers of layers as 0 to L - 1, and -1 for the last.

        Args:
            layers: Numbers from 0 to L, or negative ones from the last.

        Raises:
            ValueError: If the model has no such layer, or none is named.
            UnsupportedModelError: If their states cannot be had.
        """
        numbers = numbers_of_layers(layers, self._depth)
        if not self.gives(numbers):
            raise UnsupportedModelError(
                f"States of the layers {list(numbers)} are read, and {self.origin} gives those of "
                f"{list(self.layers_given)} (-1 is the last); ask for signals that need no others, "
                "load the model itself, or have hidden states of these layers written to files."
            )
        return numbers

    @property
    def _batches_matter(self) -> bool:
        return False

    @property
    def keeps_no_state(self) -> bool:
        """Whether texts may be read in several threads at a time: yes."""
        return True

    def content(self) -> dict[str, Any]:
        """What results follow from, as far as it is known here."""
        output = nn.Linear(1, 1, bias=False)
        output.weight = nn.Parameter(self._unembedding.weight, requires_grad=False)
        return {
            **({} if self.gguf is None else {"GGUF file": self.gguf}),
            "states": self.kind_of_states(),
            "dtype": str(self.dtype).removeprefix("torch."),
            "model configuration": configuration_digest(self.model),
            "output layer": weights_digest(output),
            "tokeniser": tokenizer_digest(self.tokenizer),
            "max_length": self.max_length,
        }

    @abstractmethod
    def kind_of_states(self) -> str:
        """Who computes states, as far as results depend on it."""

    @abstractmethod
    def read_states(
        self, inputs: Sequence[Sequence[int]], layers: Sequence[int] = ONLY_LAST
    ) -> list[Tensor]:
        """States of all positions of some texts.

        Args:
            inputs: Token ids of each.
            layers: Of :attr:`layers_given`.

        Returns:
            For each text of T tokens ``(T, layers * H)``, float32 or a narrower type; layers stand
            side by side.

        Raises:
            StatesError: If they cannot be had.
        """

    def states_of(
        self, inputs: Sequence[Sequence[int]], layers: Sequence[int] = ONLY_LAST
    ) -> list[Tensor]:
        """The same, refused unless they have the right shape and are finite.

        Args:
            inputs: Token ids of each text.
            layers: Whose states stand side by side.
        """
        return self._checked(self.read_states(inputs, layers), inputs, layers)

    def targets_in(self, states: Sequence[Tensor], pairs: Sequence[EncodedPair]) -> Tensor:
        """What predicts the targets of B pairs, where all positions have been read already.

        Args:
            states: Of the last layer, ``(T, H)`` for each pair's T tokens.
            pairs: The pairs.

        Returns:
            ``(N, H)``, pair after pair, as :meth:`target_hidden`.

        Raises:
            StatesError: If states have another shape, or are not finite.
        """
        checked = self._checked(states, [pair.input_ids for pair in pairs], ONLY_LAST)
        return _target_rows(checked, pairs)

    def _checked(
        self, found: Sequence[Tensor], inputs: Sequence[Sequence[int]], layers: Sequence[int]
    ) -> list[Tensor]:
        width = len(layers) * self.hidden_size
        wanted = [(len(ids), width) for ids in inputs]
        if (shapes := [tuple(one.shape) for one in found]) != wanted:
            raise StatesError(
                f"{self.origin} must give states of shape {_first_difference(wanted, shapes)}: it "
                "runs another model, cuts texts, or leaves out what it has read before."
            )
        if not all(bool(one.isfinite().all()) for one in found):
            raise StatesError(f"{self.origin} gives numbers that are not finite.")
        return [one.to(self.device, self.dtype) for one in found]

    def _target_hidden(self, batch: list[EncodedPair], layers: Sequence[int] = ONLY_LAST) -> Tensor:
        return _target_rows(self.states_of([pair.input_ids for pair in batch], layers), batch)

    def shared_prompt_hidden(
        self, pairs: Sequence[EncodedPair], *, layers: Sequence[int] = ONLY_LAST
    ) -> Tensor:
        """Like :meth:`target_hidden`: who reads the texts knows best how to share a prompt."""
        return self.target_hidden(pairs, layers=layers)

    def reads_step_by_step(self, tokens: int) -> bool:
        """Whether a text can be read token by token: no."""
        del tokens
        return False

    def hidden_states(
        self, input_ids: Tensor, *, layers: Sequence[int] = ONLY_LAST, **inputs: Any
    ) -> Tensor:
        """Hidden states of texts of one length, ``(B, T, H)``; without further inputs."""
        if inputs:
            raise UnsupportedModelError(f"{self.origin} takes token ids and nothing else.")
        return torch.stack(self.states_of(input_ids.tolist(), self.layer_numbers(layers)))

    def encode_prompt(self, source: Source, prompt: PromptTemplate) -> dict[str, Tensor]:
        """Refused: what would go on from a prompt is not here."""
        del source, prompt
        self._refuse_to_generate()

    def layer_modules(self, layers: Iterable[int]) -> dict[int, nn.Module]:
        """Refused likewise: no module is entered."""
        del layers
        self._refuse_to_generate()

    def _refuse_to_generate(self) -> NoReturn:
        raise UnsupportedModelError(
            f"{self.origin} gives hidden states of texts and writes none; generate with the server "
            "itself, or load the model here, and score what it wrote."
        )


def _target_rows(states: Sequence[Tensor], pairs: Sequence[EncodedPair]) -> Tensor:
    return torch.cat(
        [
            one[pair.first : pair.first + len(pair.targets)]
            for one, pair in zip(states, pairs, strict=True)
        ]
    )


def _first_difference(wanted: Sequence[tuple[int, ...]], found: Sequence[tuple[int, ...]]) -> str:
    if len(wanted) != len(found):
        return f"of {len(wanted)} texts, got those of {len(found)}"
    a, b = next((a, b) for a, b in zip(wanted, found, strict=True) if a != b)
    return f"{a}, got {b}"
