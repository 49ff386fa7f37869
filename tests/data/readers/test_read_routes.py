"""Routes from files, and queries with their routes."""

from pathlib import Path

import pytest

from headwise.data.readers.routes import read_route_examples, read_routes
from headwise.errors import DataError

ROUTES = {"dogs": ["A dog runs.", "A dog sleeps."], "cats": ["A cat: it sleeps."]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", "dogs:\n  - A dog runs.\n  - A dog sleeps.\ncats: 'A cat: it sleeps.'\n"),
        ("a.json", '{"dogs": ["A dog runs.", "A dog sleeps."], "cats": "A cat: it sleeps."}'),
        ("a.tsv", "dogs\tA dog runs.\ncats\tA cat: it sleeps.\ndogs\tA dog sleeps.\n"),
    ],
)
def test_all_formats_say_the_same(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    found = read_routes(tmp_path / name)
    assert found == ROUTES
    assert list(found) == list(ROUTES)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yaml", "dogs: a\ncats: b\ndogs: c\n", "'dogs' stands there twice"),
        ("a.json", '{"dogs": "a", "dogs": "b"}', "'dogs' stands there twice"),
        ("a.yaml", "yes: a\n", "True, which is bool"),
        ("a.yaml", "dogs: 3\n", "must have a text or a list of texts, got 3"),
        ("a.yaml", "- a\n", "must map names of routes to texts, got list"),
        ("a.yaml", "", "got null"),
        ("a.yaml", "[a: b", "cannot be read"),
        ("a.yaml", "[a]: b", "cannot be read"),
        ("a.json", "{", "cannot be read"),
        ("a.json", "[" * 100_000, "cannot be read"),
        ("a.yaml", "!!python/object/apply:os.system ['false']", "cannot be read"),
        ("a.tsv", "dogs\n", "line 1: a line must be a name, a tab and a text"),
        ("a.tsv", "dogs\ta\n\ncats\tb\n", "line 2"),
        ("a.txt", "dogs\ta\n", ".yaml, .yml, .json, .tsv"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(DataError, match=message):
        read_routes(tmp_path / name)
    with pytest.raises(DataError, match="no file"):
        read_routes(tmp_path / "none.yaml")


EXAMPLES = [("A dog, running", "dogs"), ("A cat", "cats"), ("Rain", None)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", "query\troute\nA dog, running\tdogs\nA cat\tcats\nRain\t\n"),
        ("a.tsv", "A dog, running\tdogs\nA cat\tcats\nRain\t\n"),
        ("a.csv", 'id,intent,text\n1,dogs,"A dog, running"\n2,cats,A cat\n3,,Rain\n'),
        (
            "a.jsonl",
            '{"query": "A dog, running", "route": "dogs"}\n{"query": "A cat", "route": "cats"}\n'
            '{"query": "Rain", "route": null}\n',
        ),
    ],
)
def test_examples_are_read_from_any_table(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    assert read_route_examples(tmp_path / name) == EXAMPLES


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tsv", "A dog\tdogs\tx\n", "no header with `query` and `route`.* has 3 columns"),
        ("a.tsv", "query\tname\nA dog\tdogs\n", "no route .route, label, intent, category"),
        ("a.jsonl", '{"query": "A dog", "route": 3}\n', "Line 1 .* got 'A dog' and 3"),
        ("a.jsonl", '{"query": "A dog", "route": "dogs"}\n{', "Line 2 of .* Invalid JSON"),
    ],
)
def test_examples_that_are_wrong_are_named(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content, "utf-8")
    with pytest.raises(DataError, match=message):
        read_route_examples(tmp_path / name)
