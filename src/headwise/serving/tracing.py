"""Traces of requests for OpenTelemetry, if they are asked for.

The wire is OTLP over HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from starlette.applications import Starlette

_PROBES = "health$,ready$,metrics$"


def add_tracing(
    app: "Starlette", endpoint: str, *, exporter: "SpanExporter | None" = None
) -> "TracerProvider":
    """Have an app make a span of each request; probes have none.

    A trace that a client has begun (``traceparent``) goes on. Spans have no texts: neither bodies
    nor the names of clients' headers are in them.

    Args:
        app: To be traced.
        endpoint: Of a collector, as ``http://localhost:4318``; traces go to ``/v1/traces`` there,
            or to the path that it names.
        exporter: What takes the spans instead, for tests.

    Returns:
        What makes the spans, and sends them every few seconds and when the process ends.
    """
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.util.http import parse_excluded_urls

    if exporter is None:
        whole = urlsplit(endpoint).path not in ("", "/")
        address = endpoint if whole else f"{endpoint.removesuffix('/')}/v1/traces"
        exporter = OTLPSpanExporter(address)
    provider = TracerProvider(resource=Resource.create({"service.name": "headwise"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    app.add_middleware(
        OpenTelemetryMiddleware,
        excluded_urls=parse_excluded_urls(_PROBES),
        tracer_provider=provider,
        exclude_spans=["receive", "send"],  # one span a request, not one a chunk
    )
    return provider
