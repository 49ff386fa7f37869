"""Answers whose JSON is that of the files: NaN is null, texts are as they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from headwise.data.writers import json_line

NDJSON = "application/x-ndjson"


def json_response(
    value: Mapping[str, Any] | Sequence[Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An object or a list as the body of an answer."""
    return Response(
        json_line(value),
        status_code=status,
        media_type="application/json",
        headers=None if headers is None else dict(headers),
    )
