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
            help="NAME=TEXT: a description or an example query, or by entailment a hypothesis; "
            "may be repeated, also for one name.",
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
        Literal["auto", "similarity", "both", "entailment"],
        typer.Option(
            help="What makes a route suit: that it is close to the query, entailed by it, or both. "
            "`auto` is similarity, or what is right on most --examples."
        ),
    ] = "auto",
    examples: Annotated[
        Path | None,
        typer.Option(
            help="Table of queries and the routes that they belong to, empty where none suits: "
            "TSV, CSV, XLSX, JSONL or Parquet. The way that is right on most of them is taken.",
        ),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(
            help="Least score of a route, on the scale of --by: similarity; share of the route, "
            "from 0 to 1; probability of entailment. Default: none; by entailment, that it is more "
            "probable than the other labels."
        ),
    ] = None,
    json_object: entailment_options.JsonObject = False,
    origin: entailment_options.EncoderOptions,
    threshold: entailment_options.Threshold = None,
) -> None:
    """Choose the route that a query is closest to or entails, or say that none suits.

    That no route suits is an answer, too: the exit code is 0, and with --json `route` is null.
    """
    show_messages()
    from headwise.data.readers.routes import read_route_examples, read_routes

    if examples is not None and (by != "auto" or min_score is not None):
        raise typer.BadParameter(
            "--examples choose the way and its least score: leave --by and --min-score out."
        )
    query = given_text(query, name="QUERY")
    texts = {} if routes_file is None else read_routes(routes_file)
    for entry in routes or []:
        name, equals, text = entry.partition("=")
        if not equals:
            raise typer.BadParameter(f"--route must be NAME=TEXT, got {entry!r}.")
        texts.setdefault(name, []).append(text)
    if not texts:
        raise typer.BadParameter("There are no routes: give some with --route or --routes.")

    known = None if examples is None else read_route_examples(examples)

    from rich.console import Console

    from headwise.entailment.rows import routing_row
    from headwise.report import render_routing

    loaded = origin.load(threshold)
    with options.usage_errors():
        if known is None:
            routing = loaded.route(query, texts, by=by, min_score=min_score)
        else:
            routing = loaded.choose_router(texts, known).route(query)
    if json_object:
        print_row({"query": query, **routing_row(routing)})
    else:
        Console(highlight=False).print(render_routing(routing))
