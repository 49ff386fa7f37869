"""The ASGI app: a service, its routes, and what stands in front of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from headwise.serving.draining import draining
from headwise.serving.errors import add_error_handlers
from headwise.serving.gates.order import add_gates
from headwise.serving.gates.places import Places
from headwise.serving.metrics import Metrics
from headwise.serving.routes import ROUTERS
from headwise.serving.service import Service
from headwise.serving.settings import ServerSettings
from headwise.version import __version__

if TYPE_CHECKING:
    from headwise.entailment import EntailmentModel
    from headwise.quality import QualityEstimator


def create_app(
    settings: ServerSettings | None = None,
    *,
    quality: "QualityEstimator | None" = None,
    entailment: "EntailmentModel | None" = None,
) -> FastAPI:
    """Make an app that serves models, for any ASGI server.

    Models are loaded when the app starts, in a thread: it answers ``/health`` at once and other
    requests when they are there.

    Args:
        settings: By default, those of the environment, as ``headwise serve`` leaves them for its
            workers, else the bundled models.
        quality: A language model that is loaded already; it is called ``settings.model``.
        entailment: An encoder that is loaded already; it is called ``settings.entailment``.
    """
    settings = settings or ServerSettings.from_environment()
    metrics = Metrics()
    places = Places(settings.max_concurrent_requests, metrics)
    service = Service(settings, quality=quality, entailment=entailment, observer=metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with draining(places, settings.drain_seconds):
            service.start()
            yield
            await run_in_threadpool(service.stop)

    app = FastAPI(
        title="headwise",
        version=__version__,
        lifespan=lifespan,
        # FastAPI's own pages load scripts from elsewhere
        docs_url=None,
        redoc_url=None,
    )
    app.state.service, app.state.places, app.state.metrics = service, places, metrics
    add_error_handlers(app)
    for router in ROUTERS:
        # The routes themselves: routers within routers would cost each request half a millisecond
        app.router.routes.extend(router.routes)
    add_gates(app, settings, metrics=metrics, places=places)
    return app
