"""How servers of language models are asked for the hidden states of token ids."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from headwise.backbones.states.http import Answers
from headwise.errors import StatesError


class StatesServer(Protocol):
    """A kind of server: what it is asked, and how its answers are read."""

    @property
    def kind(self) -> str:
        """Its name."""

    def model_name(self, answers: Answers) -> str | None:
        """The model that it serves, if it says so."""

    def longest(self, answers: Answers) -> int | None:
        """Tokens of the longest text that it reads, if it says so."""

    def states(
        self, answers: Answers, model: str | None, inputs: Sequence[Sequence[int]], width: int
    ) -> list[Tensor]:
        """Last hidden states of all positions of texts, one ``(T, H)`` each."""


@dataclass(frozen=True, slots=True)
class VllmServer:
    """vLLM's ``POST /pooling`` with the task ``token_embed``, float32 as bytes.

    The server is to run as ``vllm serve MODEL --runner pooling --convert embed --pooler-config
    '{"task": "token_embed"}'``. Its pooler would make vectors of unit length; it is told not to.
    """

    kind: str = "vllm"

    def model_name(self, answers: Answers) -> str | None:
        """The first model of its list."""
        return _first_model(answers).get("id")

    def longest(self, answers: Answers) -> int | None:
        """``max_model_len`` of that list."""
        return _first_model(answers).get("max_model_len")

    def states(
        self, answers: Answers, model: str | None, inputs: Sequence[Sequence[int]], width: int
    ) -> list[Tensor]:
        """Last hidden states of all positions of texts, one ``(T, H)`` each."""
        found = answers.post(
            "/pooling",
            {
                "model": model,
                "task": "token_embed",
                "input": [list(ids) for ids in inputs],
                "add_special_tokens": False,
                "use_activation": False,
                "encoding_format": "bytes_only",
                "embed_dtype": "float32",
                "endianness": "little",
            },
        )
        rows = [len(ids) for ids in inputs]
        if len(found) != sum(rows) * width * struct.calcsize("f"):
            raise StatesError(
                f"{answers.url} must give {width} float32 numbers for each of {sum(rows)} tokens, "
                f"got {len(found)} bytes: it serves another model, cuts texts, or leaves out what "
                "it has read before (--no-enable-prefix-caching)."
            )
        numbers = torch.frombuffer(bytearray(found), dtype=torch.float32)
        return list(numbers.view(-1, width).split(rows))


@dataclass(frozen=True, slots=True)
class SglangServer:
    """SGLang's ``POST /generate`` with ``return_hidden_states``, as lists of numbers.

    The server is to run with ``--enable-return-hidden-states --disable-radix-cache``.
    """

    kind: str = "sglang"

    def model_name(self, answers: Answers) -> str | None:
        """``model_path`` of ``GET /get_model_info``."""
        return _text(answers.get("/get_model_info").get("model_path"))

    def longest(self, answers: Answers) -> int | None:
        """``max_model_len`` of its list of models, as OpenAI's has it."""
        return _first_model(answers).get("max_model_len")

    def states(
        self, answers: Answers, model: str | None, inputs: Sequence[Sequence[int]], width: int
    ) -> list[Tensor]:
        """Last hidden states of all positions of texts, one ``(T, H)`` each."""
        del model, width
        found = answers.post_json(
            "/generate",
            {
                "input_ids": [list(ids) for ids in inputs],
                "sampling_params": {"max_new_tokens": 1, "temperature": 0.0},
                "return_hidden_states": True,
            },
        )
        return [_of_prefill(answers, one) for one in answers.listed(found)]


@dataclass(frozen=True, slots=True)
class LlamaCppServer:
    """llama.cpp's ``POST /embeddings``, which gives vectors of all tokens as they are.

    The server is to run as ``llama-server -m MODEL.gguf --embeddings --pooling none``.
    """

    kind: str = "llama.cpp"

    def model_name(self, answers: Answers) -> str | None:
        """The first model of its list."""
        return _text(_first_model(answers).get("id"))

    def longest(self, answers: Answers) -> int | None:
        """Its context, which ``GET /props`` tells."""
        settings = answers.get("/props").get("default_generation_settings")
        found = settings.get("n_ctx") if isinstance(settings, dict) else None
        return found if isinstance(found, int) else None

    def states(
        self, answers: Answers, model: str | None, inputs: Sequence[Sequence[int]], width: int
    ) -> list[Tensor]:
        """Last hidden states of all positions of texts, one ``(T, H)`` each."""
        del model, width
        question = {"content": [list(ids) for ids in inputs], "embd_normalize": -1}
        found = answers.listed(answers.post_json("/embeddings", question))
        with answers.reading():
            ordered = sorted(found, key=lambda one: int(one["index"]))
            return [torch.tensor(one["embedding"], dtype=torch.float32) for one in ordered]


SERVERS: dict[str, StatesServer] = {
    server.kind: server for server in (VllmServer(), SglangServer(), LlamaCppServer())
}


def server_of(answers: Answers, kind: str | None) -> StatesServer:
    """The kind of a server that is named, or that it turns out to be.

    Raises:
        ValueError: If there is no such kind.
        StatesError: If it is none of them.
    """
    if kind is not None:
        if kind not in SERVERS:
            raise ValueError(f"`server` must be one of {', '.join(SERVERS)}, got {kind!r}.")
        return SERVERS[kind]
    # What only one of them answers
    for path, found in (
        ("/get_model_info", "sglang"),
        ("/props", "llama.cpp"),
        ("/version", "vllm"),
    ):
        if answers.has(path):
            return SERVERS[found]
    raise StatesError(
        f"{answers.url} is none of {', '.join(SERVERS)}, as far as it can be told; name its kind."
    )


def _first_model(answers: Answers) -> dict[str, Any]:
    listed = answers.get("/v1/models").get("data")
    first = listed[0] if isinstance(listed, list) and listed else {}
    return first if isinstance(first, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _of_prefill(answers: Answers, one: Any) -> Tensor:
    """States of a text: the first matrix that SGLang gives; rows of written tokens follow it."""
    with answers.reading():
        states = one["meta_info"]["hidden_states"]
        return torch.tensor(states[0], dtype=torch.float32)
