"""``GET /docs``: the API for people, made of ``openapi.json``; nothing is loaded or run for it."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from headwise.report.page import PageFolder
from headwise.serving.documentation.examples import body_schema, examples, operations
from headwise.serving.service import TheService
from headwise.version import __version__

router = APIRouter()

_PAGE = PageFolder("headwise.serving", "documentation")


@router.get("/docs", include_in_schema=False)
async def documentation(request: Request, service: TheService) -> HTMLResponse:
    """All routes, what they take, and commands that call them."""
    document = request.app.openapi()
    head = _PAGE.head(styles=["api.css"], scripts=[])
    address, key = str(request.base_url), bool(service.settings.api_keys)
    families: dict[str, list[dict[str, Any]]] = {}
    for method, path, said in operations(document):
        shown = {
            "id": f"{method}{path.replace('/', '-')}",
            "method": method.upper(),
            "path": path,
            "summary": said.get("summary", ""),
            "paragraphs": _paragraphs(said.get("description", "")),
            "commands": [one.curl(address, key=key) for one in examples(document, method, path)],
            "fields": _fields(body_schema(document, said)),
        }
        families.setdefault((said.get("tags") or ["Others"])[0], []).append(shown)
    page = _PAGE.template("api.html").render(
        **head,
        title="headwise: the API",
        version=__version__,
        key=key,
        families=[{"name": name, "routes": routes} for name, routes in families.items()],
    )
    policy = f"{head['policy']}; frame-ancestors 'none'"
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


def _paragraphs(text: str) -> list[str]:
    """Of a docstring, without the marks of code."""
    blocks = [" ".join(block.split()) for block in text.replace("``", "").split("\n\n")]
    return [block for block in blocks if block]


def _fields(schema: Mapping[str, Any]) -> list[dict[str, str]]:
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "type": _type(said),
            "default": "required" if name in required else _default(said),
        }
        for name, said in schema.get("properties", {}).items()
    ]


def _default(said: Mapping[str, Any]) -> str:
    value = said.get("default")
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _type(said: Mapping[str, Any]) -> str:
    if "anyOf" in said:
        kinds = [_type(one) for one in said["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in said:
        return " or ".join(json.dumps(one) for one in said["enum"])
    if "const" in said:
        return json.dumps(said["const"])
    if "$ref" in said:
        return str(said["$ref"]).rpartition("/")[2]
    if said.get("type") == "array":
        return f"list of {_type(said.get('items', {}))}"
    return str(said.get("type", "any"))
