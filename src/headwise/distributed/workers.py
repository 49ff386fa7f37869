"""How many workers a job has, and what each of them takes of a cluster; Ray is not imported."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Self

from headwise.errors import ClusterError


def expect_ray() -> None:
    """See that Ray is installed, without importing it.

    Raises:
        ClusterError: If it is not; the message says how to install it.
    """
    if find_spec("ray") is None:
        raise ClusterError(
            "Work on a cluster needs Ray, which is not installed: pip install 'headwise[ray]'."
        )


# Rows that a worker is given at a time: enough texts of similar length, and few enough for all
# workers to end together
_ROWS_CPU, _ROWS_ACCELERATOR = 256, 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """A pool of workers, each with a model of its own.

    Attributes:
        least: How many there are from the beginning.
        most: How many there may be while work waits; ``None`` for as many as there is room for.
        threads: Threads and processors of each.
        gpus: Accelerators of each; 0.5 lets two workers share one. Without any, models are
            loaded on the processor.
        rows: Rows that a worker is given at a time; by default what suits processors, or
            accelerators if it has any.
    """

    least: int = 1
    most: int | None = None
    threads: int = 1
    gpus: float = 0.0
    rows: int | None = None

    def __post_init__(self) -> None:
        if self.least < 1 or (self.most is not None and self.most < self.least):
            raise ValueError(
                f"There must be 1 worker or more, and no fewer at most than at least; got "
                f"{self.least} at least and {self.most} at most."
            )
        if self.threads < 1 or self.gpus < 0:
            raise ValueError(
                f"A worker needs 1 thread or more and 0 accelerators or more, got {self.threads} "
                f"and {self.gpus}."
            )
        if self.gpus > 1 and self.gpus != int(self.gpus):
            raise ValueError(
                f"A worker has a share of one accelerator or whole ones, got {self.gpus}."
            )

    @classmethod
    def of(cls, count: str | None, **each: Any) -> Self:
        """Read how many: ``4``, or ``1:8`` for one at first and eight at most; ``None`` for any.

        ``each`` holds the other attributes.

        Args:
            count: A number, or two with a colon between them.
            each: What else the class has.

        Raises:
            ValueError: If it says something else.
        """
        if count is None:
            return cls(**each)
        if not (said := re.fullmatch(r"(\d+)(?::(\d+))?", count)):
            raise ValueError(f"Workers must be a number, 4, or two, 1:8; got {count!r}.")
        least = int(said[1])
        return cls(least=least, most=int(said[2] or least), **each)

    @property
    def rows_at_a_time(self) -> int:
        """Rows that a worker is given at a time."""
        return self.rows or (_ROWS_ACCELERATOR if self.gpus else _ROWS_CPU)
