"""Functions that `torch.compile` leaves as they are."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import torch

_P = ParamSpec("_P")
_R = TypeVar("_R")


def outside_graphs(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Break compiled graphs around a function whose loops a compiler could not improve."""
    return cast("Callable[_P, _R]", torch.compiler.disable(function))
