"""Stages of a cascade that answer what tests say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headwise.cascade.stages import StageAnswer
from headwise.data.records.pairs import Pair
from headwise.errors import TextError


@dataclass
class MadeStage:
    """Answers with its name and the question; the quality stands in a table."""

    name: str
    qualities: Mapping[str, float]
    cost: float | None = None
    rates: bool = True
    asked: list[str] = field(default_factory=list)

    def answer(self, asked: Pair) -> StageAnswer:
        assert asked.source is not None
        self.asked.append(asked.source)
        if asked.source not in self.qualities:
            raise TextError(f"{self.name} cannot read it.")
        quality = self.qualities[asked.source]
        return StageAnswer(f"{self.name}: {asked.source}", quality if self.rates else None)

    def content(self) -> dict[str, Any]:
        return {"qualities": dict(self.qualities)}
