"""Which way of routing suits some routes: what example queries say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import get_args

from headwise.entailment.embedding import HeadedEncoder
from headwise.entailment.inputs import is_pair, not_nan
from headwise.entailment.predicting import Prediction
from headwise.entailment.routes.routing import (
    Compare,
    Predict,
    Routes,
    RouteWay,
    Routing,
    read_routes,
    route_by,
)
from headwise.errors import TextError

WAYS: tuple[RouteWay, ...] = get_args(RouteWay)
"""In the order in which they are taken where they are right equally often."""

RoutingExample = tuple[str, str | None]
"""A query and the name of its route; ``None`` if no route suits."""


def possible_ways(encoder: HeadedEncoder) -> tuple[RouteWay, ...]:
    """The ways that a model has; without heads there is but one."""
    return WAYS if encoder.heads is not None else ("similarity",)


@dataclass(frozen=True, slots=True)
class TriedWay:
    """How often a way of routing was right on examples.

    Attributes:
        way: The way.
        right: Examples that it took where they belong.
        min_score: Least score of a route, as in `EntailmentModel.route`.
    """

    way: RouteWay
    right: int
    min_score: float | None


@dataclass(frozen=True, slots=True)
class Router:
    """Routes queries by the way that was right most often on examples.

    Attributes:
        routes: Names and their texts.
        by: The way.
        tried: All ways that were tried, in the order in which they win where they tie.
        examples: How many examples there were.
    """

    routes: Mapping[str, Sequence[str]]
    by: RouteWay
    tried: tuple[TriedWay, ...]
    examples: int
    _predict: Predict = field(repr=False)
    _compare: Compare = field(repr=False)

    @property
    def chosen(self) -> TriedWay:
        """What was found of the way that it routes by."""
        return next(one for one in self.tried if one.way == self.by)

    @property
    def why(self) -> str:
        """How often each way was right."""
        others = [f"{one.way} {one.right}" for one in self.tried if one.way != self.by]
        behind = f"; {', '.join(others)}" if others else "; there are no heads for another way"
        return f"right on {self.chosen.right} of {self.examples} examples{behind}"

    def route(self, query: str) -> Routing:
        """Find the route for a query.

        Args:
            query: The text to send somewhere.

        Raises:
            InputError: If the query cannot be read.
        """
        found = route_by(
            self.by,
            query,
            self.routes,
            min_score=self.chosen.min_score,
            predict=self._predict,
            compare=self._compare,
        )
        return replace(found, why=self.why)


def choose_router(
    routes: Routes,
    examples: Iterable[RoutingExample],
    *,
    predict: Predict,
    compare: Compare,
    ways: Sequence[RouteWay],
    min_scores: Mapping[RouteWay, float] | None = None,
) -> Router:
    """Choose among ways, in the order in which they win; see `EntailmentModel.choose_router`."""
    texts = read_routes(routes)
    known = read_examples(examples, texts)
    given = dict(min_scores or {})
    for way, least in given.items():
        if way not in WAYS:
            raise ValueError(f"`min_scores` is about {', '.join(WAYS)}, got {way!r}.")
        not_nan(least, name=f"min_scores[{way!r}]")
    # Two of the ways ask for the same predictions
    remembered: dict[str, list[Prediction]] = {}

    def predict_once(premise: str, hypotheses: list[str]) -> list[Prediction]:
        if premise not in remembered:
            remembered[premise] = predict(premise, hypotheses)
        return remembered[premise]

    def find(way: RouteWay, floor: float | None) -> list[Routing]:
        one = partial(route_by, way, min_score=floor, predict=predict_once, compare=compare)
        return [one(query, routes=texts) for query, _ in known]

    wanted = [route for _, route in known]
    tried = []
    for way in ways:
        floor: float | None = given.get(way)
        right = _right(find(way, floor), wanted)
        if way not in given:
            by_floor: dict[float, int] = {}
            if way == "entailment":
                # As the others do where nothing is asked of a score, it always answers if it can
                by_floor[0.0] = _right(find(way, 0.0), wanted)
            if None in wanted:
                by_floor |= _by_floor(find(way, 0.0 if by_floor else None), wanted)
            best = max(by_floor, key=by_floor.__getitem__, default=None)
            if best is not None and by_floor[best] > right:
                floor, right = best, by_floor[best]
        tried.append(TriedWay(way, right, floor))
    chosen = max(tried, key=lambda one: one.right)
    return Router(texts, chosen.way, tuple(tried), len(known), predict, compare)


def read_examples(
    examples: Iterable[RoutingExample], routes: Mapping[str, Sequence[str]]
) -> list[RoutingExample]:
    """The examples, if each is a query and the name of a route or ``None``.

    Raises:
        ValueError: If there are none, or a name is none of the routes.
        TextError: If one is something else.
    """
    found = list(examples)
    if not found:
        raise ValueError("There are no examples to choose by; give some.")
    for index, example in enumerate(found):
        if not is_pair(example) or not isinstance(example[0], str) or not example[0].strip():
            raise TextError(
                f"examples[{index}] must be a query and the name of its route, or `None` if none "
                f"suits; got {example!r}."
            )
        if example[1] is not None and example[1] not in routes:
            raise ValueError(
                f"examples[{index}] belongs to {example[1]!r}, which is none of the routes "
                f"{', '.join(routes)}."
            )
    return found


def _right(routings: Sequence[Routing], wanted: Sequence[str | None]) -> int:
    return sum(found.route == route for found, route in zip(routings, wanted, strict=True))


def _by_floor(routings: Sequence[Routing], wanted: Sequence[str | None]) -> dict[float, int]:
    """How many are right at each least score that tells them apart, the lowest first.

    Such scores lie halfway between neighbouring ones.
    """
    scores = [None if one.route is None else one.scores[one.route].score for one in routings]
    floors = [
        (low + high) / 2
        for low, high in pairwise(sorted({score for score in scores if score is not None}))
    ]

    def right(floor: float) -> int:
        return sum(
            (found.route if score is not None and score >= floor else None) == route
            for found, score, route in zip(routings, scores, wanted, strict=True)
        )

    return {floor: right(floor) for floor in floors}
