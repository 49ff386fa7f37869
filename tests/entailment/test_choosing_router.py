"""Which way of routing is taken: what examples say, ties, and examples that belong nowhere."""

from collections.abc import Callable, Mapping, Sequence

import pytest
import torch

from headwise.entailment import EntailmentModel, Prediction, Router
from headwise.entailment.routes.choosing import WAYS, choose_router
from headwise.errors import TextError
from headwise.functional.similarity import Similarity

MakePrediction = Callable[..., Prediction]
ROUTES = {"one": "a", "two": "b"}


@pytest.fixture
def choose(make_prediction: MakePrediction) -> Callable[..., Router]:
    """A choice on queries of which cosine and entailment with ``a`` and ``b`` are known."""

    def run(
        known: Mapping[str, tuple[Sequence[float], Sequence[float]]],
        wanted: Sequence[str | None],
        **options: object,
    ) -> Router:
        def compare(
            text: str,
            others: Sequence[str],
            *,
            names: tuple[str, str],
            by: Similarity | None = None,
        ) -> torch.Tensor:
            assert (list(others), names) == (["a", "b"], ("query", "route"))
            assert by in (None, Similarity.COSINE)
            return torch.tensor(known[text][0], dtype=torch.float64)

        def predict(premise: str, hypotheses: list[str]) -> list[Prediction]:
            assert hypotheses == ["a", "b"]
            return [make_prediction(p, 1 - p, 0.0) for p in known[premise][1]]

        examples = list(zip(known, wanted, strict=False))
        return choose_router(
            ROUTES,
            examples,
            predict=predict,
            compare=compare,
            **{"ways": WAYS, **options},  # type: ignore[arg-type]
        )

    return run


CLOSE = ((0.6, 0.2), (0.1, 0.9))  # by similarity and by both "one", by entailment "two"
ENTAILED = ((0.35, 0.3), (0.1, 0.9))  # by similarity "one", else "two"


def test_the_way_that_is_right_most_often(choose: Callable[..., Router]) -> None:
    router = choose({"q": CLOSE, "r": ENTAILED}, ["two", "two"])
    assert [(one.way, one.right) for one in router.tried] == [
        ("similarity", 0),
        ("both", 1),
        ("entailment", 2),
    ]
    assert router.by == "entailment"
    assert router.why == "right on 2 of 2 examples; similarity 0, both 1"
    found = router.route("q")
    assert (found.route, found.by, found.why) == ("two", "entailment", router.why)


def test_ties_go_to_similarity_then_to_both(choose: Callable[..., Router]) -> None:
    assert choose({"q": CLOSE}, ["one"]).by == "similarity"
    assert choose({"q": ENTAILED}, ["two"]).by == "both"
    assert choose({"q": CLOSE, "r": ENTAILED}, ["one", "two"]).by == "both"


def test_examples_that_belong_nowhere_find_the_least_score(choose: Callable[..., Router]) -> None:
    """Halfway between the scores that it tells apart; without such examples there is none."""
    known = {
        "q": ((0.6, 0.2), (0.1, 0.1)),
        "r": ((0.1, 0.5), (0.1, 0.1)),
        "s": ((0.3, 0.2), (0.1, 0.1)),
        "t": ((0.1, 0.2), (0.1, 0.1)),
    }
    router = choose(known, ["one", "two", None, None])
    assert router.by == "similarity"
    assert router.chosen.right == 4
    assert router.chosen.min_score == pytest.approx(0.4)
    assert [router.route(query).route for query in known] == ["one", "two", None, None]
    assert choose(known, ["one", "two"]).chosen.min_score is None
    given = choose(known, ["one", "two", None, None], min_scores={"similarity": 0.55})
    assert (given.tried[0].right, given.tried[0].min_score) == (3, 0.55)


def test_by_entailment_the_own_rule_stays_unless_a_score_is_better(
    choose: Callable[..., Router],
) -> None:
    """It says of itself that nothing follows."""
    flat = (0.2, 0.2)
    known = {"q": (flat, (0.9, 0.1)), "r": (flat, (0.4, 0.3)), "s": (flat, (0.2, 0.1))}
    always = choose(known, ["one", "one", "one"]).tried[-1]
    assert (always.right, always.min_score) == (3, 0.0)
    own = choose(known, ["one", None, None]).tried[-1]
    assert (own.right, own.min_score) == (3, None)
    lower = choose(known, ["one", "one", None]).tried[-1]
    assert lower.right == 3
    assert lower.min_score == pytest.approx(0.3)


def test_a_model_without_heads_has_one_way(fitted: EntailmentModel) -> None:
    routes = {"running": "A dog runs.", "reading": "A woman reads."}
    examples = [("A dog runs on the beach.", "running"), ("A woman reads a book.", "reading")]
    router = EntailmentModel(fitted.backbone).choose_router(routes, examples)
    assert [one.way for one in router.tried] == ["similarity"]
    assert router.why.endswith("there are no heads for another way")
    whole = fitted.choose_router(routes, examples)
    for one in whole.tried:
        asked = [fitted.route(query, routes, by=one.way).route == name for query, name in examples]
        assert one.right == sum(asked)


@pytest.mark.parametrize(
    ("examples", "options", "error", "message"),
    [
        ([], {}, ValueError, "There are no examples"),
        ([("q", "three")], {}, ValueError, "examples.0. belongs to 'three', which is none of"),
        (["qr"], {}, TextError, "examples.0. must be a query and the name"),
        ([("A dog.", "one"), (" ", "one")], {}, TextError, "examples.1. must be a query"),
        ([("q", "one")], {"min_scores": {"luck": 1}}, ValueError, "`min_scores` is about"),
        (
            [("q", "one")],
            {"min_scores": {"both": float("nan")}},
            ValueError,
            "must be a number, got nan",
        ),
    ],
)
def test_examples_that_make_no_sense(
    fitted: EntailmentModel,
    examples: list[tuple[str, str]],
    options: dict[str, object],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        fitted.choose_router(ROUTES, examples, **options)  # type: ignore[arg-type]
