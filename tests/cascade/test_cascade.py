"""Who is asked, whose answer is given, what that costs, and what models make of it."""

import json
from typing import Any

import httpx2 as httpx
import pytest
from made_stages import MadeStage

from headwise import Cascade, CascadeGuarantee, QualityEstimator
from headwise.cascade import Attempt, ChatModel, WriterStage
from headwise.cascade.stages import EstimatorStage
from headwise.errors import InputError, MismatchError, StageError, TextError

QUALITIES = (
    {"easy": 0.9, "hard": 0.2, "odd": 0.1, "foreign": 0.5},
    {"easy": 0.95, "hard": 0.8, "odd": 0.3, "unread": 0.9},
)


def two_stages(**options: Any) -> tuple[MadeStage, MadeStage]:
    costs = options.pop("costs", (1.0, 10.0))
    names = ("small", "big")
    made = [MadeStage(*one) for one in zip(names, QUALITIES, costs, strict=True)]
    return made[0], made[1]


@pytest.mark.parametrize("ask_all", [False, True])
@pytest.mark.parametrize(
    ("question", "stage", "cost"),
    [
        ("easy", "small", 1.0),
        ("hard", "big", 11.0),
        ("odd", None, 11.0),
        ("unread", "big", 11.0),
        ("foreign", None, 11.0),
    ],
)
def test_the_first_answer_that_is_good_enough(
    question: str, stage: str | None, cost: float, ask_all: bool
) -> None:
    small, big = two_stages()
    answer = Cascade([small, big], accept=0.7).answer(question, ask_all=ask_all)
    assert answer.stage == stage
    assert answer.text == (None if stage is None else f"{stage}: {question}")
    assert answer.abstained == (stage is None)
    assert answer.cost == cost
    assert big.asked == ([] if stage == "small" and not ask_all else [question])
    assert sum(one.accepted for one in answer.attempts) == (stage is not None)
    row = answer.as_dict()
    assert row["attempts"] == [one.row() for one in answer.attempts]
    assert json.loads(json.dumps(row))["stage"] == stage


def test_thresholds_may_differ_and_what_is_not_rated_is_given() -> None:
    small, big = two_stages()
    assert Cascade([small, big], accept=(0.1, 0.9)).answer("hard").stage == "small"
    big.rates = False
    assert Cascade([small, big], accept=0.99).answer("odd").stage == "big"
    small.rates = False
    with pytest.raises(ValueError, match="`small` are"):
        Cascade([small, big], accept=0.5)


def test_prices_may_be_given_anew_and_to_all() -> None:
    small, big = two_stages()
    assert Cascade([small, big], accept=2.0, costs=[2, 3]).answer("easy").cost == 5
    assert (small.cost, big.cost) == (1.0, 10.0)
    big.cost = None
    with pytest.raises(ValueError, match="all stages a price"):
        Cascade([small, big], accept=0.5)


def test_columns_of_a_row_go_along_and_seconds_are_counted() -> None:
    small, big = two_stages(costs=(None, None))
    cascade = Cascade([small, big], accept=0.7)
    answer = cascade.answer("hard", row={"id": 7, "answer": "theirs"})
    assert answer.as_dict() | {"id": 7, "input_answer": "theirs"} == answer.as_dict()
    assert cascade.counts_seconds
    assert answer.cost == answer.seconds == sum(one.seconds for one in answer.attempts) > 0


def test_a_question_that_nobody_can_read_is_an_error() -> None:
    cascade = Cascade(two_stages(), accept=0.7)
    with pytest.raises(TextError, match="small cannot read"):
        cascade.answer("who?")
    found = list(cascade.answer_many(["easy", "who?", "hard"], errors="yield"))
    assert isinstance(found[1], InputError)
    assert [getattr(one, "stage", None) for one in found] == ["small", None, "big"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stages": []}, "one model or more"),
        ({"accept": [0.1]}, "one for each of 2 stages, got 1"),
        ({"costs": [1.0]}, "a price for each of 2 stages, got 1"),
        ({"stages": [*two_stages()[:1] * 2]}, "Two stages are called `small`"),
    ],
)
def test_what_makes_no_cascade(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Cascade(**({"stages": two_stages(), "accept": 0.5} | arguments))


def test_a_guarantee_is_for_its_own_stages() -> None:
    made = CascadeGuarantee(
        stages=("small", "big"),
        risk=0.1,
        confidence=0.9,
        accept_from=0.7,
        labelled=99,
        answered=80,
        wrong=2,
    )
    assert Cascade(two_stages(), accept=made).answer("easy").stage == "small"
    with pytest.raises(MismatchError, match="for the stages small, big, got big, small"):
        Cascade(two_stages()[::-1], accept=made)
    with pytest.raises(MismatchError, match="got logprob"):
        Cascade(two_stages(), accept=made, signal="logprob")
    nothing = made.model_copy(update={"accept_from": None})
    small, big = two_stages()
    big.rates = False
    assert Cascade([small, big], accept=nothing).answer("easy").abstained


def test_models_answer_and_score_and_judge(estimator: QualityEstimator) -> None:
    """The answer is what `generate` gives, a function's answer is scored by the model."""
    source = "A dog runs."

    def shout(_: object) -> str:
        return "Ein Hund läuft."

    cascade = Cascade({"model": estimator, "shout": shout}, accept=2.0, max_new_tokens=12)
    first, second = cascade.answer(source).attempts
    expected = estimator.generate(source, max_new_tokens=12)
    assert (first.text, first.quality) == (expected.hypothesis, pytest.approx(expected.score))
    assert first.scored == expected
    assert second.quality == pytest.approx(estimator.score(source, "Ein Hund läuft.").score)
    by_logprob = Cascade({"m": estimator}, accept=-9.0, signal="logprob", max_new_tokens=12)
    logprob = estimator.generate(source, signals=["logprob"], max_new_tokens=12).score
    assert by_logprob.answer(source).quality == pytest.approx(logprob)
    entropy = Cascade({"m": estimator}, accept=-9.0, signal="entropy", max_new_tokens=12)
    assert (entropy.answer(source).quality or 0) <= 0  # the less of it, the better
    assert cascade.content() != by_logprob.content()


def test_a_stage_declines_languages_that_its_heads_do_not_know() -> None:
    bundled = QualityEstimator.from_pretrained("tiny-en-de")
    unsure = WriterStage(write=lambda _: "El perro.", name="big")
    cascade = Cascade({"tiny": bundled, "big": unsure}, accept=0.0)
    answer = cascade.answer("El perro corre por la playa con su dueño.")
    assert answer.stage == "big"
    assert "another language" in (answer.attempts[0].error or "")
    alone = Cascade({"tiny": bundled}, accept=0.0)
    assert alone.answer("El perro corre por la playa con su dueño.").abstained
    judge = EstimatorStage(estimator=bundled, name="tiny")
    with pytest.raises(InputError, match="the answer seems"):
        WriterStage(
            write=lambda _: "The man plays the guitar on the stage.", name="copy", judge=judge
        ).answer(_pair("The man plays the guitar on the stage."))
    with pytest.raises(TextError):
        WriterStage(write=lambda _: "", name="mute", judge=judge).answer(_pair("A dog runs."))


def _pair(source: str) -> Any:
    from headwise.data.records.pairs import Pair

    return Pair(source, "", extra={"to": "German"})


def server(answer: object, *, status: int = 200, seen: list[Any] | None = None) -> Any:
    def respond(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append((str(request.url), request.headers, json.loads(request.content)))
        return httpx.Response(status, json=answer)

    return httpx.MockTransport(respond)


def said(text: object) -> dict[str, Any]:
    return {"choices": [{"message": {"role": "assistant", "content": text}}]}


def test_a_model_behind_a_server_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    seen: list[Any] = []
    model = ChatModel(
        "http://host:1/v1",
        "big",
        instruction="Into {to}: {source}",
        temperature=0,
        transport=server(said("  Ein Hund.\n"), seen=seen),
    )
    assert model(_pair("A dog.")) == "Ein Hund."
    ((url, headers, body),) = seen
    assert url == "http://host:1/v1/chat/completions"
    assert headers["authorization"] == "Bearer secret"
    assert body == {
        "model": "big",
        "messages": [{"role": "user", "content": "Into German: A dog."}],
        "temperature": 0,
    }
    assert "secret" not in json.dumps(dict(model.content()))


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (said(""), 200, TextError),
        (said(None), 200, TextError),
        ({"choices": []}, 200, StageError),
        ({"error": "no"}, 401, StageError),
    ],
)
def test_a_server_that_does_not_answer(answer: object, status: int, error: type) -> None:
    model = ChatModel("http://host:1", "big", transport=server(answer, status=status))
    with pytest.raises(error, match="big"):
        model(_pair("A dog."))


def test_what_a_server_is_sent_must_have_the_question() -> None:
    with pytest.raises(ValueError, match=r"must have \{source\}"):
        ChatModel("http://host:1", "big", instruction="Translate")
    with pytest.raises(ValueError, match="#NAME"):
        ChatModel.named("http://host:1")
    model = ChatModel.named("http://host:1#org/big", instruction="{nobody} {source}")
    assert model.model == "org/big"
    with pytest.raises(TextError, match="no value for 'nobody'"):
        model(_pair("A dog."))


def test_an_attempt_knows_its_price() -> None:
    small, _ = two_stages()
    failed = Attempt.failed(small, TextError("no"), seconds=3.0)
    assert (failed.cost, failed.seconds, failed.error) == (1.0, 3.0, "no")
