"""Routes: the best that the model stands by, all scores, and routes that make no sense."""

import math
from collections.abc import Callable, Mapping, Sequence

import pytest
import torch

from headwise.entailment import EntailmentModel, Prediction
from headwise.entailment.routes.routing import (
    Routing,
    read_routes,
    route_by_both,
    route_by_entailment,
    route_by_similarity,
)
from headwise.errors import TextError

MakePrediction = Callable[..., Prediction]
ROUTES = {"code": ["programming"], "fact": ["facts"], "story": ["stories"]}


def answering(predictions: Mapping[str, Prediction]) -> Callable[[list[str]], list[Prediction]]:
    return lambda texts: [predictions[text] for text in texts]


def test_best_entailed_route(make_prediction: MakePrediction) -> None:
    found = route_by_entailment(
        ROUTES,
        answering(
            {
                "programming": make_prediction(0.6, 0.3, 0.1),
                "facts": make_prediction(0.8, 0.1, 0.1),
                "stories": make_prediction(0.9, 0.1, 0.0, abstain=True),
            }
        ),
        min_score=None,
    )
    assert found.route == "fact"
    assert list(found.scores) == ["story", "fact", "code"]
    assert found.scores["story"].abstain
    assert [score.score for score in found.scores.values()] == [0.9, 0.8, 0.6]
    assert found.scores["fact"].text == "facts"


@pytest.mark.parametrize(
    ("min_score", "route"), [(None, None), (0.0, "fact"), (0.3, "fact"), (0.5, None)]
)
def test_no_route_against_its_own_label(
    make_prediction: MakePrediction, min_score: float | None, route: str | None
) -> None:
    """0 is the rule of the seed's card: the best that is not abstained on, whatever it is."""
    found = route_by_entailment(
        ROUTES,
        answering(
            {
                "programming": make_prediction(0.1, 0.1, 0.8),
                "facts": make_prediction(0.4, 0.1, 0.5),
                "stories": make_prediction(0.9, 0.1, 0.0, abstain=True),
            }
        ),
        min_score=min_score,
    )
    assert found.route == route
    assert len(found.scores) == 3


def test_all_abstain(make_prediction: MakePrediction) -> None:
    doubtful = make_prediction(0.9, 0.1, 0.0, abstain=True)
    predict = answering({"programming": doubtful, "facts": doubtful, "stories": doubtful})
    assert route_by_entailment(ROUTES, predict, min_score=0.0).route is None


def test_several_hypotheses_of_a_route(make_prediction: MakePrediction) -> None:
    predict = answering(
        {
            "a": make_prediction(0.9, 0.1, 0.0, abstain=True),
            "b": make_prediction(0.7, 0.2, 0.1),
            "c": make_prediction(0.6, 0.2, 0.2),
        }
    )
    found = route_by_entailment({"one": ["a", "b"], "two": ["c"]}, predict, min_score=None)
    assert found.route == "one"
    assert found.scores["one"].text == "b"


def test_similarity_takes_the_closest_example() -> None:
    cosines = {"a": 0.1, "b": 0.8, "c": 0.7}

    def similarity(texts: list[str]) -> torch.Tensor:
        return torch.tensor([cosines[text] for text in texts])

    routes: dict[str, Sequence[str]] = {"one": ["c"], "two": ["a", "b"]}
    found = route_by_similarity(routes, similarity, min_score=None)
    assert found.route == "two"
    assert list(found.scores) == ["two", "one"]
    assert found.scores["two"].text == "b"
    assert found.scores["two"].prediction is None
    assert route_by_similarity(routes, similarity, min_score=0.9).route is None


@pytest.mark.parametrize(
    ("routes", "message"),
    [
        ({}, "There are no routes"),
        ([], "There are no routes"),
        ("one text", "`routes` must be a list of texts, got str"),
        (["a", "a"], "The route 'a' stands there twice"),
        ({"x": "a", "y": "a"}, "'a' stands for 'x' and for 'y'"),
        ({"x": ["a", "a"]}, "'a' stands twice for 'x'; leave one out"),
        ({"x": " "}, "The route 'x' needs a text that is not empty, got ' '"),
        ({"x": None}, "`x` must be a list of texts, got NoneType"),
        ({"x": [3]}, "The route 'x' needs a text that is not empty, got 3"),
        ({"x": []}, "The route 'x' has no text"),
        ({" ": "a"}, "A route must have a name, got ' '"),
        ([""], "A route must have a name, got ''"),
    ],
)
def test_routes_that_make_no_sense(routes: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_routes(routes)  # type: ignore[arg-type]


BOTH = {"one": ["a", "b"], "two": ["c"]}


def route_both(
    make_prediction: MakePrediction,
    given: Mapping[str, tuple[float, float]],
    min_score: float | None = None,
) -> Routing:
    """By both, of cosines and probabilities of entailment."""
    return route_by_both(
        BOTH,
        lambda texts: torch.tensor([given[text][0] for text in texts]),
        answering({text: make_prediction(p, 1 - p, 0.0) for text, (_, p) in given.items()}),
        min_score=min_score,
    )


def test_both_multiplies_what_either_says_of_the_routes(make_prediction: MakePrediction) -> None:
    found = route_both(make_prediction, {"a": (0.1, 0.8), "b": (0.3, 0.4), "c": (0.25, 0.6)})
    # Of "one", the text that is best by both: exp(20 * 0.3) * 0.4 beats exp(20 * 0.1) * 0.8
    one, two = math.exp(20 * 0.3) * 0.4, math.exp(20 * 0.25) * 0.6
    assert found.route == "one"
    assert found.by == "both"
    assert found.scores["one"].score == pytest.approx(one / (one + two))
    assert found.scores["one"].text == "b"
    assert found.scores["one"].prediction is not None
    assert sum(score.score for score in found.scores.values()) == pytest.approx(1.0)
    assert route_both(make_prediction, {"a": (0, 0), "b": (0, 0), "c": (0, 0)}, 0.51).route is None


def test_a_head_that_knows_nothing_is_outvoted(make_prediction: MakePrediction) -> None:
    """However sure it is that the right route does not follow, up to a cosine 0.15 higher."""
    for cosine, route in ((0.46, "one"), (0.44, "two")):
        given = {"a": (cosine, 1e-9), "b": (0.0, 1e-9), "c": (0.3, 1.0)}
        assert route_both(make_prediction, given).route == route


@pytest.mark.parametrize("by", ["entailment", "similarity", "both"])
def test_model(fitted: EntailmentModel, by: str) -> None:
    routes = {"running": "A dog runs.", "reading": "A woman reads."}
    found = fitted.route("A dog runs on the beach.", routes, by=by)  # type: ignore[arg-type]
    assert set(found.scores) == set(routes)
    if by == "entailment":
        assert found.route == "running"
    one = fitted.route("A dog runs on the beach.", ["A dog runs."], by=by)  # type: ignore[arg-type]
    assert one.route == "A dog runs."
    for query in ("", 3):
        with pytest.raises(TextError):
            fitted.route(query, routes, by=by)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one of auto, similarity, both, entailment, got 'luck'"):
        fitted.route("A dog.", routes, by="luck")  # type: ignore[arg-type]


def test_routes_are_encoded_once(fitted: EntailmentModel, monkeypatch: pytest.MonkeyPatch) -> None:
    routes = ["A dog runs.", "A woman reads.", "Two men drink tea."]
    fitted.route("A dog.", routes)
    read: list[int] = []
    forward = fitted.backbone.forward
    monkeypatch.setattr(
        fitted.backbone,
        "forward",
        lambda ids, *rest, **named: read.append(len(ids)) or forward(ids, *rest, **named),
    )
    fitted.route("Quite another query.", routes)
    assert read == [1]


def test_similarity_is_the_default(fitted: EntailmentModel) -> None:
    """It needs no heads."""
    without = EntailmentModel(fitted.backbone)
    routes = ["A dog runs.", "A woman reads."]
    found = without.route("A dog.", routes)
    assert (found.by, found.why) == ("similarity", "the default where no examples are given")
    asked = without.route("A dog.", routes, by="similarity")
    assert (asked.scores, asked.why) == (found.scores, "asked for")
    with pytest.raises(ValueError, match="needs heads"):
        without.route("A dog.", routes, by="both")


def test_errors_name_the_query_and_the_score(fitted: EntailmentModel) -> None:
    with pytest.raises(TextError, match=r"^The query is empty"):
        fitted.route(" ", ["A dog runs."])
    with pytest.raises(ValueError, match="`min_score` must be a number, got nan"):
        fitted.route("A dog.", ["A dog runs."], min_score=float("nan"))
