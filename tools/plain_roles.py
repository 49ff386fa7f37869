"""An extension of griffe: roles of Sphinx in docstrings, ``:func:`name```, become plain code."""

import re
from typing import Any

from griffe import Extension, Object

_ROLE = re.compile(r":(?:py:)?(?:attr|class|data|exc|func|meth|mod|obj):`~?([^`]+)`")


class PlainRoles(Extension):
    """Markdown has no roles; of a whole path the last part is shown."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of an object, once it is there."""
        if obj.docstring:
            obj.docstring.value = _ROLE.sub(_code, obj.docstring.value)


def _code(role: re.Match[str]) -> str:
    path = role[1]
    return f"`{path.rpartition('.')[2] if path.startswith('headwise.') else path}`"
