"""``headwise serve`` in a process of its own: its start, its log, and its end by signals."""

import http.client
import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from running import Started, started
from typer.testing import CliRunner

from headwise.cli.main import app
from headwise.errors import ServingError

LINE = json.dumps(["Two dogs play.", "Zwei Hunde spielen."]).encode() + b"\n"
LINES = 2_000
KEY = {"Authorization": "Bearer the-key"}


@contextmanager
def server(folder: Path, *options: str) -> Iterator[tuple[Started, int]]:
    """A server that is ready, and its port."""
    (folder / "keys").write_text("the-key\n", encoding="utf-8")
    arguments = ("--port", "0", "--api-key-file", "keys", "--entailment", "none", *options)
    with started("serve", *arguments, cwd=folder) as process:
        deadline = time.monotonic() + 120
        while not (found := re.search(r"Ready after .* http://127.0.0.1:(\d+)/", process.messages)):
            assert process.end(0.05) is None, process.messages
            assert time.monotonic() < deadline, process.messages
        yield process, int(found[1])


def ask(port: int, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, KEY | headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())


@contextmanager
def streaming(port: int) -> Iterator[tuple[http.client.HTTPResponse, bytes]]:
    """A stream of answers that has begun, and that takes a while, with its first line."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        headers = KEY | {"Content-Type": "application/x-ndjson"}
        connection.request("POST", "/v1/score?level=sentence", LINE * LINES, headers)
        response = connection.getresponse()
        assert response.status == 200
        yield response, response.readline()


def test_a_server_starts_answers_logs_and_drains(tmp_path: Path) -> None:
    with server(tmp_path, "--drain-seconds", "100") as (process, port):
        pair = {"source": "A secret dog.", "hypothesis": "Ein geheimer Hund."}
        status, answer = ask(port, "POST", "/v1/score", pair, **{"X-Request-ID": "mine"})
        assert (status, answer["data"][0]["hypothesis"]) == (200, "Ein geheimer Hund.")
        assert ask(port, "POST", "/v1/score", pair, Authorization="Bearer no")[0] == 401
        with streaming(port) as (response, first):
            process.send(signal.SIGTERM)
            deadline = time.monotonic() + 10
            while ask(port, "GET", "/ready")[1]["status"] != "stopping":
                assert time.monotonic() < deadline
            status, refused = ask(port, "POST", "/v1/score", pair)
            assert (status, refused["error"]["code"]) == (503, "stopping")
            assert first + response.read() == first * LINES
        assert process.end() == 0, process.messages
    lines = [json.loads(line) for line in process.output.splitlines()]
    assert [(one["status"], one["items"]) for one in lines] == [
        *((200, 1), (401, 0), (503, 0), (200, LINES))
    ]
    assert lines[0]["request_id"] == "mine"
    assert lines[0]["tokens"] > 5
    for secret in ("geheim", "secret", "the-key"):
        assert secret not in process.output + process.messages
    assert "Traceback" not in process.messages


def test_what_does_not_end_in_time_is_cut_off(tmp_path: Path) -> None:
    with server(tmp_path, "--drain-seconds", "0.2") as (process, port), streaming(port) as stream:
        process.send(signal.SIGINT)
        with pytest.raises(http.client.IncompleteRead):
            stream[0].read()
        assert process.end() == 0, process.messages


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with server(tmp_path) as (process, port), streaming(port):
        process.send(signal.SIGTERM)
        while "Stopping" not in process.messages:
            time.sleep(0.01)
        process.send(signal.SIGTERM)
        assert process.end(5) == 128 + signal.SIGTERM


def test_a_model_that_cannot_be_loaded_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.json").write_text("{}", encoding="utf-8")
    options = ("--port", "0", "--entailment", "none", "--log-format", "text")
    with started("serve", "-m", "broken", *options, cwd=tmp_path) as process:
        assert process.end() == 1
        last = process.messages.splitlines()[-1]
        assert last.startswith("Error: broken could not be loaded: ")
        assert "Traceback" not in process.messages


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["serve", "--port", str(port)])
    assert isinstance(result.exception, ServingError)
    assert f"port {port}: Address already in use" in str(result.exception)


@pytest.mark.slow
def test_workers_share_a_port_their_numbers_and_their_end(tmp_path: Path) -> None:
    with server(tmp_path, "--workers", "2") as (process, port):
        for _ in range(20):
            assert ask(port, "POST", "/v1/score", {"texts": ["Ein Hund."]})[0] in (200, 503)
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request("GET", "/metrics", headers=KEY)
            numbers = connection.getresponse().read().decode()
        counted = re.findall(r"requests_total\{.*/v1/score.*\} (\d+)", numbers)
        assert sum(map(int, counted)) == 20
        process.send(signal.SIGTERM)
        assert process.end() == 0, process.messages
