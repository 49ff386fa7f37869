"""Bodies of requests, read as schemas."""

from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from headwise.serving.schemas.base import Schema

Model = TypeVar("Model", bound=Schema)


async def read_json(request: Request, schema: type[Model]) -> Model:
    """The JSON object of a body, for routes that read other bodies as well.

    Raises:
        RequestValidationError: If it is something else.
    """
    try:
        return schema.model_validate_json(await request.body())
    except ValidationError as error:
        found: list[Any] = [
            {**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)
        ]
        raise RequestValidationError(found) from error


def json_body(schema: type[Schema], **others: dict[str, Any]) -> dict[str, Any]:
    """What OpenAPI says of a body that :func:`read_json` reads.

    Args:
        schema: Of the JSON object.
        others: What other media types hold, with ``_`` for ``/``.
    """
    ref = {"application/json": {"schema": schema.model_json_schema(mode="validation")}}
    media = {name.replace("_", "/"): said for name, said in others.items()}
    return {"requestBody": {"required": True, "content": {**ref, **media}}}
