"""``headwise check``: does a source support a claim?"""

from typing import Annotated

import typer

from headwise.choices import DEFAULT_MIN_SIMILARITY, DEFAULT_TOGETHER
from headwise.cli import options
from headwise.cli.entailment import entailment_options
from headwise.cli.printing import print_row, show_messages
from headwise.cli.reading import given_text
from headwise.cli.settings_options import with_options


@with_options
def check(
    *,
    source: Annotated[
        str, typer.Argument(help="The source: a text, @FILE, or `-` for standard input.")
    ],
    claim: Annotated[str, typer.Argument(help="The claim, one statement; or @FILE.")],
    language: Annotated[
        str, typer.Option(help="Code of the source's language, for its sentences.")
    ] = "en",
    top_k: Annotated[
        int, typer.Option("--top-k", min=1, help="How many passages to ask about.")
    ] = 5,
    window: Annotated[int, typer.Option(min=1, help="Neighbouring sentences in a passage.")] = 1,
    min_similarity: Annotated[
        float,
        typer.Option(
            min=-1.0,
            max=1.0,
            help="Cosine of embeddings that a passage needs to contradict the claim, or to be read "
            "with others; -1 for none.",
        ),
    ] = DEFAULT_MIN_SIMILARITY,
    together: Annotated[
        int,
        typer.Option(
            min=1,
            help="How many passages may be read as one premise, where none supports the claim by "
            "itself; 1 for none.",
        ),
    ] = DEFAULT_TOGETHER,
    json_object: entailment_options.JsonObject = False,
    origin: entailment_options.EncoderOptions,
    threshold: entailment_options.Threshold = None,
) -> None:
    """Check a claim against a source of any length, and show the passages that decide.

    The exit code is 0 whatever the verdict is.
    """
    show_messages()
    from headwise.data.readers.texts import read_whole_text

    source = read_whole_text("-") if source == "-" else given_text(source, name="SOURCE")
    claim = given_text(claim, name="CLAIM")

    from rich.console import Console

    from headwise.entailment.rows import validation_row
    from headwise.report import render_validation

    loaded = origin.load(threshold)
    with options.usage_errors():
        validation = loaded.validate(
            source,
            claim,
            language=language,
            top_k=top_k,
            window=window,
            min_similarity=min_similarity,
            together=together,
        )
    if json_object:
        print_row({"claim": claim, **validation_row(validation)})
    else:
        Console(highlight=False).print(render_validation(validation, source=source))
