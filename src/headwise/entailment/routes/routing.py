"""Send a query to the route that it is closest to, or that it entails, or by both of these."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, Protocol

import torch
from torch import Tensor

from headwise.entailment.inputs import not_nan, text_list
from headwise.entailment.predicting import Prediction
from headwise.errors import TextError
from headwise.functional.similarity import COSINE_SCALE, Similarity
from headwise.heads import NLILabel

RouteWay = Literal["similarity", "both", "entailment"]
RouteBy = Literal["auto", "similarity", "both", "entailment"]
Routes = Mapping[str, str | Sequence[str]] | Sequence[str]

# Below it one text does not follow any less than another: how little a head thinks of each says
# nothing of queries that it was not trained on. It bounds what entailment can do against cosines.
_LEAST_ENTAILMENT = 0.05


class Predict(Protocol):
    """What gives predictions about a premise and each of some hypotheses."""

    def __call__(self, premise: str, hypotheses: list[str]) -> list[Prediction]:
        """One prediction a hypothesis, in order."""


class Compare(Protocol):
    """What gives similarities of texts."""

    def __call__(
        self,
        text: str,
        others: Sequence[str],
        *,
        names: tuple[str, str],
        by: Similarity | None = None,
    ) -> Tensor:
        """Of a text and each of n others, ``(n,)``; by default as the encoder compares them.

        Errors (`InputError`) call the one and the others by ``names``.
        """


@dataclass(frozen=True, slots=True)
class RouteScore:
    """How well a query fits a route.

    Attributes:
        score: By similarity that of the embeddings of query and text, for most encoders the
            cosine, in [-1, 1]; by entailment the probability that the query entails the text, in
            [0, 1]; by both the probability of the route among all, in [0, 1]. Of several texts,
            the best.
        abstain: Whether the model abstains, by entailment; else never.
        text: The route's description, example or hypothesis that the score is of.
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
        by: The way that it was routed by.
        why: Why that way.
    """

    route: str | None
    scores: dict[str, RouteScore]
    by: RouteWay
    why: str = "asked for"


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
    predict: Predict,
    compare: Compare,
) -> Routing:
    """Find the route for a query, see `EntailmentModel.route`."""
    texts = read_routes(routes)
    if by == "auto":
        found = route_by(
            "similarity", query, texts, min_score=min_score, predict=predict, compare=compare
        )
        return replace(found, why="the default where no examples are given")
    return route_by(by, query, texts, min_score=min_score, predict=predict, compare=compare)


def route_by(
    way: RouteWay,
    query: str,
    routes: Mapping[str, Sequence[str]],
    *,
    min_score: float | None,
    predict: Predict,
    compare: Compare,
) -> Routing:
    """Find the route for a query by one way, in routes that :func:`read_routes` has read."""
    not_nan(min_score, name="min_score")
    similarity = partial(compare, query, names=("query", "route"))
    match way:
        case "similarity":
            return route_by_similarity(routes, similarity, min_score=min_score)
        case "entailment":
            return route_by_entailment(routes, partial(predict, query), min_score=min_score)
        case "both":
            cosines = partial(similarity, by=Similarity.COSINE)
            return route_by_both(routes, cosines, partial(predict, query), min_score=min_score)


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
    return Routing(next(chosen, None), ranked, "entailment")


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
    return Routing(_best(ranked, min_score), ranked, "similarity")


def route_by_both(
    routes: Mapping[str, Sequence[str]],
    cosines: Callable[[list[str]], Tensor],
    predict: Callable[[list[str]], list[Prediction]],
    *,
    min_score: float | None,
) -> Routing:
    """Take the route that cosine and entailment together make most probable among all.

    Each is brought to a scale on which routes can be compared, that of log-probabilities: cosines
    times 20, as sentence encoders are trained to tell texts apart, and the logarithm of the
    probability of entailment, which is taken to be at least 0.05. The softmax of their sum over
    routes, each by its best text, is the product of what either says of the routes. So entailment
    outweighs a cosine that is higher by up to 0.15. Whether the model abstains does not matter.
    """
    texts = [text for examples in routes.values() for text in examples]
    predictions = dict(zip(texts, predict(texts), strict=True))
    entailed = torch.tensor([predictions[text].entailment for text in texts], dtype=torch.float64)
    logits = cosines(texts).double() * COSINE_SCALE + entailed.clamp(min=_LEAST_ENTAILMENT).log()
    logit_of = dict(zip(texts, logits.tolist(), strict=True))
    best = [max(examples, key=logit_of.__getitem__) for examples in routes.values()]
    shares = torch.tensor([logit_of[text] for text in best], dtype=torch.float64).softmax(dim=0)
    ranked = _best_first(
        {
            name: RouteScore(share, abstain=False, text=text, prediction=predictions[text])
            for name, text, share in zip(routes, best, shares.tolist(), strict=True)
        }
    )
    return Routing(_best(ranked, min_score), ranked, "both")


def _best(ranked: Mapping[str, RouteScore], min_score: float | None) -> str | None:
    name, score = next(iter(ranked.items()))
    return name if min_score is None or score.score >= min_score else None


def _best_first(scores: dict[str, RouteScore]) -> dict[str, RouteScore]:
    return dict(sorted(scores.items(), key=lambda item: -item[1].score))
