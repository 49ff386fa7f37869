"""``GET /health``, ``/ready``, ``/metrics`` and ``/version``: what those ask who run the server."""

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from headwise.serving.errors import SERVER_ERROR, ApiError
from headwise.serving.metrics import CONTENT_TYPE, Metrics
from headwise.serving.responses import json_response
from headwise.serving.service import TheService
from headwise.version import __version__

router = APIRouter(tags=["Operation"])

_PACKAGES = ("torch", "transformers", "tokenizers")


@router.get("/health", summary="Whether the server is alive")
async def health() -> Response:
    """Answers 200 for as long as the process answers at all."""
    return json_response({"status": "ok"})


@router.get("/ready", summary="Whether all models are loaded and requests are taken")
async def ready(request: Request, service: TheService) -> Response:
    """Answers 200, or 503 with what is missing: while models load, if one cannot be, or at the end.

    ``status`` is ``ready``, ``loading``, ``failed`` or ``stopping``.
    """
    missing = service.missing
    if request.app.state.places.stopping or service.stopping:
        return _not_ready("stopping", missing, "The server is stopping.")
    if service.failure is not None:
        said = f"{missing[0]} could not be loaded: {service.failure}"
        return _not_ready("failed", missing, said)
    if missing:
        said = f"Still to be loaded: {', '.join(missing)}."
        return _not_ready("loading", missing, said)
    return json_response({"status": "ready", "missing": []})


def _not_ready(status: str, missing: list[str], message: str) -> Response:
    error = ApiError(503, message, kind=SERVER_ERROR, code=status)
    said = {"status": status, "missing": missing, **error.body()}
    return json_response(said, status=503, headers={"Retry-After": "1"})


@router.get("/metrics", summary="Numbers for Prometheus")
async def metrics(request: Request, service: TheService) -> Response:
    """Requests, queues, batches and streams, in Prometheus' text format."""
    numbers: Metrics = request.app.state.metrics
    models = (service.quality, service.entailment)
    text = numbers.text(one.thread for one in models if one is not None)
    return Response(text, media_type=CONTENT_TYPE)


@router.get("/version", summary="Versions, and the models that are served")
async def versions(service: TheService) -> Response:
    """Of headwise and what it stands on, and the names of models with what they are for."""
    settings = service.settings
    models = ((settings.model, "language model"), (settings.entailment, "encoder"))
    said: dict[str, Any] = {"headwise": __version__, "python": platform.python_version()}
    said |= {name: _version(name) for name in _PACKAGES}
    said["models"] = [{"name": name, "kind": kind} for name, kind in models if name is not None]
    return json_response(said)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
