"""Where a generated text ends: where the prompt's layout closes it, or at texts that users name."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase, StoppingCriteria

from headwise.backbones import LanguageBackbone, PromptTemplate
from headwise.backbones.prompts.templates import Source


@dataclass(frozen=True, slots=True)
class Stop:
    """A place where a text ends, in characters, and whether the prompt's layout says so."""

    place: int
    closing: bool


@dataclass(frozen=True, slots=True)
class Stops:
    """What ends a generated text.

    Attributes:
        closing: Plain text that closes hypotheses in the prompt's layout; empty if none does.
        closing_ids: Control tokens that do.
        texts: Where else to stop; what is written from there on is no part of the text.
        text_ids: Control tokens among these.
    """

    closing: str = ""
    closing_ids: frozenset[int] = frozenset()
    texts: tuple[str, ...] = ()
    text_ids: frozenset[int] = field(default=frozenset())

    @classmethod
    def of(
        cls,
        backbone: LanguageBackbone,
        source: Source,
        prompt: PromptTemplate,
        stop: str | Iterable[str] = (),
    ) -> "Stops":
        """The end of a prompt's completion, and the texts that are named.

        Raises:
            ValueError: If one of them is empty or no text.
        """
        asked = (stop,) if isinstance(stop, str) else tuple(stop)
        for text in asked:
            if not isinstance(text, str) or not text:
                raise ValueError(f"`stop` must be texts that are not empty, got {text!r}.")
        control = backbone.control_tokens()
        closing, token = backbone.closing(source, prompt)
        # White space before a control token is layout that a model need not write
        return cls(
            closing="" if token is not None and not closing.strip() else closing,
            closing_ids=frozenset(() if token is None else (token,)),
            texts=tuple(text for text in asked if text not in control),
            text_ids=frozenset(control[text] for text in asked if text in control),
        )

    @property
    def all_texts(self) -> tuple[str, ...]:
        """Every text that ends the generated one."""
        return (self.closing, *self.texts) if self.closing else self.texts

    @property
    def reach(self) -> int:
        """The length of the longest of them, in characters."""
        return max(map(len, self.all_texts), default=0)

    def find(self, text: str) -> Stop | None:
        """The first place where one of the texts stands."""
        found = [
            Stop(place, stop == self.closing)
            for stop in self.all_texts
            if (place := text.find(stop)) >= 0
        ]
        return min(found, key=lambda one: (one.place, not one.closing), default=None)

    def begun(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of one of the texts."""
        return next(
            (
                size
                for size in range(min(self.reach - 1, len(text)), 0, -1)
                if any(stop.startswith(text[-size:]) for stop in self.all_texts)
            ),
            0,
        )

    def added_to(
        self,
        options: dict[str, Any],
        backbone: LanguageBackbone,
        inputs: dict[str, Any],
        *,
        written: int = 0,
    ) -> dict[str, Any]:
        """Options of ``model.generate`` with which it goes no further than it must.

        The last ``written`` tokens of the inputs were written before, and may begin a stop.
        """
        given = 1 if backbone.model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
        own = _StopWriting(backbone.tokenizer, self, given - written)
        return {**options, "stopping_criteria": [*(options.get("stopping_criteria") or ()), own]}


class _StopWriting(StoppingCriteria):
    """Ends each text of a batch at its own stop."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, stops: Stops, given: int) -> None:
        self._tokenizer, self._stops, self._given = tokenizer, stops, given
        # A character has four bytes at most, and each may be a token
        self._tokens = 4 * stops.reach + 4 if stops.reach else 1

    def __call__(self, input_ids: Tensor, *_: Any, **__: Any) -> Tensor:
        begin = max(self._given, input_ids.shape[1] - self._tokens)
        rows = input_ids[:, begin:].tolist()
        return torch.tensor([self._ends(row) for row in rows], device=input_ids.device)

    def _ends(self, ids: list[int]) -> bool:
        stops = self._stops
        if ids and (ids[-1] in stops.closing_ids or ids[-1] in stops.text_ids):
            return True
        if not stops.reach:
            return False
        text = self._tokenizer.decode(
            ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return stops.find(str(text)) is not None
