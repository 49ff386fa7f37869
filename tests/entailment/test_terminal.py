"""Views of predictions, routes, claims and rankings."""

from collections.abc import Callable

from rich.console import Console, RenderableType

from headwise.entailment import (
    Evidence,
    Passage,
    Prediction,
    Ranked,
    RouteScore,
    Routing,
    Validation,
)
from headwise.report import (
    render_prediction,
    render_ranking,
    render_routing,
    render_validation,
)

MakePrediction = Callable[..., Prediction]

STEERING = "[bold]\x1b[2J"


def shown(view: RenderableType, *, color: bool = False) -> str:
    console = Console(
        width=100,
        force_terminal=color,
        color_system="truecolor" if color else None,
        highlight=False,
    )
    with console.capture() as capture:
        console.print(view)
    return capture.get()


def test_a_prediction_says_whether_the_model_answers(make_prediction: MakePrediction) -> None:
    answer = make_prediction(0.7, 0.2, 0.1)
    text = shown(render_prediction(answer, threshold=0.5))
    assert text.startswith("entailment 0.70\n")
    assert "contradiction 0.10" in text
    assert "uncertainty 0.30, below the threshold of 0.50: the model answers" in text
    doubt = make_prediction(0.2, 0.2, 0.6, abstain=True)
    text = shown(render_prediction(doubt, threshold=0.4))
    assert text.startswith("contradiction 0.60 (abstains)\n")
    assert "at or above the threshold of 0.40: the model abstains" in text
    assert "\x1b[" in shown(render_prediction(answer, threshold=0.5), color=True)


def test_routes_are_all_shown(make_prediction: MakePrediction) -> None:
    prediction = make_prediction(0.9, 0.05, 0.05)
    scores = {
        "weather": RouteScore(0.9, abstain=False, text=STEERING, prediction=prediction),
        "sport": RouteScore(0.1, abstain=True, text="b", prediction=make_prediction(0.1, 0.2, 0.7)),
    }
    text = shown(
        render_routing(Routing("weather", scores, "entailment", "right on 3 of 4 examples"))
    )
    assert text.startswith("→ weather\n")
    assert "by entailment: right on 3 of 4 examples" in text
    assert "sport" in text
    assert "contradiction 0.70" in text
    assert "[bold]" in text
    assert "\x1b" not in text
    by_similarity = {"sport": RouteScore(0.1, abstain=False, text="b")}
    text = shown(render_routing(Routing(None, by_similarity, "similarity")))
    assert text.startswith("no route suits\n")
    assert "says" not in text


def test_passages_stand_in_their_text(make_prediction: MakePrediction) -> None:
    source = "x" * 100 + " The dog runs.\n" + STEERING + " end. " + "y " * 90 + "A cat sat."
    start, last = source.index("The dog"), len(source) - 10
    dog, cat = Passage(start, start + 13), Passage(last, last + 10)
    entailed = make_prediction(0.9, 0.05, 0.05)
    alone = Evidence("The dog runs.", dog.start, dog.end, entailed, 0.5, (dog,))
    both = Evidence("The dog runs. A cat sat.", dog.start, cat.end, entailed, 0.4, (dog, cat))
    found = Validation(True, False, False, 0.9, (alone, both), (alone,))
    text = shown(render_validation(found, source=source))
    assert text.startswith("supported  confidence 0.90\n")
    assert f"similarity 0.50, at {start}-{start + 13}\n" in text
    assert f"similarity 0.40, at {start}-{start + 13} and {last}-{last + 10}\n" in text
    assert "\x1b" not in text
    first, second = " ".join(text.split()).split("… x")[1:]
    assert "[The dog runs.]" in first
    assert "end." in first
    assert "[A cat sat.]" not in first
    assert "[The dog runs.]" in second
    assert "y … y" in second
    assert second.endswith("[A cat sat.]")


def test_a_ranking_keeps_the_lines() -> None:
    ranking = [Ranked(1, STEERING, 2.5), Ranked(0, "first", 1.0)]
    rows = shown(render_ranking(ranking, lines={0: 3, 1: 17})).splitlines()
    assert rows[3].split() == ["1", "2.500", "17", "[bold]␛[2J"]
    assert rows[4].split() == ["2", "1.000", "3", "first"]
