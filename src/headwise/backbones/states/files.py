"""Hidden states that an engine wrote to files while it read or wrote texts."""

import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from headwise.backbones.encodings import EncodedPair
from headwise.backbones.layers import numbers_of_layers
from headwise.backbones.loading.layerless import load_layerless
from headwise.backbones.prompts.templates import PromptTemplate, SourcePair
from headwise.backbones.states.backbone import StatesBackbone
from headwise.choices import LAST_LAYER, ONLY_LAST
from headwise.errors import InputError, StatesError, TextError, UnsupportedModelError

_STATES, _IDS = "hidden_states", "token_ids"


class FilesBackbone(StatesBackbone):
    """A causal language model whose hidden states of some texts lie in files.

    The files are those of vLLM's connector for hidden states: ``NAME.safetensors`` with
    ``hidden_states`` ``[tokens, layers, H]`` and ``token_ids``, and while it is written
    ``NAME.safetensors.lock``. A text is found by its token ids, which those of a file begin with.
    What vLLM calls the last layer comes before the final norm, which is applied here.

    Attributes:
        layers_given: Which layers the files hold, as 0 to L - 1, and -1 for the last.
    """

    def __init__(
        self,
        folder: str | Path,
        model: str | Path,
        *,
        layers: Sequence[int] | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        trust_remote_code: bool = False,
    ) -> None:
        """Read which texts there are.

        Args:
            folder: Where the files are.
            model: A folder, GGUF file or hub id of the model that made them.
            layers: Numbers of the layers in a file, in their order there, as vLLM was given them
                (``eagle_aux_hidden_state_layer_ids``): 0 is the embedding, L the last layer of L.
                By default the last alone, if the files hold one.
            dtype: Type of the output layer, and of hidden states.
            device: Where the output layer and heads compute.
            trust_remote_code: Whether code that comes with the model may run.

        Raises:
            StatesError: If there are no files, or other ones.
            ValueError: If the model has no such layers.
            UnknownModelError, UnsupportedModelError, WeightsError: As `load_backbone`.
        """
        self._files = _StateFiles.found(Path(folder))
        parts = load_layerless(
            model, dtype=dtype, device=device, trust_remote_code=trust_remote_code
        )
        self._norm = parts.norm
        super().__init__(parts, origin=f"The folder {folder}")
        held = self._files.layers
        if layers is None and held != 1:
            raise StatesError(
                f"The files in {folder} hold states of {held} layers; say which ones, in the order "
                "that vLLM was given them (--states-layers; in Python `layers`)."
            )
        own = numbers_of_layers(ONLY_LAST if layers is None else layers, self._depth)
        if len(own) != held or self._files.width != self.hidden_size:
            raise StatesError(
                f"The files in {folder} hold {held} layers of width {self._files.width}, but "
                f"{len(own)} of width {self.hidden_size} are named."
            )
        if LAST_LAYER in own and self._norm is None:
            raise UnsupportedModelError(
                f"Where {type(self.model).__name__} has its final norm, which files of vLLM lack, "
                "is not known; use other layers, or its server."
            )
        self._own = own

    @property
    def layers_given(self) -> tuple[int, ...]:
        """Layers whose states the files hold."""
        return self._own

    def kind_of_states(self) -> str:
        """Files; texts find their own by their tokens."""
        return "files of hidden states"

    def encode(
        self,
        pairs: Sequence[SourcePair],
        prompt: PromptTemplate,
        *,
        rows: Sequence[Mapping[str, Any]] | None = None,
        max_length: int | None = None,
        cut: bool = False,
    ) -> list[EncodedPair | InputError]:
        """Tokenise pairs, as a language model does; those that no file has are errors."""
        encoded = super().encode(pairs, prompt, rows=rows, max_length=max_length, cut=cut)
        return [
            self._missing(code)
            if isinstance(code, EncodedPair) and self._files.find(code.input_ids) is None
            else code
            for code in encoded
        ]

    def _missing(self, code: EncodedPair) -> TextError:
        return TextError(
            f"No file has hidden states of these {len(code.input_ids)} tokens: the text was not "
            "read or written with this prompt, its tokens are others when it is read again, or "
            "those that were written were left out (`include_output_tokens`)."
        )

    def read_states(
        self, inputs: Sequence[Sequence[int]], layers: Sequence[int] = ONLY_LAST
    ) -> list[Tensor]:
        """States of all positions of some texts, as :meth:`StatesBackbone.read_states` says."""
        places = [self._own.index(number) for number in layers]
        found = []
        for ids in inputs:
            path = self._files.find(ids)
            if path is None:
                raise StatesError(f"{self.origin} has no states of these {len(ids)} tokens.")
            states = _read(path)[: len(ids)].to(self.device, self.dtype)
            parts = [
                self._normed(states[:, place]) if number == LAST_LAYER else states[:, place]
                for number, place in zip(layers, places, strict=True)
            ]
            found.append(torch.cat(parts, dim=-1))
        return found

    def _normed(self, states: Tensor) -> Tensor:
        assert self._norm is not None
        normed: Tensor = self._norm(states)
        return normed


class _StateFiles:
    """Files by the token ids that they hold.

    Attributes:
        layers: How many layers each of them holds.
        width: H.
    """

    def __init__(self, ids: list[tuple[int, ...]], paths: list[Path], shape: Sequence[int]) -> None:
        order = sorted(range(len(ids)), key=ids.__getitem__)
        self._ids, self._paths = [ids[i] for i in order], [paths[i] for i in order]
        _, self.layers, self.width = shape

    @classmethod
    def found(cls, folder: Path) -> "_StateFiles":
        """Those of a folder; files that are being written are waited for.

        Raises:
            StatesError: If there are none, or they differ in layers or width, or are damaged.
        """
        paths = sorted(folder.glob("*.safetensors"))
        if not paths:
            raise StatesError(f"There are no files of hidden states (*.safetensors) in {folder}.")
        ids, shapes = [], []
        for path in paths:
            with _opened(path) as tensors:
                ids.append(tuple(tensors.get_tensor(_IDS).tolist()))
                shapes.append(tuple(tensors.get_slice(_STATES).get_shape()))
            if len(shapes[-1]) != 3 or shapes[-1][0] != len(ids[-1]):
                raise StatesError(
                    f"{path} must hold {_STATES} of [tokens, layers, width] with as many {_IDS}, "
                    f"got {list(shapes[-1])} and {len(ids[-1])}."
                )
            if shapes[-1][1:] != shapes[0][1:]:
                raise StatesError(
                    f"{path} holds states of {list(shapes[-1][1:])}, {paths[0]} of "
                    f"{list(shapes[0][1:])} (layers, width): keep files of one model in a folder."
                )
        return cls(ids, paths, shapes[0])

    def find(self, ids: Sequence[int]) -> Path | None:
        """A file whose token ids begin so."""
        wanted = tuple(ids)
        place = bisect_left(self._ids, wanted)  # texts that begin with others come behind them
        begins = place < len(self._ids) and self._ids[place][: len(wanted)] == wanted
        return self._paths[place] if begins else None


def _read(path: Path) -> Tensor:
    with _opened(path) as tensors:
        states: Tensor = tensors.get_tensor(_STATES)
        return states


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """A file of states, once it is whole.

    Raises:
        StatesError: If it is damaged or another kind of file.
    """
    _wait_for(path.with_name(f"{path.name}.lock"))
    try:
        with safe_open(path, framework="pt") as tensors:
            yield tensors
    except (SafetensorError, OSError) as error:
        raise StatesError(
            f"{path} holds no hidden states that can be read ({error}); it needs the tensors "
            f"{_STATES} and {_IDS}."
        ) from None


def _wait_for(lock: Path) -> None:
    """Wait until nobody writes the file any more: who writes holds a lock on another one."""
    with suppress(ImportError, FileNotFoundError):
        import fcntl  # there is none on Windows, and no vLLM

        descriptor = os.open(lock, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)
