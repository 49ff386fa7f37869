"""What a server answers, or why it does not."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2 as httpx

from headwise.backbones.addresses import is_address
from headwise.errors import StatesError

# What passes: too many requests, and what stands between a client and a server that starts
_PASSING = frozenset({429, 502, 503, 504})
_TRIES, _FIRST_WAIT = 5, 0.5
_SHOWN = 300


class Answers:
    """A server that answers over HTTP, asked by several threads at a time.

    Attributes:
        url: Its address, without a slash at the end.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        seconds: float = 600.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Nothing is asked yet.

        Args:
            url: ``http://host:8000``; a path ``/v1`` at its end is left out.
            api_key: Sent as a bearer token.
            seconds: How long an answer may take.
            transport: What carries requests, if not the network.
        """
        if not is_address(url):
            raise ValueError(f"The address of a server must begin with http:// or https://, {url=}")
        self.url = url.rstrip("/").removesuffix("/v1")
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
        self._client = httpx.Client(
            timeout=seconds, headers=headers, limits=limits, transport=transport
        )

    def get(self, path: str) -> dict[str, Any]:
        """The object that stands at a path.

        Raises:
            StatesError: If there is none.
        """
        return self._object(self._asked("GET", path))

    def has(self, path: str) -> bool:
        """Whether something stands at a path.

        Raises:
            StatesError: If the server cannot be reached.
        """
        return self._sent("GET", path, None).status_code == httpx.codes.OK

    def post(self, path: str, question: Mapping[str, Any]) -> bytes:
        """The body of an answer.

        Raises:
            StatesError: If the server refuses, fails, or cannot be reached.
        """
        return self._asked("POST", path, question).content

    def post_json(self, path: str, question: Mapping[str, Any]) -> Any:
        """The same, read as JSON."""
        answer = self._asked("POST", path, question)
        with self.reading():
            return answer.json()

    def listed(self, answer: Any) -> list[Any]:
        """An answer that must be a list."""
        if not isinstance(answer, list):
            raise StatesError(f"{self.url} must answer with a list, got {answer!r:.{_SHOWN}}")
        return answer

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn what goes wrong in reading an answer into an error that says whose it is."""
        try:
            yield
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise StatesError(
                f"{self.url} answers in a form that is not known ({type(error).__name__}: "
                f"{error!s:.{_SHOWN}}); name its kind, or see what its version answers."
            ) from error

    def _object(self, answer: httpx.Response) -> dict[str, Any]:
        with self.reading():
            found = answer.json()
            if not isinstance(found, dict):
                raise TypeError(f"an object was expected, not {found!r:.40}")
            return found

    def _asked(
        self, method: str, path: str, question: Mapping[str, Any] | None = None
    ) -> httpx.Response:
        answer = self._sent(method, path, question)
        if answer.status_code != httpx.codes.OK:
            raise StatesError(
                f"{self.url}{path} answers {answer.status_code}: {answer.text.strip()[:_SHOWN]}"
            )
        return answer

    def _sent(self, method: str, path: str, question: Mapping[str, Any] | None) -> httpx.Response:
        """An answer of any kind; what passes is waited for, a few seconds in all."""
        for attempt in range(_TRIES):
            last = attempt == _TRIES - 1
            try:
                answer = self._client.request(method, self.url + path, json=question)
            except httpx.TransportError as error:
                if last or isinstance(error, httpx.UnsupportedProtocol):
                    raise StatesError(
                        f"{self.url} cannot be reached ({type(error).__name__}: {error}); is the "
                        "server running, and is this its address?"
                    ) from error
            except httpx.InvalidURL as error:
                raise ValueError(f"{self.url!r} is no address of a server: {error}") from error
            else:
                if last or answer.status_code not in _PASSING:
                    return answer
            time.sleep(_FIRST_WAIT * 2**attempt)
        raise AssertionError  # the last attempt returns or raises
