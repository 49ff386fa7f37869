"""Traces: a span for each request and none for probes, sent to a collector over HTTP."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from headwise.serving.tracing import add_tracing


def small_app() -> Starlette:
    async def answer(_: Request) -> Response:
        return PlainTextResponse("secret")

    paths = ("/v1/score", "/health", "/ready", "/metrics")
    return Starlette(routes=[Route(path, answer, methods=["GET", "POST"]) for path in paths])


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """The address of a collector, and what it has received."""
    received: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            received.append((self.path, self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", received
    server.shutdown()
    server.server_close()


def test_spans_of_requests_go_on_with_the_trace_of_the_client() -> None:
    app, kept = small_app(), InMemorySpanExporter()
    provider = add_tracing(app, "http://nowhere.invalid", exporter=kept)
    client = TestClient(app)
    trace = "0af7651916cd43dd8448eb211c80319c"
    client.post("/v1/score", headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    for path in ("/health", "/ready", "/metrics"):
        client.get(path)
    provider.force_flush()
    (span,) = kept.get_finished_spans()
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == trace
    assert span.resource.attributes["service.name"] == "headwise"
    assert "secret" not in span.to_json()


@pytest.mark.parametrize(
    ("end", "path"), [("", "/v1/traces"), ("/", "/v1/traces"), ("/own/way", "/own/way")]
)
def test_spans_reach_a_collector(
    collector: tuple[str, list[tuple[str, bytes]]], end: str, path: str
) -> None:
    address, received = collector
    app = small_app()
    provider = add_tracing(app, address + end)
    TestClient(app).post("/v1/score")
    provider.force_flush()
    ((arrived, body),) = received
    assert arrived == path
    (spans,) = ExportTraceServiceRequest.FromString(body).resource_spans
    assert [span.name for span in spans.scope_spans[0].spans] == ["POST /v1/score"]
