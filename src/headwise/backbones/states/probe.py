"""What a head's language model makes of a few tokens, by which its states are known again."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from headwise.documents import read_object
from headwise.errors import DataError, MismatchError, WeightsError
from headwise.files import atomic_path
from headwise.heads.storage.files import STATES_FILE

if TYPE_CHECKING:
    from headwise.backbones.causal import CausalBackbone

logger = logging.getLogger(__name__)

_TEXT = "The library opens at nine, but 2 of its 15 rooms stay closed until the 3rd of May."
_TOKENS, _KEPT, _DIGITS = 16, 16, 5
# Of the length of the vectors; measured: bfloat16 leaves 0.006 of the bundled model's
_ALIKE, _RELATED = 0.1, 0.5
_UNIT_LENGTH = 1e-3


@dataclass(frozen=True, slots=True)
class StatesProbe:
    """The last hidden states of a few tokens, cut to their first numbers.

    Attributes:
        ids: T token ids of a text.
        values: Of each, the first numbers of its state, ``T x K``.
    """

    ids: tuple[int, ...]
    values: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, backbone: "CausalBackbone") -> Self:
        """What a language model makes of them."""
        ids = probe_ids_of(backbone)
        with torch.inference_mode():
            inputs = torch.tensor([ids], device=backbone.device)
            states = backbone.hidden_states(inputs)[0, :, :_KEPT].float().cpu()
        return cls(ids, tuple(tuple(round(v, _DIGITS) for v in row) for row in states.tolist()))

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """That of a head's folder; ``None`` if it has none.

        Raises:
            WeightsError: If it is damaged.
        """
        path = folder / STATES_FILE
        if not path.is_file():
            return None
        try:
            found = read_object(path)
            ids = tuple(int(n) for n in found["ids"])
            values = tuple(tuple(float(v) for v in row) for row in found["values"])
            if not ids or len(ids) != len(values) or len({len(row) for row in values}) != 1:
                raise ValueError("ids and values must be as many")
        except (DataError, ValueError, TypeError, KeyError) as error:
            raise WeightsError(f"{path} is damaged ({error}); download it again.") from None
        return cls(ids, values)

    def write(self, folder: Path) -> None:
        """Keep it beside a head."""
        with atomic_path(folder / STATES_FILE) as new:
            new.write_text(json.dumps(asdict(self)) + "\n", encoding="utf-8")

    def check(self, states: Tensor, *, origin: str) -> None:
        """Refuse states ``(T, H)`` of the same tokens that another model gave, or norm, or layer.

        Raises:
            MismatchError: If they differ by more than half of their length. By more than a tenth,
                as those of a model of 4 bits do, a warning says so.
        """
        own = torch.tensor(self.values)
        given = states[:, : own.shape[1]].float().cpu()
        # The first token of a text may have a state that dwarfs all others
        apart = (given - own).norm(dim=1) / own.norm(dim=1).clamp(min=1e-6)
        distance = float(apart.median())
        said = (
            f"Hidden states of {origin} differ by {distance:.0%} from those that the head was "
            "trained on"
        )
        if not distance <= _RELATED:
            raise MismatchError(
                f"{said}: it runs another model, or gives states of another layer, or before or "
                "after a norm."
            )
        if distance > _ALIKE:
            logger.warning("%s: scores will differ, too. Is its model quantised?", said)


def probe_ids_of(backbone: "CausalBackbone") -> tuple[int, ...]:
    """Token ids of a few words, as the tokeniser begins a text."""
    ids = backbone.tokenizer(_TEXT)["input_ids"][:_TOKENS]
    return tuple(ids)


def check_not_normalised(states: Sequence[Tensor], *, origin: str) -> None:
    """Refuse states that were made vectors of unit length, as poolers do for similarities.

    Raises:
        MismatchError: If all of them have length 1.
    """
    lengths = torch.cat([one.float().norm(dim=-1) for one in states])
    if bool(((lengths - 1).abs() < _UNIT_LENGTH).all()):
        raise MismatchError(
            f"{origin} gives vectors of length 1: its pooler normalises hidden states, of which "
            "heads then know nothing. Turn that off (vLLM: `use_activation` false, and no "
            "normalisation in the pooler's config; llama.cpp: --pooling none)."
        )
