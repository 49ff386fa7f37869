"""What goes wrong with a request, as OpenAI's servers say it.

Every error is ``{"error": {"message", "type", "param", "code"}}``
(https://platform.openai.com/docs/guides/error-codes).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from headwise.errors import ContextLengthError, HeadwiseError, InputError
from headwise.serving.responses import json_response

Result = TypeVar("Result")

INVALID_REQUEST, SERVER_ERROR = "invalid_request_error", "server_error"


class ApiError(Exception):
    """A request that is not answered.

    Args:
        status: The status of the answer.
        message: What was received, what is allowed, what to do.
        kind: Of the error, by which clients tell errors apart.
        param: The field that is wrong.
        code: A name of the error for programs.
        headers: Of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = INVALID_REQUEST,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.kind = status, message, kind
        self.param, self.code, self.headers = param, code, headers

    @classmethod
    def of(cls, error: BaseException, *, param: str | None = None) -> "ApiError":
        """One of headwise's own errors, about a field of the request.

        Texts that cannot be read are 422, and other wishes that cannot be met are 400.
        """
        if isinstance(error, ApiError):
            return error
        if isinstance(error, ContextLengthError):
            return cls(422, str(error), param=param, code="context_length_exceeded")
        if isinstance(error, InputError):
            return cls(422, str(error), param=param, code="invalid_text")
        return cls(400, str(error), param=param)

    def body(self) -> dict[str, object]:
        """What the answer says."""
        error = {"message": self.message, "type": self.kind, "param": self.param}
        return {"error": {**error, "code": self.code}}

    def response(self) -> Response:
        """The answer."""
        return json_response(self.body(), status=self.status, headers=self.headers)


@contextmanager
def wishes_of_client() -> Iterator[None]:
    """What the options of a request make impossible (`ValueError`) is an error of the request."""
    try:
        yield
    except ValueError as error:
        raise ApiError.of(error) from error


def all_answered(results: Iterable[Result | InputError], *, param: str | None) -> list[Result]:
    """The results, if no text among those of a field was unreadable.

    Raises:
        ApiError: For the first that was, by its place in the field.
    """
    good: list[Result] = []
    for place, result in enumerate(results):
        if isinstance(result, InputError):
            raise ApiError.of(result, param=None if param is None else f"{param}.{place}")
        good.append(result)
    return good


def add_error_handlers(app: FastAPI) -> None:
    """Let an app answer all errors alike; what has no handler is the access gate's."""

    @app.exception_handler(ApiError)
    async def _api_error(_: Request, error: ApiError) -> Response:
        return error.response()

    @app.exception_handler(HeadwiseError)
    async def _headwise_error(_: Request, error: HeadwiseError) -> Response:
        return ApiError.of(error).response()

    @app.exception_handler(RequestValidationError)
    async def _wrong_body(_: Request, error: RequestValidationError) -> Response:
        return _of_validation(error).response()

    @app.exception_handler(HTTPException)
    async def _http_error(request: Request, error: HTTPException) -> Response:
        said = {404: "There is nothing at", 405: f"{request.method} is not understood at"}
        start = said.get(error.status_code, f"{error.detail}:")
        message = f"{start} {request.url.path}; /docs lists what there is."
        return ApiError(error.status_code, message, headers=error.headers).response()


def _of_validation(error: RequestValidationError) -> ApiError:
    """The first thing that is wrong with a body, by the path of its field.

    Of a field that may be one of several things, it is what comes closest to one of them.
    """
    every = error.errors()
    of_field = [one for one in every if one["loc"][:2] == every[0]["loc"][:2]]
    first = max(of_field, key=lambda one: len(_path(one["loc"])))
    path = _path(first["loc"])
    param = ".".join(path) or None
    if first["type"] == "json_invalid":
        return ApiError(400, f"The body is not JSON: {first['ctx']['error']}.")
    if first["type"] == "extra_forbidden":
        return ApiError(400, f"Unrecognized request argument supplied: {param}", param=param)
    if first["type"] == "missing" and not path:
        return ApiError(400, "The body is missing; send a JSON object.")
    message = first["msg"].removeprefix("Value error, ")
    return ApiError(400, f"{param or 'The body'}: {message}.".replace("..", "."), param=param)


def _path(place: Sequence[object]) -> list[str]:
    return [str(part) for part in place[1:] if not _is_class(part)]


def _is_class(part: object) -> bool:
    """Whether a part of a path names a member of a union, and no field of the request."""
    return isinstance(part, str) and (part[:1].isupper() or "[" in part or part in _PLAIN)


_PLAIN = frozenset({"str", "int", "float", "bool", "list", "dict"})
