"""``GET /v1/models``: the models that are served, in OpenAI's shape.

See https://platform.openai.com/docs/api-reference/models.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from headwise.data.records.signals import Signal
from headwise.serving.errors import ApiError
from headwise.serving.responses import json_response
from headwise.serving.service import Service, TheService

router = APIRouter(tags=["Models"])


@router.get("/v1/models", summary="The models that are served")
async def models(service: TheService) -> Response:
    """List the language model and the encoder, once they are loaded.

    ``headwise`` says what each is and, of the language model, which signals it gives, the default
    first, and what ``quality`` is made of; ``max_model_len`` is vLLM's name of its context in
    tokens.
    """
    return json_response({"object": "list", "data": _served(service)})


@router.get("/v1/models/{name:path}", summary="One of them")
async def model(
    name: Annotated[str, Path(examples=["tiny-en-de"])], service: TheService
) -> Response:
    """One model by its name."""
    for one in (found := _served(service)):
        if one["id"] == name:
            return json_response(one)
    names = ", ".join(one["id"] for one in found) or "none, they are still being loaded"
    raise ApiError(
        404,
        f"The model {name!r} does not exist; there are: {names}.",
        param="model",
        code="model_not_found",
    )


def _served(service: Service) -> list[dict[str, Any]]:
    found = []
    if (quality := service.quality) is not None:
        estimator = quality.estimator
        heads, calibration = estimator.heads, estimator.calibration
        ranked = sorted(Signal, key=lambda signal: signal is not estimator.default_signal)
        signals = [one.value for one in ranked if heads.can_give(one, calibration)]
        said: dict[str, Any] = {"kind": "language model", "signals": signals}
        if calibration is not None and Signal.QUALITY in signals:
            said["quality"] = calibration.described
        length = estimator.backbone.max_length
        found.append(_model(quality.name, quality.created, length, said))
    if (entailment := service.entailment) is not None:
        said = {"kind": "encoder"}
        length = entailment.model.backbone.max_length
        found.append(_model(entailment.name, entailment.created, length, said))
    return found


def _model(name: str, created: int, length: int | None, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "headwise",
        "max_model_len": length,
        "headwise": said,
    }
