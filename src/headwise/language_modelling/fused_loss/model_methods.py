"""Methods of one model, in place of those of its class."""

import inspect
from collections.abc import Callable
from types import MethodType
from typing import Any

from torch import nn


class ModelMethod:
    """A function bound to one model; both are pickled and copied with it.

    A ``MethodType`` is pickled as its name, and comes back as the method of the class. The
    attributes are named as there: Accelerate takes the function out, wraps it, and binds it again.

    Args:
        function: Takes the model first. A function of a module, or an object of a class, so that
            it can be pickled.
    """

    # No dictionary: `functools.wraps` would copy it into what Accelerate wraps around this
    __slots__ = ("__func__", "__self__", "__weakref__")

    def __init__(self, function: Callable[..., Any], model: nn.Module) -> None:
        self.__func__ = function
        self.__self__ = model

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function with the model in front."""
        return self.__func__(self.__self__, *args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        """As a bound method has it; Trainer reads columns off that of ``forward``."""
        return inspect.signature(MethodType(self.__func__, self.__self__))
