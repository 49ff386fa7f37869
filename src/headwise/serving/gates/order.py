"""The gates around an app, in the order in which requests meet them."""

from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware

from headwise.serving.gates.access import AccessGate
from headwise.serving.gates.bodies import BodiesGate, BodyBounds
from headwise.serving.gates.keys import KeysGate
from headwise.serving.gates.places import Places, PlacesGate

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from headwise.serving.metrics import Metrics
    from headwise.serving.settings import ServerSettings


def add_gates(
    app: "Starlette", settings: "ServerSettings", *, metrics: "Metrics", places: Places
) -> None:
    """Put the gates around an app.

    A body is read before its request takes a place, so that who sends slowly holds none; what other
    origins may do is answered before keys are asked for, as browsers ask without them.
    """
    # The innermost first, as Starlette adds them
    app.add_middleware(PlacesGate, places=places)
    bounds = BodyBounds(
        largest=settings.max_body_bytes,
        read_seconds=settings.body_seconds,
        send_seconds=settings.send_seconds,
    )
    app.add_middleware(BodiesGate, bounds=bounds)
    if settings.api_keys:
        app.add_middleware(KeysGate, keys=settings.api_keys)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type", "X-Request-ID"),
            expose_headers=("X-Request-ID", "Retry-After"),
        )
    app.add_middleware(AccessGate, metrics=metrics)
    if settings.otlp_endpoint is not None:
        from headwise.serving.tracing import add_tracing

        add_tracing(app, settings.otlp_endpoint)
