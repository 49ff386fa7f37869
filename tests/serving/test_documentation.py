"""The page of the API, and the examples that it shows: each of them runs."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from headwise.serving import ServerSettings, create_app
from headwise.serving.documentation.examples import RequestExample, examples, operations

DOCUMENT: dict[str, Any] = create_app(ServerSettings(model=None, entailment=None)).openapi()
OPERATIONS = list(operations(DOCUMENT))
EXAMPLES = [one for method, path, _ in OPERATIONS for one in examples(DOCUMENT, method, path)]


def test_every_route_has_an_example_and_a_summary() -> None:
    assert len(OPERATIONS) > 4
    without = [p for m, p, _ in OPERATIONS if not list(examples(DOCUMENT, m, p))]
    assert not without
    assert not [path for _, path, said in OPERATIONS if not said.get("summary")]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: f"{e.method} {e.path} {e.media}")
def test_every_example_runs(client: TestClient, example: RequestExample) -> None:
    headers = {"Content-Type": example.media} if example.media else {}
    content = example.body.encode()
    response = client.request(example.method, example.path, content=content, headers=headers)
    assert response.status_code == 200, response.text
    assert response.content
    if example.media is not None:
        lines = response.text.splitlines()
        assert '"error": {' not in lines[0], lines


def test_the_page_shows_them_and_needs_nothing_from_elsewhere(client: TestClient) -> None:
    response = client.get("/docs")
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for sign in ("<script", "src=", "https://", "@import"):
        assert sign not in response.text
    for method, path, _ in OPERATIONS:
        assert f"<code>{method.upper()} {path}</code>" in response.text
    assert "curl http://testserver/v1/score" in response.text


def test_examples_are_found_wherever_they_stand() -> None:
    schema = {"$ref": "#/components/schemas/Thing"}
    bodies = {
        "/beside": {"schema": schema, "examples": {"one": {"value": {"n": 1}}}},
        "/in-schema": {"schema": schema},
        "/fields": {"schema": {"properties": {"n": {"examples": [3]}, "other": {}}}},
    }
    document = {
        "components": {"schemas": {"Thing": {"examples": [{"n": 2}]}}},
        "paths": {
            path: {"post": {"requestBody": {"content": {"application/json": said}}}}
            for path, said in bodies.items()
        },
    }
    found = [one for m, p, _ in operations(document) for one in examples(document, m, p)]
    assert [json.loads(one.body) for one in found] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert found[0].curl("http://h:1/", key=True) == (
        "curl http://h:1/beside \\\n"
        '  -H "Authorization: Bearer $KEY" \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        "  --data-binary '{\"n\": 1}'"
    )
