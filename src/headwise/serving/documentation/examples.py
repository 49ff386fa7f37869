"""The examples that an OpenAPI document has for its requests."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_METHODS = ("get", "post")


@dataclass(frozen=True, slots=True)
class RequestExample:
    """A request that an API shows.

    Attributes:
        method: ``GET`` or ``POST``.
        path: Of the route.
        media: Type of the body; ``None`` without one.
        body: The body as text.
    """

    method: str
    path: str
    media: str | None = None
    body: str = ""

    def curl(self, address: str, *, key: bool) -> str:
        """A command that makes this request of a server; with ``key``, it has a place for one."""
        parts = [f"curl {shlex.quote(address.rstrip('/') + self.path)}"]
        if key:
            parts.append('-H "Authorization: Bearer $KEY"')
        if self.media is not None:
            parts.append(f"-H 'Content-Type: {self.media}'")
            parts.append(f"--data-binary {shlex.quote(self.body)}")
        return " \\\n  ".join(parts)


def examples(document: Mapping[str, Any], method: str, path: str) -> Iterator[RequestExample]:
    """All examples of one operation; one that takes no body is an example itself.

    They stand beside a body's schema, in the schema, or, one by one, at its fields.
    """
    operation = document["paths"][path][method]
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        yield RequestExample(method.upper(), _filled(path, operation))
    for media, said in content.items():
        for value in _values(document, said):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield RequestExample(method.upper(), path, media, text)


def _filled(path: str, operation: Mapping[str, Any]) -> str:
    """A path with the examples of its parameters."""
    for one in operation.get("parameters", ()):
        for value in one["schema"].get("examples", ())[:1]:
            path = path.replace(f"{{{one['name']}}}", value)
    return path


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and what is said, of every operation."""
    for path, methods in document["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield method, path, methods[method]


def body_schema(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of an operation's JSON body; empty without one."""
    content = operation.get("requestBody", {}).get("content", {})
    return _resolved(document, content.get("application/json", {}).get("schema", {}))


def _values(document: Mapping[str, Any], said: Mapping[str, Any]) -> list[Any]:
    if "example" in said:
        return [said["example"]]
    if "examples" in said:
        return [one["value"] for one in said["examples"].values()]
    schema = _resolved(document, said.get("schema", {}))
    if "example" in schema:
        return [schema["example"]]
    if "examples" in schema:
        return list(schema["examples"])
    fields = schema.get("properties", {})
    value = {name: one["examples"][0] for name, one in fields.items() if one.get("examples")}
    return [value] if value else []


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if (reference := schema.get("$ref")) is None:
        return schema
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return _resolved(document, found)
