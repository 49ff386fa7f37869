"""``headwise route``: where does a query go?"""

from pathlib import Path
from typing import Annotated, Literal

import typer

from headwise.cli import options
from headwise.cli.entailment import entailment_options
from headwise.cli.printing import print_row, show_messages
from headwise.cli.reading import given_text
from headwise.cli.settings_options import with_options


@with_options
def route(
    *,
    query: Annotated[str, typer.Argument(help="The query, or @FILE.")],
    routes: Annotated[
        list[str] | None,
        typer.Option(
            "--route",
            "-r",
            help="NAME=HYPOTHESIS, or by similarity NAME=DESCRIPTION; may be repeated, also for "
            "one name.",
        ),
    ] = None,
    routes_file: Annotated[
        Path | None,
        typer.Option(
            "--routes",
            help="File of routes: YAML or JSON of names and texts, or TSV of a name and a text a "
            "line.",
        ),
    ] = None,
    by: Annotated[
        Literal["entailment", "similarity"],
        typer.Option(help="What must be true of a route: entailed by the query, or close to it."),
    ] = "entailment",
    min_score: Annotated[
        float | None,
        typer.Option(
            help="Least score of a route. Default: entailment is more probable than the other "
            "labels; by similarity there is none."
        ),
    ] = None,
    json_object: entailment_options.JsonObject = False,
    origin: entailment_options.EncoderOptions,
    threshold: entailment_options.Threshold = None,
) -> None:
    """Choose the route whose hypothesis a query entails, or say that none suits.

    That no route suits is an answer, too: the exit code is 0, and with --json `route` is null.
    """
    show_messages()
    from headwise.data.readers.routes import read_routes

    query = given_text(query, name="QUERY")
    texts = {} if routes_file is None else read_routes(routes_file)
    for entry in routes or []:
        name, equals, text = entry.partition("=")
        if not equals:
            raise typer.BadParameter(f"--route must be NAME=HYPOTHESIS, got {entry!r}.")
        texts.setdefault(name, []).append(text)
    if not texts:
        raise typer.BadParameter("There are no routes: give some with --route or --routes.")

    from rich.console import Console

    from headwise.entailment.rows import routing_row
    from headwise.report import render_routing

    loaded = origin.load(threshold)
    with options.usage_errors():
        routing = loaded.route(query, texts, by=by, min_score=min_score)
    if json_object:
        print_row({"query": query, **routing_row(routing)})
    else:
        Console(highlight=False).print(render_routing(routing))
