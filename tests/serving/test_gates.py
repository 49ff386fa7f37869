"""The gates around an app, each with a small app behind it that shows what got through."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import Message

from headwise.serving.gates.access import ACCESS
from headwise.serving.gates.order import add_gates
from headwise.serving.gates.places import Places
from headwise.serving.logs import JsonLines, PlainLines
from headwise.serving.metrics import Metrics
from headwise.serving.settings import ServerSettings
from headwise.serving.work.counting import count_work


class Behind:
    """An app behind the gates, whose routes say what reaches them."""

    def __init__(self, **settings: Any) -> None:
        self.metrics = Metrics()
        told = ServerSettings(entailment=None, **settings)
        self.places = Places(told.max_concurrent_requests, self.metrics)
        self.release = asyncio.Event()
        self.cancelled = 0
        routes = [
            Route("/echo/{name}", self.echo, methods=["GET", "POST"]),
            Route("/wait", self.wait, methods=["POST"]),
            Route("/stream", self.stream),
            Route("/fail", self.fail),
            Route("/health", self.echo),
        ]
        self.app = Starlette(routes=routes)
        add_gates(self.app, told, metrics=self.metrics, places=self.places)

    async def echo(self, request: Request) -> Response:
        count_work(items=2, tokens=7)
        return PlainTextResponse(await request.body())

    async def wait(self, request: Request) -> Response:
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return PlainTextResponse(await request.body())

    async def stream(self, _: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                yield b"first"
                await self.release.wait()
                yield b"last"
            except asyncio.CancelledError:
                self.cancelled += 1
                raise

        return StreamingResponse(pieces())

    async def fail(self, _: Request) -> Response:
        raise RuntimeError("a bug")

    def client(self) -> TestClient:
        return TestClient(self.app)

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


class Connection:
    """One request as a server hands it to an app, with what it sends and receives in our hands."""

    def __init__(self, app: Any, path: str, *, method: str = "POST", **headers: str) -> None:
        self.sent: list[Message] = []
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.takes = asyncio.Event()
        self.takes.set()
        raw = [(name.replace("_", "-").encode(), v.encode()) for name, v in headers.items()]
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "headers": raw,
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "client": ("127.0.0.9", 1),
            "server": ("test", 80),
            "http_version": "1.1",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
        }
        self.task = asyncio.create_task(app(scope, self.incoming.get, self._take))

    async def _take(self, message: Message) -> None:
        await self.takes.wait()
        self.sent.append(message)

    def body(self, piece: bytes, *, more: bool = False) -> None:
        self.incoming.put_nowait({"type": "http.request", "body": piece, "more_body": more})

    def leave(self) -> None:
        self.incoming.put_nowait({"type": "http.disconnect"})

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def header(self) -> dict[str, str]:
        return {name.decode().lower(): v.decode() for name, v in self.sent[0]["headers"]}

    @property
    def answer(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 10))  # type: ignore[arg-type]


def error_of(response: Any) -> dict[str, Any]:
    found: dict[str, Any] = response.json()["error"]
    assert set(found) == {"message", "type", "param", "code"}
    return found


# Access


@pytest.mark.parametrize(
    ("given", "taken"),
    [("abc-123", True), ("a" * 128, True), ("a" * 129, False), ("a b", False), ("é", False)],
)
def test_request_ids_that_are_sane_are_taken(given: str, taken: bool) -> None:
    client = Behind().client()
    found, other = (
        client.get("/echo/x", headers={"X-Request-ID": given.encode("latin-1")}).headers[
            "x-request-id"
        ]
        for _ in range(2)
    )
    assert (found == given) is taken
    # Made ones differ, and nobody has to guess where one ends
    assert (found == other) is taken
    assert re.fullmatch(r"[!-~]+", found)


class Kept(logging.Handler):
    """Keeps the records of requests."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler, level = Kept(), ACCESS.level
    ACCESS.addHandler(handler)
    ACCESS.setLevel(logging.INFO)
    yield handler
    ACCESS.removeHandler(handler)
    ACCESS.setLevel(level)


def test_a_request_is_one_line_without_its_texts(kept: Kept) -> None:
    client = Behind().client()
    client.post("/echo/secret", content="secret text", headers={"X-Request-ID": "id-1"})
    client.get("/nowhere/secret")
    client.get("/health")  # a probe
    echo, nowhere = [json.loads(JsonLines().format(record)) for record in kept.records]
    seconds = echo.pop("seconds")
    assert 0 < seconds < 5
    assert {**echo, "time": "", "client": ""} == {
        "time": "",
        "level": "info",
        "event": "request",
        "request_id": "id-1",
        "method": "POST",
        "route": "/echo/{name}",
        "status": 200,
        "bytes": 11,
        "items": 2,
        "tokens": 7,
        "client": "",
    }
    assert (nowhere["route"], nowhere["status"], nowhere["items"]) == ("unmatched", 404, 0)
    plain = PlainLines().format(kept.records[0])
    assert "POST /echo/{name} 200" in plain
    assert "2 items, 7 tokens" in plain
    assert "secret" not in plain + json.dumps([echo, nowhere])


def test_requests_are_counted_by_route_method_and_status() -> None:
    behind = Behind()
    client = behind.client()
    for name in ("a", "b"):
        client.post(f"/echo/{name}")
    client.get("/nowhere")
    client.request("ODD17", "/nowhere")
    labels = {"route": "unmatched", "method": "OTHERS", "status": "404"}
    assert behind.value("headwise_http_requests_total", **labels) == 1
    labels = {"route": "/echo/{name}", "method": "POST", "status": "200"}
    assert behind.value("headwise_http_requests_total", **labels) == 2
    labels = {"route": "unmatched", "method": "GET", "status": "404"}
    assert behind.value("headwise_http_requests_total", **labels) == 1
    assert behind.value("headwise_http_request_seconds_count", route="/echo/{name}") == 2
    assert behind.value("headwise_http_requests_in_flight") == 0
    assert b"headwise_http_requests_total" in behind.metrics.text()


def test_what_nobody_caught_is_an_error_with_the_request_id() -> None:
    behind = Behind()
    response = behind.client().get("/fail", headers={"X-Request-ID": "id-2"})
    assert response.status_code == 500
    assert response.headers["x-request-id"] == "id-2"
    found = error_of(response)
    assert "id-2" in found["message"]
    assert "a bug" not in found["message"]
    assert behind.places.taken == 0


# Keys


KEYS = ("first-key", "second-key")


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        ("/echo/x", "Bearer first-key", 200),
        ("/echo/x", "bearer second-key", 200),
        ("/echo/x", "Bearer first-ke", 401),
        ("/echo/x", "Bearer first-keyy", 401),
        ("/echo/x", "Bearer ", 401),
        ("/echo/x", "Basic first-key", 401),
        ("/echo/x", None, 401),
        ("/metrics", None, 401),
        ("/health", None, 200),
        ("//health", None, 401),
        ("/health/../echo/x", None, 401),
    ],
)
def test_keys_open_what_is_not_open(path: str, header: str | None, status: int) -> None:
    async def test() -> None:
        headers = {} if header is None else {"authorization": header}
        connection = Connection(Behind(api_keys=KEYS).app, path, method="GET", **headers)
        connection.body(b"")
        await connection.task
        assert connection.status == status
        if status == 401:
            found = json.loads(connection.answer)["error"]
            assert found["code"] == "invalid_api_key"
            assert connection.header["www-authenticate"] == "Bearer"
            assert "first" not in found["message"]

    run(test)


def test_without_keys_everybody_may_ask() -> None:
    assert Behind().client().get("/echo/x").status_code == 200


# Bodies


def test_a_body_within_bounds_arrives_whole() -> None:
    behind = Behind(max_body_bytes=1024)
    assert behind.client().post("/echo/x", content=b"a" * 1024).content == b"a" * 1024


def test_a_large_body_is_refused_before_it_is_read() -> None:
    async def test() -> None:
        connection = Connection(Behind(max_body_bytes=1024).app, "/echo/x", content_length="1025")
        await connection.task  # nothing was ever sent
        assert connection.status == 413
        found = json.loads(connection.answer)["error"]
        assert "1,025 bytes" in found["message"]
        assert "1,024" in found["message"]

    run(test)


def test_a_large_body_is_refused_without_a_length_and_piece_by_piece() -> None:
    async def test() -> None:
        connection = Connection(Behind(max_body_bytes=1024).app, "/echo/x")
        connection.body(b"a" * 600, more=True)
        connection.body(b"a" * 600, more=True)  # and more would come
        await connection.task
        assert connection.status == 413

    run(test)


def test_a_slow_sender_is_refused_and_held_no_place() -> None:
    async def test() -> None:
        behind = Behind(body_seconds=0.05)
        connection = Connection(behind.app, "/echo/x")
        connection.body(b"a", more=True)
        await asyncio.sleep(0.01)
        assert behind.places.taken == 0
        await connection.task
        assert connection.status == 408
        assert connection.header["connection"] == "close"

    run(test)


def test_all_bodies_together_have_a_bound() -> None:
    async def test() -> None:
        behind = Behind(max_body_bytes=1024)
        waiting = [Connection(behind.app, "/wait") for _ in range(32)]
        for connection in waiting:
            connection.body(b"a" * 1024)
        await until(lambda: behind.places.taken == 32)
        late = Connection(behind.app, "/echo/x")
        late.body(b"a")
        await late.task
        assert late.status == 429
        behind.release.set()
        await asyncio.gather(*(connection.task for connection in waiting))
        assert {connection.status for connection in waiting} == {200}
        after = Connection(behind.app, "/echo/x")
        after.body(b"a" * 1024)
        await after.task
        assert after.status == 200

    run(test)


@pytest.mark.parametrize("path", ["/wait", "/stream"])
def test_a_client_that_leaves_frees_its_place(path: str) -> None:
    async def test() -> None:
        behind = Behind()
        method = "POST" if path == "/wait" else "GET"
        connection = Connection(behind.app, path, method=method)
        connection.body(b"")
        await until(lambda: behind.places.taken == 1 and (path == "/wait" or connection.sent))
        connection.leave()
        await connection.task
        assert (behind.places.taken, behind.cancelled) == (0, 1)
        status = "499" if path == "/wait" else "200"
        labels = {"route": path, "method": method, "status": status}
        assert behind.value("headwise_http_requests_total", **labels) in (1, None)

    run(test)


def test_a_client_that_takes_nothing_is_given_up() -> None:
    async def test() -> None:
        behind = Behind(send_seconds=0.05)
        connection = Connection(behind.app, "/stream", method="GET")
        connection.takes.clear()
        connection.body(b"")
        await connection.task
        assert behind.places.taken == 0

    run(test)


def test_what_is_left_to_do_after_an_answer_is_done() -> None:
    """A server says `http.disconnect` after a whole answer; that is no client who left."""

    async def test() -> None:
        behind, done = Behind(), asyncio.Event()

        async def later() -> None:
            connection.leave()
            await asyncio.sleep(0.01)
            done.set()

        async def answer(_: Request) -> Response:
            return PlainTextResponse("whole", background=BackgroundTask(later))

        behind.app.routes.append(Route("/later", answer))
        connection = Connection(behind.app, "/later", method="GET")
        connection.body(b"")
        await connection.task
        assert done.is_set()
        assert connection.answer == b"whole"

    run(test)


# Places


def test_more_requests_than_places_are_told_when_to_come_back() -> None:
    async def test() -> None:
        behind = Behind(max_concurrent_requests=2)
        first = [Connection(behind.app, "/wait") for _ in range(2)]
        for connection in first:
            connection.body(b"mine")
        await until(lambda: behind.places.taken == 2)
        late = Connection(behind.app, "/echo/x")
        late.body(b"")
        probe = Connection(behind.app, "/health", method="GET")
        probe.body(b"")
        await asyncio.gather(late.task, probe.task)
        assert (late.status, probe.status) == (429, 200)
        assert 1 <= int(late.header["retry-after"]) <= 60
        assert json.loads(late.answer)["error"]["code"] == "too_many_requests"
        assert behind.value("headwise_http_requests_in_work") == 2
        behind.release.set()
        await asyncio.gather(*(connection.task for connection in first))
        assert [connection.answer for connection in first] == [b"mine"] * 2
        assert behind.value("headwise_http_requests_in_work") == 0

    run(test)


def test_the_time_to_come_back_follows_latencies() -> None:
    async def test() -> None:
        places = Places(1, Metrics())
        task = asyncio.current_task()
        assert task is not None
        for _ in range(100):
            places.enter(task)
            places.leave(task, 7.5)
        assert places.retry_after == "8"
        for _ in range(100):
            places.enter(task)
            places.leave(task, 1000.0)
        assert places.retry_after == "60"

    run(test)


def test_a_stream_holds_its_place_until_the_last_byte() -> None:
    async def test() -> None:
        behind = Behind()
        connection = Connection(behind.app, "/stream", method="GET")
        connection.body(b"")
        await until(lambda: connection.answer == b"first")
        assert behind.places.taken == 1
        behind.release.set()
        await connection.task
        assert (connection.answer, behind.places.taken) == (b"firstlast", 0)

    run(test)


def test_a_stopping_server_ends_what_it_began_and_begins_nothing() -> None:
    async def test() -> None:
        behind = Behind()
        running = Connection(behind.app, "/stream", method="GET")
        running.body(b"")
        await until(lambda: running.sent)
        behind.places.stop()
        late = Connection(behind.app, "/echo/x")
        late.body(b"")
        await late.task
        assert late.status == 503
        assert {"retry-after", "connection"} <= late.header.keys()
        emptied = asyncio.create_task(behind.places.emptied(5))
        await asyncio.sleep(0.01)
        assert not emptied.done()
        behind.release.set()
        await emptied
        assert running.answer == b"firstlast"

    run(test)


def test_what_does_not_end_in_time_is_cut_off() -> None:
    async def test() -> None:
        behind = Behind()
        waiting = Connection(behind.app, "/wait")
        streaming = Connection(behind.app, "/stream", method="GET")
        for connection in (waiting, streaming):
            connection.body(b"")
        await until(lambda: behind.places.taken == 2 and streaming.answer)
        behind.places.stop()
        await behind.places.emptied(0.02)
        await asyncio.gather(waiting.task, streaming.task)
        assert (waiting.status, behind.cancelled, behind.places.taken) == (503, 2, 0)
        # The stream has no end, so that nobody takes it for whole
        assert streaming.sent[-1]["more_body"]

    run(test)


# Other origins


def test_other_origins_may_ask_only_if_they_were_named() -> None:
    preflight = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    allowed = Behind(cors_origins=("https://a.example",), api_keys=KEYS).client()
    response = allowed.options("/echo/x", headers=preflight)
    assert response.headers["access-control-allow-origin"] == "https://a.example"
    refused = allowed.post("/echo/x", headers={"Origin": "https://a.example"})
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://a.example"
    other = allowed.options("/echo/x", headers=preflight | {"Origin": "https://b.example"})
    assert "access-control-allow-origin" not in other.headers
    closed = Behind().client().options("/echo/x", headers=preflight)
    assert "access-control-allow-origin" not in closed.headers


def test_one_short_request_costs_little() -> None:
    """Well under a millisecond for all gates together."""

    async def test() -> None:
        behind = Behind(api_keys=KEYS)
        loop = asyncio.get_running_loop()
        seconds = []
        for _ in range(200):
            start = loop.time()
            connection = Connection(behind.app, "/echo/x", authorization="Bearer first-key")
            connection.body(b"{}")
            await connection.task
            seconds.append(loop.time() - start)
            assert connection.status == 200
        assert sorted(seconds)[100] < 0.001

    run(test)
