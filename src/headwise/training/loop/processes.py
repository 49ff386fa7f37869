"""The processes that share a run under ``torchrun``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import torch.distributed
from transformers import TrainingArguments

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Processes:
    """The number of this process, from 0, and the count of those that share a run."""

    number: int
    count: int

    @classmethod
    def of(cls, arguments: TrainingArguments) -> "Processes":
        """Those that Transformers found, after it has set up their communication."""
        return cls(arguments.process_index, arguments.world_size)

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.number == 0

    def agreed(self, decide: Callable[[], T]) -> T:
        """What the first process decides, in all of them."""
        decision = [decide() if self.first else None]
        if self.count > 1:
            torch.distributed.broadcast_object_list(decision)
        return cast(T, decision[0])

    def wait(self) -> None:
        """Return when all have called this."""
        if self.count > 1:
            torch.distributed.barrier()
