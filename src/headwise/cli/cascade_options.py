"""Options of ``headwise cascade``: who is asked in which order, and what is accepted."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwise.backbones.addresses import is_address
from headwise.cli import options
from headwise.cli.printing import quiet_loading, show_messages
from headwise.cli.reading import expect_model, expect_texts

if TYPE_CHECKING:
    from headwise.cascade import CascadeGuarantee

_STAGES, _ACCEPT = "Stages", "What is accepted"
_RISK, _CONFIDENCE = 0.1, 0.95


@dataclass(frozen=True, slots=True)
class StageOptions:
    """Who is asked after the first model, and what asking costs."""

    then: Annotated[
        list[str] | None,
        typer.Option(
            "--then",
            help="Who is asked next, where the answer is not good enough: a model as for --model, "
            "or one behind a server, http://host:8000#NAME, whose answers the first model judges; "
            "may be repeated.",
            rich_help_panel=_STAGES,
        ),
    ] = None
    instruction: Annotated[
        str,
        typer.Option(
            help="What models behind servers are sent; {source} stands for the text, names in "
            "braces for columns. Keys: OPENAI_API_KEY.",
            rich_help_panel=_STAGES,
        ),
    ] = "{source}"
    cost: Annotated[
        list[float] | None,
        typer.Option(
            "--cost",
            min=0.0,
            help="Price of an answer, in any unit; once for each model, in their order. By default "
            "seconds are counted.",
            rich_help_panel=_STAGES,
        ),
    ] = None

    def __post_init__(self) -> None:
        for name in self.names:
            if not is_address(name):
                expect_model(name)

    @property
    def names(self) -> list[str]:
        """Of those who are asked next."""
        return self.then or []

    def load(self, origin: options.EstimatorOptions, *, most_tokens: int) -> dict[str, Any]:
        """All models by their names, the first one too; prompts take the values that they know."""
        from headwise.cascade.loading import check_variables, load_stage
        from headwise.cli.prompt_options import parse_prompt_option, say_prompt
        from headwise.quality import QualityEstimator

        prompting = origin.prompting
        stages: dict[str, Any] = {}
        show_messages()
        for name in (origin.model, *self.names):
            if name in stages:
                raise typer.BadParameter(f"{name} is named twice.")
            first = not stages
            with options.usage_errors(), quiet_loading(name):
                stage = load_stage(
                    name,
                    origin.head if first else None,
                    prompt=parse_prompt_option(prompting.prompt) if first else None,
                    variables=prompting.variables,
                    columns=prompting.columns,
                    instruction=self.instruction,
                    most_tokens=most_tokens,
                    loading=origin.loading.arguments(),
                )
            if isinstance(stage, QualityEstimator):
                say_prompt(stage.backbone, stage.prompt)
            stages[name] = stage
        with options.usage_errors():
            check_variables(stages.values(), [*prompting.variables, *prompting.columns])
        return stages


@dataclass(frozen=True, slots=True)
class AcceptOptions:
    """Which answers are given."""

    accept: Annotated[
        list[float] | None,
        typer.Option(
            "--accept",
            help="From which quality on an answer is given; once for all models, or once for each.",
            rich_help_panel=_ACCEPT,
        ),
    ] = None
    labelled: Annotated[
        Path | None,
        typer.Option(
            "--labelled",
            help="Answers by --ask-all of questions drawn at random, with `correct` in each of "
            "their `attempts`, or with right answers (--reference-column): they say what can be "
            "guaranteed.",
            rich_help_panel=_ACCEPT,
        ),
    ] = None
    reference_column: Annotated[
        str | None,
        typer.Option(
            help="Column of the labelled file with the right answer, or a list of right ones.",
            rich_help_panel=_ACCEPT,
        ),
    ] = None
    risk: Annotated[
        float,
        typer.Option(
            help="Share of wrong answers among those that are given, at most.",
            rich_help_panel=_ACCEPT,
        ),
    ] = _RISK
    confidence: Annotated[
        float,
        typer.Option(help="Probability that this holds.", rich_help_panel=_ACCEPT),
    ] = _CONFIDENCE
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", help="File for the guarantee.", dir_okay=False, rich_help_panel=_ACCEPT
        ),
    ] = None
    guarantee: Annotated[
        Path | None,
        typer.Option(
            "--guarantee",
            help="One that was saved, instead of labelled answers.",
            rich_help_panel=_ACCEPT,
        ),
    ] = None
    signal: Annotated[
        str | None,
        typer.Option(
            help="Whose mean over tokens is an answer's quality: error, sigmoid, logprob, ...; by "
            "default the calibrated probability that it has no error, or else the main signal.",
            rich_help_panel=_ACCEPT,
        ),
    ] = None
    ask_all: Annotated[
        bool,
        typer.Option(
            "--ask-all",
            help="Ask all models about everything, to compare them; the answers stay the same.",
            rich_help_panel=_ACCEPT,
        ),
    ] = False

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.accept, self.labelled, self.guarantee)) != 1:
            raise typer.BadParameter(
                "Say what is accepted: --accept QUALITY, or --labelled FILE with judged answers, "
                "or --guarantee FILE with what was saved of some."
            )
        terms = (self.risk, self.confidence, self.save, self.reference_column)
        if self.labelled is None and terms != (_RISK, _CONFIDENCE, None, None):
            raise typer.BadParameter(
                "--risk, --confidence, --save and --reference-column are for --labelled."
            )
        expect_texts(self.files)
        if self.signal is not None:
            options.split_signals(self.signal)

    @property
    def files(self) -> list[Path]:
        """Those that are read."""
        return [path for path in (self.labelled, self.guarantee) if path is not None]

    @property
    def thresholds(self) -> float | list[float]:
        """One for all, or one for each; none where there is a guarantee."""
        numbers = self.accept or []
        return numbers[0] if len(numbers) == 1 else numbers

    def promised(self) -> "CascadeGuarantee | None":
        """What was saved, or what the labelled answers let one guarantee, which is saved."""
        from headwise.cascade import CascadeGuarantee, make_guarantee, read_trials

        if self.guarantee is not None:
            return CascadeGuarantee.load(self.guarantee)
        if self.labelled is None:
            return None
        trials = read_trials([self.labelled], reference=self.reference_column)
        with options.usage_errors():
            made = make_guarantee(
                trials, risk=self.risk, confidence=self.confidence, signal=self.signal
            )
        if self.save is not None:
            made.save(self.save)
        return made
