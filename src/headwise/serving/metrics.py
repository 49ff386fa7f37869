"""Numbers for Prometheus, in a registry of each app's own.

Under several workers, Prometheus' client keeps numbers in the folder that
``PROMETHEUS_MULTIPROC_DIR`` names (``headwise serve --workers`` makes one), and every worker
answers for all of them: https://prometheus.github.io/client_python/multiprocess/
"""

import os
from collections.abc import Iterable
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from headwise.serving.work.observer import WorkObserver

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_WAITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_TOKENS = (16, 64, 256, 1024, 4096, 16384, 65536)
_ITEMS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class WatchedThread(Protocol):
    """What is asked about a model's thread when numbers are read."""

    @property
    def name(self) -> str:
        """Of the model."""

    @property
    def waiting(self) -> int:
        """Texts and calls that wait for a turn."""

    @property
    def streams(self) -> int:
        """Streams that are open."""


class Metrics(WorkObserver):
    """What one app counts.

    Attributes:
        registry: Where the numbers are.
        in_flight: Requests between their first byte and the last one of their answer.
        in_work: Those of them that hold a place.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        if not _in_files():
            ProcessCollector(registry=self.registry)
        gauge, histogram = self._gauge, self._histogram
        self._requests = self._counter(
            "headwise_http_requests",
            "Requests that were answered; status 499: the client went away.",
            *("route", "method", "status"),
        )
        self._latency = histogram(
            "headwise_http_request_seconds",
            "From a request's headers to the last byte of its answer.",
            "route",
            _SECONDS,
        )
        self.in_flight = gauge(
            "headwise_http_requests_in_flight", "Requests that are read, worked on, or answered."
        )
        self.in_work = gauge(
            "headwise_http_requests_in_work", "Requests that hold one of the server's places."
        )
        self._waiting = gauge("headwise_queue_length", "Texts and calls that wait.", "model")
        self._waits = histogram(
            "headwise_queue_wait_seconds",
            "From a text's arrival to its batch, of the one that waited longest.",
            "model",
            _WAITS,
        )
        self._batch_seconds = histogram(
            "headwise_batch_seconds", "That a batch took.", "model", _WAITS
        )
        self._batch_tokens = histogram(
            "headwise_batch_tokens", "Tokens of a batch.", "model", _TOKENS
        )
        self._batch_items = histogram("headwise_batch_items", "Texts of a batch.", "model", _ITEMS)
        self._streams = gauge("headwise_streams_open", "Streams that are open.", "model")
        self._generated = self._counter(
            "headwise_generated_tokens", "Tokens that were generated.", "model"
        )

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request that is done."""
        self._requests.labels(route, method, str(status)).inc()
        self._latency.labels(route).observe(seconds)

    def batch(self, model: str, *, items: int, tokens: int, seconds: float, waited: float) -> None:
        """Count a batch; its first item had waited so long."""
        self._batch_items.labels(model).observe(items)
        self._batch_tokens.labels(model).observe(tokens)
        self._batch_seconds.labels(model).observe(seconds)
        self._waits.labels(model).observe(waited)

    def step(self, model: str) -> None:
        """Count a step of a stream, which is a token."""
        self._generated.labels(model).inc()

    def text(self, threads: Iterable[WatchedThread] = ()) -> bytes:
        """All numbers in Prometheus' text format, with the queues of models as they are now."""
        for thread in threads:
            self._waiting.labels(thread.name).set(thread.waiting)
            self._streams.labels(thread.name).set(thread.streams)
        if not _in_files():
            return generate_latest(self.registry)
        of_all_workers = CollectorRegistry()
        MultiProcessCollector(of_all_workers)  # type: ignore[no-untyped-call]
        return generate_latest(of_all_workers)

    def _counter(self, name: str, help_: str, *labels: str) -> Counter:
        return Counter(name, help_, labels, registry=self.registry)

    def _gauge(self, name: str, help_: str, *labels: str) -> Gauge:
        return Gauge(name, help_, labels, registry=self.registry, multiprocess_mode="livesum")

    def _histogram(
        self, name: str, help_: str, label: str, buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(name, help_, (label,), registry=self.registry, buckets=buckets)


def _in_files() -> bool:
    return "PROMETHEUS_MULTIPROC_DIR" in os.environ
