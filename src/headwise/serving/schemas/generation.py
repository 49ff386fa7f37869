"""What to generate, as OpenAI's completions and chat completions take it.

See https://platform.openai.com/docs/api-reference/chat/create and
https://platform.openai.com/docs/api-reference/completions/create.
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from headwise.serving.schemas.base import Schema

# Below this, drawing is as good as greedy, and dividing by it is not
_COLDEST = 0.01
_MOST_STOPS = 4

_ONE_PASS = "a token is one pass of the model, and what it says is not changed"
_TEXT_ONLY = "texts are read and written, nothing else"
_NO_TOOLS = "the model calls no tools"
# Fields that OpenAI's servers know and this one cannot follow: what is meant by leaving them out,
# and why they are refused
UNSUPPORTED: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "frequency_penalty": ((0,), _ONE_PASS),
    "presence_penalty": ((0,), _ONE_PASS),
    "logit_bias": (({},), _ONE_PASS),
    "best_of": ((1,), "ask for `n`, and rank the answers with /v1/rerank"),
    "echo": ((False,), "what is given is scored with /v1/score"),
    "suffix": (("",), "texts are continued at their end"),
    "tools": (([],), _NO_TOOLS),
    "tool_choice": (("none", "auto"), _NO_TOOLS),
    "functions": (([],), _NO_TOOLS),
    "function_call": (("none", "auto"), _NO_TOOLS),
    "parallel_tool_calls": ((True, False), _NO_TOOLS),
    "response_format": (({"type": "text"},), "answers are plain text"),
    "modalities": ((["text"],), _TEXT_ONLY),
    "audio": ((), _TEXT_ONLY),
    "prediction": ((), _ONE_PASS),
    "reasoning_effort": (("none",), "the model does not reason"),
    "verbosity": (("medium",), "`max_tokens` and the messages say how long an answer may be"),
    "web_search_options": ((), "nothing is searched"),
    "moderation": ((), "nothing is moderated"),
}


class StreamOptions(Schema):
    """What a stream has beside its tokens.

    Attributes:
        include_usage: Whether a last event counts tokens.
        include_obfuscation: Not used.
    """

    include_usage: bool = False
    include_obfuscation: bool | None = None


class Scores(Schema):
    """Which scores come beside the text; a field of ours.

    Attributes:
        signals: Names of signals, the main one first; the model's best by default.
        alternatives: How many of the language model's own choices a token has.
        threshold: Words of a lower confidence are to be checked; by default the calibration's.
        segment_threshold: Texts with a lower probability of no error are flagged, likewise.
        variables: Values for variables of the prompt, such as ``target_language``.
    """

    signals: list[str] | None = Field(default=None, min_length=1)
    alternatives: int = Field(default=0, ge=0, le=20)
    threshold: float | None = None
    segment_threshold: float | None = None
    variables: dict[str, str] = Field(default_factory=dict)


class GenerationRequest(Schema):
    """What completions and chat completions have in common.

    Attributes:
        model: The model's name, if the client wants to be sure.
        max_tokens: How many tokens may be written.
        temperature: 0 is greedy. Without it and ``top_p``, as the model's own settings say.
        top_p: The share of the probability that tokens are drawn from.
        n: How many answers.
        stop: Texts that end an answer and are cut off.
        seed: Of the drawing; the same one gives the same answer.
        stream: Whether tokens come one by one, as server-sent events.
        stream_options: What else comes then.
        headwise: Which scores come beside the text; ``false`` for none.
        user: Not used, nor are ``metadata``, ``store`` and the like.
    """

    model: str | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    n: int | None = Field(default=None, ge=1, le=16)
    stop: str | list[str] | None = None
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    headwise: bool | Scores | None = None

    user: str | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    safety_identifier: str | None = None
    service_tier: Literal["auto", "default"] | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None

    # Refused in other words than fields that nobody knows
    frequency_penalty: Any = None
    presence_penalty: Any = None
    logit_bias: Any = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.stream_options is not None and not self.stream:
            raise ValueError("`stream_options` are only for `stream: true`")
        if len(self.stops) > _MOST_STOPS or not all(self.stops):
            raise ValueError(f"`stop` takes up to {_MOST_STOPS} texts, none of them empty")
        return self

    @property
    def refused(self) -> tuple[str, str] | None:
        """A field that cannot be followed, and why."""
        for name, (harmless, why) in UNSUPPORTED.items():
            value = getattr(self, name, None)
            if value is not None and value not in harmless:
                return name, why
        return None

    @property
    def stops(self) -> tuple[str, ...]:
        """The texts that end an answer."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def scores(self) -> Scores | None:
        """Which scores come beside the text; ``None`` for none."""
        if isinstance(self.headwise, Scores):
            return self.headwise
        return None if self.headwise is False else Scores()

    @property
    def most_tokens(self) -> int | None:
        """How many tokens may be written, if that is said."""
        return self.max_tokens

    @property
    def top_logprobs_asked(self) -> int | None:
        """How many alternatives each token's log-probability has; ``None`` for no such thing."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """Options of ``model.generate``."""
        options: dict[str, Any] = {}
        if self.most_tokens is not None:
            options["max_new_tokens"] = self.most_tokens
        if self.temperature is None and self.top_p is None:
            return options
        temperature = 1.0 if self.temperature is None else self.temperature
        if temperature < _COLDEST:
            return {**options, "do_sample": False}
        drawn = {"do_sample": True, "temperature": temperature, "top_p": self.top_p or 1.0}
        return {**options, **drawn, "top_k": 0}


class ChatRequest(GenerationRequest):
    """A conversation to answer.

    Attributes:
        messages: With ``role`` (``system`` or ``developer``, ``user``, ``assistant``) and
            ``content``, a text or a list of parts of type ``text``.
        logprobs: Whether tokens have their log-probability.
        top_logprobs: How many alternatives they have with it.
        max_completion_tokens: The newer name of ``max_tokens``.
    """

    messages: list[dict[str, Any]] = Field(
        min_length=1, examples=[[{"role": "user", "content": "A dog runs on the beach."}]]
    )
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    max_completion_tokens: int | None = Field(default=None, ge=1)

    tools: Any = None
    tool_choice: Any = None
    functions: Any = None
    function_call: Any = None
    parallel_tool_calls: Any = None
    response_format: Any = None
    modalities: Any = None
    audio: Any = None
    prediction: Any = None
    reasoning_effort: Any = None
    verbosity: Any = None
    web_search_options: Any = None
    moderation: Any = None

    @model_validator(mode="after")
    def _with_logprobs(self) -> Self:
        if self.top_logprobs is not None and not self.logprobs:
            raise ValueError("`top_logprobs` need `logprobs: true`")
        return self

    @property
    def most_tokens(self) -> int | None:
        """How many tokens may be written, if that is said."""
        return self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens

    @property
    def top_logprobs_asked(self) -> int | None:
        """How many alternatives each token's log-probability has; ``None`` for no such thing."""
        return (self.top_logprobs or 0) if self.logprobs else None


class CompletionRequest(GenerationRequest):
    """Texts to continue.

    Attributes:
        prompt: A text, or several, each of which is continued. Token ids are refused.
        max_tokens: 16 by default.
        logprobs: How many alternatives tokens have beside their log-probability.
    """

    prompt: str | list[str] | list[int] | list[list[int]] = Field(
        examples=["A dog runs on the beach."]
    )
    max_tokens: int | None = Field(default=16, ge=1)
    logprobs: int | None = Field(default=None, ge=0, le=5)

    best_of: Any = None
    echo: Any = None
    suffix: Any = None

    @property
    def prompts(self) -> list[str] | None:
        """The texts, if they are texts."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        texts = [one for one in self.prompt if isinstance(one, str)]
        return texts if len(texts) == len(self.prompt) else None

    @property
    def top_logprobs_asked(self) -> int | None:
        """How many alternatives each token's log-probability has; ``None`` for no such thing."""
        return self.logprobs
