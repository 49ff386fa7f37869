"""An extension of griffe: what ``Field(description=...)`` says of a field is its docstring.

So it is of ``epochs: Annotated[int, Field(description="...")] = 5``, and of ``epochs: Epochs = 5``
where ``Epochs`` is such a type.
"""

import ast
from typing import Any

from griffe import Attribute, Docstring, Extension, Module


class FieldDescriptions(Extension):
    """Gives attributes without a docstring the description of their field, or of their type's."""

    def __init__(self) -> None:
        super().__init__()
        self._types: dict[str, str] = {}
        self._fields: list[tuple[Attribute, ast.AnnAssign]] = []

    def on_attribute_instance(self, *, node: ast.AST, attr: Attribute, **_: Any) -> None:
        """Note what a field or a type says of itself."""
        if isinstance(node, ast.Assign) and (said := _description(node.value)):
            self._types[attr.name] = said
        elif isinstance(node, ast.AnnAssign) and attr.docstring is None:
            if said := _description(node.annotation):
                attr.docstring = Docstring(said, lineno=node.lineno, parent=attr)
            else:
                self._fields.append((attr, node))

    def on_package(self, *, pkg: Module, **_: Any) -> None:
        """Look up the types once all of them are known."""
        del pkg
        for attr, node in self._fields:
            names = {
                part.attr if isinstance(part, ast.Attribute) else part.id
                for part in ast.walk(node.annotation)
                if isinstance(part, ast.Attribute | ast.Name)
            }
            if said := next((self._types[name] for name in sorted(names & set(self._types))), None):
                attr.docstring = Docstring(said, lineno=node.lineno, parent=attr)


def _description(node: ast.expr) -> str | None:
    """The description that a call of ``Field`` somewhere in an expression gives."""
    calls = (part for part in ast.walk(node) if isinstance(part, ast.Call))
    for call in calls:
        if isinstance(call.func, ast.Name) and call.func.id == "Field":
            for keyword in call.keywords:
                if keyword.arg == "description" and isinstance(keyword.value, ast.Constant):
                    return str(keyword.value.value)
    return None
