"""``headwise serve``: scores over HTTP, and a page."""

import sys
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from headwise.cli import options
from headwise.cli.entailment.entailment_options import Heads, expect_encoder
from headwise.cli.settings_options import with_options

_SERVER, _LIMITS, _ACCESS, _REPORTS = "Server", "Limits", "Access", "Log and traces"
_NEXT = "Cascade"


class LogFormat(StrEnum):
    """How lines of the log are written."""

    JSON = "json"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class LimitOptions:
    """What clients may ask for."""

    max_concurrent_requests: Annotated[
        int,
        typer.Option(min=1, help="In work at a time; more get 429.", rich_help_panel=_LIMITS),
    ] = 256
    max_client_batch_size: Annotated[
        int,
        typer.Option(
            min=1,
            help="Texts or pairs of one JSON request; NDJSON may have more.",
            rich_help_panel=_LIMITS,
        ),
    ] = 256
    max_body_bytes: Annotated[
        int,
        typer.Option(min=1024, help="Of one request; more get 413.", rich_help_panel=_LIMITS),
    ] = 8 * 1024**2
    drain_seconds: Annotated[
        float,
        typer.Option(
            min=0.0,
            help="That requests in work have to end when the server is told to stop.",
            rich_help_panel=_LIMITS,
        ),
    ] = 30.0


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """Who may ask."""

    api_key: Annotated[
        list[str] | None,
        typer.Option(
            help="Key that requests must bring (Authorization: Bearer KEY); may be repeated. "
            "Others see it in the list of processes: prefer a file, or HEADWISE_API_KEYS.",
            rich_help_panel=_ACCESS,
        ),
    ] = None
    api_key_file: Annotated[
        Path | None,
        typer.Option(help="File of such keys, one a line.", rich_help_panel=_ACCESS),
    ] = None
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(
            help="Origin whose pages may ask, as https://example.org, or *; may be repeated.",
            rich_help_panel=_ACCESS,
        ),
    ] = None

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys, of options, file and environment."""
        from headwise.serving.settings import keys_of_environment, keys_of_file

        of_file = () if self.api_key_file is None else keys_of_file(self.api_key_file)
        return (*(self.api_key or ()), *of_file, *keys_of_environment())


@dataclass(frozen=True, slots=True)
class NextOptions:
    """Who is asked after the model, for ``/v1/cascade``."""

    then: Annotated[
        list[str] | None,
        typer.Option(
            "--then",
            help="Who is asked next where the model's answer is not good enough: a model as for "
            "--model, or http://host:8000#NAME; may be repeated.",
            rich_help_panel=_NEXT,
        ),
    ] = None
    accept: Annotated[
        float | None,
        typer.Option(
            help="From which quality on an answer is given.",
            rich_help_panel=_NEXT,
        ),
    ] = None
    guarantee: Annotated[
        Path | None,
        typer.Option(
            help="File that `headwise cascade --save` wrote, instead.", rich_help_panel=_NEXT
        ),
    ] = None
    cost: Annotated[
        list[float] | None,
        typer.Option(
            min=0.0,
            help="Price of an answer, once for each model; by default seconds are counted.",
            rich_help_panel=_NEXT,
        ),
    ] = None
    signal: Annotated[
        str | None,
        typer.Option(
            help="Whose mean over tokens is an answer's quality, as for `headwise cascade`.",
            rich_help_panel=_NEXT,
        ),
    ] = None
    instruction: Annotated[
        str,
        typer.Option(
            help="What models behind servers are sent; {source} stands for the text.",
            rich_help_panel=_NEXT,
        ),
    ] = "{source}"


@with_options
def serve(
    *,
    origin: options.EstimatorOptions,
    following: NextOptions,
    entailment: Annotated[
        str | None,
        typer.Option(
            help="Encoder that answers for entailment, or none. Default: minilm-snli, if its "
            "package is installed.",
            rich_help_panel=options.MODEL,
        ),
    ] = None,
    heads: Heads = None,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen at; 0.0.0.0 for all of this machine.", rich_help_panel=_SERVER
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0: a free one.", rich_help_panel=_SERVER)
    ] = 8000,
    workers: Annotated[
        int,
        typer.Option(
            min=1, help="Processes, each with models of its own.", rich_help_panel=_SERVER
        ),
    ] = 1,
    limits: LimitOptions,
    access: AccessOptions,
    otlp_endpoint: Annotated[
        str | None,
        typer.Option(
            help="Collector of OpenTelemetry traces, as http://localhost:4318.",
            rich_help_panel=_REPORTS,
        ),
    ] = None,
    log_format: Annotated[
        LogFormat,
        typer.Option(help="Of the log, which never holds texts.", rich_help_panel=_REPORTS),
    ] = LogFormat.JSON,
) -> None:
    """Serve scores over HTTP, in the shapes that clients speak, and a page that shows them."""
    from pydantic import ValidationError

    from headwise.documents import parse_json
    from headwise.errors import ServingError
    from headwise.plain_values import in_words
    from headwise.serving.extras import expect_extras
    from headwise.serving.settings import (
        DEFAULT_ENTAILMENT,
        EVERYWHERE,
        ServerSettings,
        default_entailment,
    )

    expect_extras(traces=otlp_endpoint is not None)
    if entailment is None:
        entailment = default_entailment()
        if entailment is None:
            print(
                f"Serving without {DEFAULT_ENTAILMENT}: its encoder is not installed "
                "(pip install 'headwise[minilm]').",
                file=sys.stderr,
            )
    elif entailment == "none":
        entailment = None
    else:
        expect_encoder(entailment)
        if entailment == DEFAULT_ENTAILMENT and default_entailment() is None:
            raise ServingError(
                f"{entailment} needs an encoder that is not installed: "
                "pip install 'headwise[minilm]'. Or give --entailment none."
            )
    prompt = origin.prompting.prompt
    loading = asdict(origin.loading)
    del loading["gguf_file"]  # part of the model's name
    try:
        settings = ServerSettings(
            model=origin.model,
            head=origin.head,
            prompt=parse_json(prompt) if prompt and prompt.lstrip().startswith("{") else prompt,
            prompt_variables=origin.prompting.variables,
            prompt_columns=origin.prompting.columns,
            then=tuple(following.then or ()),
            accept=following.accept,
            guarantee=None if following.guarantee is None else str(following.guarantee),
            costs=None if not following.cost else tuple(following.cost),
            signal=following.signal,
            instruction=following.instruction,
            entailment=entailment,
            heads=heads,
            api_keys=access.keys,
            cors_origins=tuple(access.cors_origin or ()),
            otlp_endpoint=otlp_endpoint,
            log_format=log_format.value,
            **loading,
            **asdict(limits),
        )
    except ValidationError as error:
        raise typer.BadParameter(f"{in_words(error)}.") from error
    if host in EVERYWHERE and not settings.api_keys:
        print(
            f"Warning: {host} lets everybody in who reaches this machine, and no key is asked for; "
            "give --api-key-file, or --host 127.0.0.1.",
            file=sys.stderr,
        )
    from headwise.serving.running import serve as run

    run(settings, host=host, port=port, workers=workers)
