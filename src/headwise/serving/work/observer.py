"""Who is told what a model's thread does."""

from typing import Protocol


class WorkObserver(Protocol):
    """Is called in the model's thread, and must be quick."""

    def batch(self, model: str, *, items: int, tokens: int, seconds: float, waited: float) -> None:
        """A batch of so many items and tokens took so long; its first item had waited so long."""

    def step(self, model: str) -> None:
        """A stream was advanced by one step."""


class _Nobody:
    def batch(self, model: str, *, items: int, tokens: int, seconds: float, waited: float) -> None:
        pass

    def step(self, model: str) -> None:
        pass


NOBODY: WorkObserver = _Nobody()
