"""Send a query to the route that it entails, or that it is closest to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import Tensor

from headwise.entailment.inputs import not_nan, text_list
from headwise.entailment.predicting import Prediction
from headwise.errors import TextError
from headwise.heads import NLILabel

RouteBy = Literal["entailment", "similarity"]
Routes = Mapping[str, str | Sequence[str]] | Sequence[str]


@dataclass(frozen=True, slots=True)
class RouteScore:
    """How well a query fits a route.

    Attributes:
        score: Probability that the query entails the route's hypothesis, in [0, 1]; by similarity
            that of their embeddings, for most encoders the cosine, in [-1, 1]. Of several texts,
            the best.
        abstain: Whether the model abstains; never by similarity.
        text: The route's hypothesis, description or example that the score is of.
        prediction: What the model says about ``text``; ``None`` by similarity.
    """

    score: float
    abstain: bool
    text: str
    prediction: Prediction | None = None


@dataclass(frozen=True, slots=True)
class Routing:
    """Where a query goes.

    Attributes:
        route: The chosen route's name; ``None`` if none suits.
        scores: Of all routes by name, best first.
    """

    route: str | None
    scores: dict[str, RouteScore]


def read_routes(routes: Routes) -> dict[str, list[str]]:
    """Bring routes into one form, names and their texts; a lone text names itself.

    Raises:
        ValueError: If there are none, or names or texts are empty or stand there twice.
    """
    if isinstance(routes, Mapping):
        given = [(name, value) for name, value in routes.items()]
    else:
        given = [(text, text) for text in text_list(routes, name="routes")]
    if not given:
        raise ValueError("There are no routes; give at least one.")
    found: dict[str, list[str]] = {}
    owner: dict[str, str] = {}
    for name, value in given:
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"A route must have a name, got {name!r}.")
        if name in found:
            raise ValueError(f"The route {name!r} stands there twice; leave one out.")
        found[name] = [value] if isinstance(value, str) else text_list(value, name=name)
        if not found[name]:
            raise ValueError(f"The route {name!r} has no text; give it a hypothesis.")
        for text in found[name]:
            if not isinstance(text, str) or not text.strip():
                raise TextError(f"The route {name!r} needs a text that is not empty, got {text!r}.")
            if owner.get(text) == name:
                raise ValueError(f"The text {text!r} stands twice for {name!r}; leave one out.")
            if text in owner:
                raise ValueError(
                    f"The text {text!r} stands for {owner[text]!r} and for {name!r}; every text "
                    "must lead to one route."
                )
            owner[text] = name
    return found


def route(
    query: str,
    routes: Routes,
    *,
    by: RouteBy,
    min_score: float | None,
    predict: Callable[[str, list[str]], list[Prediction]],
    similarity: Callable[..., Tensor],
) -> Routing:
    """Find the route for a query, see `EntailmentModel.route`.

    ``predict`` gives predictions about a premise and each of some hypotheses, ``similarity`` the
    similarities of a text and each of some others.
    """
    not_nan(min_score, name="min_score")
    texts = read_routes(routes)
    if by == "entailment":
        return route_by_entailment(texts, partial(predict, query), min_score=min_score)
    cosines = partial(similarity, query, names=("query", "route"))
    return route_by_similarity(texts, cosines, min_score=min_score)


def route_by_entailment(
    routes: Mapping[str, Sequence[str]],
    predict: Callable[[list[str]], list[Prediction]],
    *,
    min_score: float | None,
) -> Routing:
    """Take the most probable of the routes that the model stands by.

    Without a ``min_score``, entailment must be the most probable class of a route.
    """

    def suits(prediction: Prediction) -> bool:
        if min_score is None:
            return prediction.answers(NLILabel.ENTAILMENT)
        return prediction.entailment >= min_score and not prediction.abstain

    texts = [text for hypotheses in routes.values() for text in hypotheses]
    predictions = dict(zip(texts, predict(texts), strict=True))
    scores: dict[str, RouteScore] = {}
    for name, hypotheses in routes.items():
        # Of several hypotheses, one that the model stands by counts before one that it does not
        best = max(hypotheses, key=lambda t: (suits(predictions[t]), predictions[t].entailment))
        prediction = predictions[best]
        scores[name] = RouteScore(prediction.entailment, prediction.abstain, best, prediction)
    ranked = _best_first(scores)
    chosen = (
        name for name, score in ranked.items() if score.prediction and suits(score.prediction)
    )
    return Routing(next(chosen, None), ranked)


def route_by_similarity(
    routes: Mapping[str, Sequence[str]],
    similarity: Callable[[list[str]], Tensor],
    *,
    min_score: float | None,
) -> Routing:
    """Take the route with the text that is closest to the query."""
    texts = [text for examples in routes.values() for text in examples]
    cosines = dict(zip(texts, similarity(texts).tolist(), strict=True))
    scores: dict[str, RouteScore] = {}
    for name, examples in routes.items():
        best = max(examples, key=cosines.__getitem__)
        scores[name] = RouteScore(cosines[best], abstain=False, text=best)
    ranked = _best_first(scores)
    name, score = next(iter(ranked.items()))
    return Routing(name if min_score is None or score.score >= min_score else None, ranked)


def _best_first(scores: dict[str, RouteScore]) -> dict[str, RouteScore]:
    return dict(sorted(scores.items(), key=lambda item: -item[1].score))
