"""Options that several subcommands share, and what loads a model for them."""

import re
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwise.backbones.gguf_names import gguf_name
from headwise.cli import printing
from headwise.cli.prompt_options import (
    MODEL,
    PromptOptions,
    parse_prompt_option,
    say_prompt,
)
from headwise.cli.states_options import StatesOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from headwise.backbones import States
    from headwise.quality import QualityEstimator


DEFAULT_MODEL = "tiny-en-de"

# Groups of the help
INPUT, OUTPUT, SCORES = "Input", "Output", "Scores"

# torch.device's own, whose list would need PyTorch
_DEVICES = (
    *("cpu", "cuda", "mps", "xpu", "hpu", "mtia", "npu", "mlu", "musa", "xla", "maia", "meta"),
    *("ipu", "hip", "vulkan", "lazy", "privateuseone"),
)


Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="Bundled name, gemma-3-270m, or folder, GGUF file or hub id of a language model; or "
        "folder or hub id of a head.",
        rich_help_panel=MODEL,
    ),
]


Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Start anew instead of continuing.", rich_help_panel=OUTPUT),
]
HtmlReport = Annotated[
    Path | None,
    typer.Option(
        "--html",
        help="Write a self-contained HTML report.",
        dir_okay=False,
        rich_help_panel=OUTPUT,
    ),
]
Head = Annotated[
    str | None,
    typer.Option("--head", help="Folder or hub id of a head for the model.", rich_help_panel=MODEL),
]


SignalNames = Annotated[
    str | None,
    typer.Option(
        "--signals",
        "-s",
        help="Comma-separated: quality, error, omission, sigmoid, softmax, logprob, entropy, "
        "boosted, rank. The first is the score. Default: quality if the head has a calibration, "
        "else what its heads give.",
        rich_help_panel=SCORES,
    ),
]


@dataclass(frozen=True, slots=True)
class LoadingOptions:
    """Where and how a model is loaded."""

    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            help="cpu, cuda, mps, ...; by default the best there is.",
            rich_help_panel=MODEL,
        ),
    ] = None
    dtype: Annotated[
        str | None,
        typer.Option(
            "--dtype",
            help="float32, bfloat16, ...; by default float32 on a CPU.",
            rich_help_panel=MODEL,
        ),
    ] = None
    trust_remote_code: Annotated[
        bool,
        typer.Option(
            "--trust-remote-code",
            help="Run code that comes with the language model.",
            rich_help_panel=MODEL,
        ),
    ] = False

    gguf_file: Annotated[
        str | None,
        typer.Option(
            "--gguf-file",
            help="GGUF file in the folder or on the hub that holds the model.",
            rich_help_panel=MODEL,
        ),
    ] = None

    def __post_init__(self) -> None:
        device, dtype = self.device, self.dtype
        if device and not re.fullmatch(rf"({'|'.join(_DEVICES)})(:\d+)?", device):
            raise typer.BadParameter(
                f"--device must be cpu, cuda, cuda:1, mps, xpu or another of PyTorch's, got "
                f"{device!r}."
            )
        if dtype and not re.fullmatch(r"(torch\.)?(b?float\w*|half|double)|auto", dtype):
            raise typer.BadParameter(
                f"--dtype must be float32, bfloat16, float16 or auto, got {dtype!r}."
            )

    def arguments(self, dtype: str | None = None) -> dict[str, Any]:
        """What loaders take; the type of a run file stands where no option gives one."""
        given = asdict(self)
        del given["gguf_file"]  # part of the model's name, see `named`
        return {**given, "dtype": self.dtype or dtype}

    def named(self, model: str) -> str:
        """The model's name, with the GGUF file that was chosen."""
        return gguf_name(model, self.gguf_file)


@dataclass(frozen=True, slots=True)
class EstimatorOptions:
    """The language model and the head that score, and the prompt."""

    model: Model = DEFAULT_MODEL
    head: Head = None
    prompting: PromptOptions = PromptOptions()
    loading: LoadingOptions = LoadingOptions()

    def __post_init__(self) -> None:
        from headwise.cli.reading import expect_model

        object.__setattr__(self, "model", self.loading.named(self.model))
        for name in (self.model, self.head):
            expect_model(name)

    def load(self, *, row_languages: bool = False) -> "QualityEstimator":
        """Load them, with Transformers' own messages turned off.

        ``row_languages`` says that rows have the languages that the prompt is not told.
        """
        printing.show_messages()
        with usage_errors(), printing.quiet_loading(self.model):
            from headwise.quality import QualityEstimator

            estimator = QualityEstimator.from_pretrained(
                self.model,
                self.head,
                prompt=parse_prompt_option(self.prompting.prompt),
                prompt_variables=self.prompting.variables,
                prompt_columns=self.prompting.columns,
                row_languages=row_languages,
                states=self.chosen_states(),
                **self.loading.arguments(),
            )
        say_prompt(estimator.backbone, estimator.prompt)
        return estimator

    def chosen_states(self) -> "States | None":
        """Who reads texts in the model's place: nobody."""
        return None


@dataclass(frozen=True, slots=True)
class ScoringOptions(EstimatorOptions):
    """The same, where hidden states may come from elsewhere."""

    reading: StatesOptions = StatesOptions()

    def chosen_states(self) -> "States | None":
        """Who reads texts in the model's place, if somebody does."""
        return self.reading.chosen()


QualityThreshold = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        min=0.0,
        max=1.0,
        help="Words below this value are marked; for error and omission x, the value is 1 - x. "
        "Default: that of the calibration if quality is the first signal, else 0.5.",
        rich_help_panel=SCORES,
    ),
]


SegmentThreshold = Annotated[
    float | None,
    typer.Option(
        "--segment-threshold",
        min=0.0,
        max=1.0,
        help="Texts are flagged if their probability of no error lies below this value. Default: "
        "that of the calibration; without one, texts with something to check are flagged.",
        rich_help_panel=SCORES,
    ),
]


@contextmanager
def usage_errors() -> "Iterator[None]":
    """Turn a wrong value of an option into wrong usage (exit code 2)."""
    from headwise.errors import HeadwiseError

    try:
        yield
    except HeadwiseError:
        raise
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def split_signals(names: str | None) -> list[str] | None:
    """Check the names given with ``--signals``; ``None`` stays ``None``."""
    from headwise.data.records.signals import parse_signals

    if names is None:
        return None
    with usage_errors():
        return [str(signal) for signal in parse_signals(names)]


def chosen_signals(signals: list[str] | None, estimator: "QualityEstimator") -> list[str]:
    """The signals that were given, or the one that the estimator takes."""
    return signals or [str(estimator.default_signal)]


def choose_threshold(
    estimator: "QualityEstimator",
    signals: list[str] | None,
    threshold: float | None,
    segment_threshold: float | None = None,
) -> float:
    """Set the thresholds that were given; returns the one of words, or what suits the signals."""
    estimator.threshold, estimator.segment_threshold = threshold, segment_threshold
    with usage_errors():
        return estimator.scorer(signals).request.threshold


def head_location(model: str, head: str | None) -> Path:
    """The folder of the head that the options name."""
    from headwise.bundled import locate

    folder = locate(model, head).head
    if folder is None:
        raise typer.BadParameter(f"{model} has no head; give one with --head.")
    return folder
