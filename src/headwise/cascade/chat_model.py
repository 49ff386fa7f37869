"""A language model behind a server that speaks OpenAI's chat completions."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from headwise.backbones.states.http import Answers
from headwise.data.records.pairs import Pair
from headwise.errors import StageError, StatesError, TextError

if TYPE_CHECKING:
    import httpx2 as httpx

_MOST_SECONDS = 600.0
_KEY = "OPENAI_API_KEY"


class ChatModel:
    """Answers questions by asking a server.

    Attributes:
        url: The server's address.
        model: The model's name there.
        instruction: What it is sent; ``{source}`` stands for the question, names in braces for
            columns beside it.
        options: Other fields of a request.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        instruction: str = "{source}",
        api_key: str | None = None,
        seconds: float = _MOST_SECONDS,
        transport: "httpx.BaseTransport | None" = None,
        **options: Any,
    ) -> None:
        """Nothing is asked yet.

        Args:
            url: ``http://host:8000``; a path ``/v1`` at its end is left out.
            model: The model's name there.
            instruction: ``Translate into German: {source}``, for instance.
            api_key: Sent as a bearer token; by default the variable ``OPENAI_API_KEY``, if it is
                set.
            seconds: How long an answer may take.
            transport: What carries requests, if not the network.
            options: Fields of a request: ``temperature``, ``max_tokens``, ``seed``, ...

        Raises:
            ValueError: If `instruction` has no ``{source}``, or `url` is no address.
        """
        if "{source}" not in instruction:
            raise ValueError(
                f"`instruction` must have {{source}} where the question goes, got {instruction!r}."
            )
        self._server = Answers(
            url, api_key=api_key or os.environ.get(_KEY), seconds=seconds, transport=transport
        )
        self.url, self.model, self.instruction = self._server.url, model, instruction
        self.options = options

    @classmethod
    def named(cls, place: str, **options: Any) -> "ChatModel":
        """A model by its address and its name.

        Args:
            place: Both, as ``http://host:8000#NAME``.
            options: Those of the class.

        Args:
            place: The address, with the model's name behind ``#``.
            options: The other attributes.

        Raises:
            ValueError: If there is no name.
        """
        url, _, model = place.partition("#")
        if not model:
            raise ValueError(
                f"A model behind a server is named with its address and its name, as "
                f"http://host:8000#NAME, got {place!r}."
            )
        return cls(url, model, **options)

    def __call__(self, asked: Pair) -> str:
        """Ask; white space around the answer is left out.

        Raises:
            StageError: If the server refuses, fails, or cannot be reached.
            TextError: If it answers nothing.
        """
        question = {
            "model": self.model,
            "messages": [{"role": "user", "content": self._filled(asked)}],
            **self.options,
        }
        try:
            said = self._server.post_json("/v1/chat/completions", question)
            with self._server.reading():
                text = said["choices"][0]["message"]["content"]
        except StatesError as error:
            raise StageError(f"{self.model} did not answer: {error}") from error
        if not isinstance(text, str) or not text.strip():
            raise TextError(f"{self.model} answered nothing.")
        return text.strip()

    def content(self) -> Mapping[str, Any]:
        """Where it is, what it is called, and what it is sent."""
        return {"url": self.url, "model": self.model, "instruction": self.instruction} | (
            {"options": self.options} if self.options else {}
        )

    def _filled(self, asked: Pair) -> str:
        values = {**asked.extra, "source": asked.source}
        try:
            return self.instruction.format_map(values)
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise TextError(
                f"The instruction {self.instruction!r} cannot be filled in: there is no value for "
                f"{error}."
            ) from None
