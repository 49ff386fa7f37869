"""Predictions, routes, claims and rankings in a terminal; every colour has a word beside it."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from headwise.entailment import Evidence, Prediction, Ranked, Routing, Validation, Verdict
from headwise.heads import NLILabel
from headwise.report.terminal import View, plain, simple_table
from headwise.report.text import printable

_WAYS = {"similarity": "similarity", "both": "both ways", "entailment": "entailment"}
# Blue and orange look different to everyone, on light and dark terminals alike
_FOR, _AGAINST = "#2f81f7", "#d2691e"
_INKS = {NLILabel.ENTAILMENT.value: _FOR, NLILabel.CONTRADICTION.value: _AGAINST}
_VERDICT_INKS = {Verdict.SUPPORTED: _FOR, Verdict.CONTRADICTED: _AGAINST}
_BAR = 24
# Characters around a passage that show where it stands
_CONTEXT = 60


def render_prediction(prediction: Prediction, *, threshold: float) -> RenderableType:
    """The label, its confidence, all probabilities, and whether the model stands by them.

    Args:
        prediction: What to show.
        threshold: The uncertainty from which on the model abstains.
    """
    doubt = f"uncertainty {prediction.uncertainty:.2f}, "
    doubt += (
        f"at or above the threshold of {threshold:.2f}: the model abstains"
        if prediction.abstain
        else f"below the threshold of {threshold:.2f}: the model answers"
    )
    table = Table.grid(padding=(0, 1))
    for name, value in prediction.probabilities.items():
        bar = Text("█" * round(value * _BAR), _INKS.get(name, "dim"))
        table.add_row(name, f"{value:.2f}", bar)
    return View.of(_labelled(prediction), Padding(table, (0, 0, 0, 2)), Text(doubt, "dim"))


def render_routing(routing: Routing) -> RenderableType:
    """The chosen route, by which way and why, and a table of all routes, best first.

    Args:
        routing: What a query was routed to.
    """
    chosen = (
        Text("no route suits", "bold")
        if routing.route is None
        else Text.assemble("→ ", (printable(routing.route), f"bold {_FOR}"))
    )
    predicted = any(score.prediction is not None for score in routing.scores.values())
    table = simple_table()
    table.add_column("", no_wrap=True)
    table.add_column("route", overflow="fold")
    table.add_column("score", justify="right", no_wrap=True)
    if predicted:
        table.add_column("the model says")
    table.add_column("text", overflow="fold", style="dim")
    for name, score in routing.scores.items():
        said = [] if score.prediction is None else [_labelled(score.prediction)]
        mark = "→" if name == routing.route else ""
        table.add_row(mark, plain(name), f"{score.score:.2f}", *said, plain(score.text))
    return View.of(chosen, Text(f"by {_WAYS[routing.by]}: {routing.why}", "dim"), table)


def render_validation(validation: Validation, *, source: str) -> RenderableType:
    """The verdict, and the passages of the source with some characters around each of them.

    Args:
        validation: What to show.
        source: What was checked.
    """
    verdict = validation.verdict
    words = verdict.value.replace("_", " ")
    ink = f"bold {_VERDICT_INKS.get(verdict, '')}".strip()
    parts: list[RenderableType] = [
        Text.assemble((words, ink), f"  confidence {validation.confidence:.2f}")
    ]
    for one in validation.evidence:
        said = _labelled(one.prediction)
        places = " and ".join(f"{part.start:,}-{part.end:,}" for part in one.passages)
        said.append(f"  similarity {one.similarity:.2f}, at {places}", "dim")
        parts += [said, Padding(_passages(one, source), (0, 0, 0, 2))]
    return View.of(*parts)


def render_ranking(ranking: Sequence[Ranked], *, lines: Mapping[int, int]) -> RenderableType:
    """A table of documents, best first.

    Args:
        ranking: The documents.
        lines: The line that each document stood in, by its index.
    """
    table = simple_table()
    for name in ("rank", "score", "line"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("text", overflow="fold")
    for rank, found in enumerate(ranking, start=1):
        line = str(lines[found.index])
        table.add_row(str(rank), f"{found.score:.3f}", line, plain(found.document))
    return View.of(table)


def _labelled(prediction: Prediction) -> Text:
    ink = _INKS.get(prediction.label, "")
    text = Text.assemble((prediction.label, f"bold {ink}".strip()), f" {prediction.confidence:.2f}")
    if prediction.abstain:
        text.append(" (abstains)", "italic")
    return text


def _passages(one: Evidence, source: str) -> Text:
    """Passages in colour, between brackets, in the text around them, all on one line."""
    ink = f"underline {_INKS.get(one.prediction.label, '')}".strip()
    edges = [0, *(place for part in one.passages for place in (part.start, part.end)), len(source)]
    found = Text()
    for place, (start, end) in enumerate(pairwise(edges)):
        if place % 2:
            found.append(_line(source[start:end]), ink)
            continue
        # What lies between two passages is shown where both of its ends meet
        left, right = _CONTEXT * (place > 0), _CONTEXT * (place < len(edges) - 2)
        text = source[start:end]
        if len(text) > left + right:
            after, before = text[:left], text[len(text) - right :]
            dots = " … " if left and right else "… " if right else " …"
            text = f"{after}{dots}{before}"
        found.append(
            f"{']' if place else ''}{_line(text)}{'[' if end < len(source) else ''}", "dim"
        )
    return found


def _line(text: str) -> str:
    return printable(text).replace("\n", " ")
