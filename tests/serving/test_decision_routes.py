"""Typed questions over HTTP: OpenAI's client, LangChain's, and System One by hand."""

from typing import Any

import pytest
from langchain_openai.decisions import Choice, OpenAIDecisions, Predicate, Score
from openai import BadRequestError, OpenAI
from starlette.testclient import TestClient

from headwise import EntailmentModel
from headwise.entailment import Decision, OneOf, YesNo, decide

STATE = "A man is playing guitar on stage in front of a crowd."
NEVER = {"threshold": 1.1}
PREDICATE = {"type": "predicate", "name": "music", "instructions": "A person is making music."}
CHOICE = {
    "type": "choice",
    "name": "topic",
    "instructions": "What is it about?",
    "choices": [{"value": "music"}, {"value": True, "description": "sports"}, {"value": "false"}],
}
SCORE = {
    "type": "score",
    "instructions": "How many people are there?",
    "levels": [{"label": "none", "description": "Nobody."}, {"label": "few"}, {"label": "many"}],
}


@pytest.fixture(scope="module")
def expected(entailment: EntailmentModel) -> list[Decision]:
    return decide(
        entailment,
        STATE,
        [
            YesNo("A person is making music."),
            OneOf("What is it about?", ("music", "sports", "false")),
            OneOf("How many people are there?", ("Nobody.", "few", "many")),
        ],
    )


@pytest.fixture(scope="module")
def openai(live_server: str) -> OpenAI:
    return OpenAI(base_url=f"{live_server}/v1", api_key="none", max_retries=0)


def test_openai_client(openai: OpenAI, expected: list[Decision]) -> None:
    found = openai.decisions.create(
        model="minilm-snli",
        input=STATE,
        questions=[PREDICATE, CHOICE, SCORE],  # type: ignore[list-item]
        safety_identifier="me",
        extra_body=NEVER,
    )
    predicate, choice, score = found.answers
    assert predicate.type == "predicate"
    assert predicate.name == "music"
    assert predicate.probability == pytest.approx(expected[0].expected, abs=1e-6)
    assert choice.type == "choice"
    assert choice.choice == ["music", True, "false"][expected[1].best]
    assert [one.value for one in choice.probabilities] == ["music", True, "false"]
    assert [one.probability for one in choice.probabilities] == pytest.approx(
        expected[1].probabilities, abs=1e-6
    )
    assert choice.confidence == pytest.approx(expected[1].confidence, abs=1e-6)
    assert score.type == "score"
    assert score.name is None
    assert score.score == pytest.approx(expected[2].expected, abs=1e-6)
    assert [(one.value, one.label) for one in score.probabilities] == [
        (0, "none"),
        (1, "few"),
        (2, "many"),
    ]
    assert found.usage.input_tokens == found.usage.total_tokens > 20


def test_a_question_on_which_the_model_abstains_is_refused(openai: OpenAI) -> None:
    found = openai.decisions.create(
        model="minilm-snli",
        input=STATE,
        questions=[PREDICATE, SCORE],  # type: ignore[list-item]
        extra_body={"threshold": 0.0},
    )
    assert [(one.type, one.name) for one in found.answers] == [
        ("refusal", "music"),
        ("refusal", None),
    ]
    assert all(one.headwise["abstain"] for one in found.answers)  # type: ignore[union-attr]


@pytest.mark.filterwarnings("ignore:The class `OpenAIDecisions` is in beta")
def test_langchain(live_server: str, expected: list[Decision]) -> None:
    client = OpenAIDecisions(model="minilm-snli", base_url=f"{live_server}/v1", api_key="none")
    asked = {
        "music": Predicate(instructions="A person is making music."),
        "topic": Choice(
            instructions="What is it about?",
            choices={"music": "music", "sports": "sports", "false": "false"},
        ),
        "people": Score(
            instructions="How many people are there?", levels=["Nobody.", "few", "many"]
        ),
    }
    found = client.invoke({"input": STATE, "questions": asked})
    for name, decision in zip(asked, expected, strict=True):
        assert (name in found.refusals) == decision.abstain
    answered = found.predicates["music"]
    assert answered.probability == pytest.approx(expected[0].expected, abs=1e-6)


def test_messages_are_read_one_after_the_other(client: TestClient) -> None:
    parts = [
        {"type": "input_text", "text": "A man is on stage."},
        {"type": "input_json", "data": {"plays": {"instrument": "guitar"}}},
    ]
    messages = [
        {"role": "developer", "content": "Look closely."},
        {"role": "user", "content": parts},
        {"type": "function_call", "name": "count", "arguments": "{}", "call_id": "1"},
        {"type": "function_call_output", "output": "Three people.", "call_id": "1"},
    ]
    text = "Look closely.\nA man is on stage.\nplays instrument: guitar\ncount: {}\nThree people."
    answers = [
        client.post("/v1/decisions", json={"input": given, "questions": [CHOICE]}).json()["answers"]
        for given in (messages, text)
    ]
    assert answers[0] == answers[1]


def systemone(client: TestClient, **body: object) -> dict[str, Any]:
    answer = client.post("/v1/systemone", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


QUESTIONS = {
    "music": {"type": "noul", "instructions": "Is it?", "criteria": {
        "true": "A person is making music."}},
    "topic": {"type": "choice", "instructions": "What is it about?", "criteria": {
        "music": None, "ball": "sports", "none": "false"}},
    "people": {"type": "score", "instructions": "How many people are there?", "criteria": [
        "Nobody.", "few", "many"]},
}  # fmt: skip


def test_systemone(client: TestClient, expected: list[Decision]) -> None:
    found = systemone(client, state=STATE, questions=QUESTIONS, keep_alive=1, **NEVER)
    music, topic, people = (found["answers"][name] for name in QUESTIONS)
    assert music == {"type": "noul", "noul": pytest.approx(expected[0].expected, abs=1e-6)}
    assert topic["choice"] == ["music", "ball", "none"][expected[1].best]
    assert topic["probabilities"] == pytest.approx(
        dict(zip(["music", "ball", "none"], expected[1].probabilities, strict=True)), abs=1e-6
    )
    assert people["score"] == pytest.approx(expected[2].expected, abs=1e-6)
    assert people["legend"] == {"0": "Nobody.", "1": "few", "2": "many"}
    assert people["probabilities"].keys() == {"0", "1", "2"}
    assert found["usage"]["output_tokens"] == 0


def test_what_is_not_answered_is_missing(client: TestClient, expected: list[Decision]) -> None:
    found = systemone(client, state=STATE, questions=QUESTIONS, threshold=0.0)
    assert found["answers"] == {}
    assert list(found["headwise"]) == list(QUESTIONS)
    found = systemone(client, state=STATE, questions=QUESTIONS)
    answered = [n for n, one in zip(QUESTIONS, expected, strict=True) if not one.abstain]
    assert list(found["answers"]) == answered


def test_choices_by_similarity(client: TestClient, entailment: EntailmentModel) -> None:
    found = systemone(client, state=STATE, questions=QUESTIONS, by="similarity", **NEVER)
    texts = ("music", "sports", "false")
    (decision,) = decide(entailment, STATE, [OneOf("What is it about?", texts, "similarity")])
    probabilities = found["answers"]["topic"]["probabilities"]
    assert list(probabilities.values()) == pytest.approx(decision.probabilities, abs=1e-6)
    assert found["headwise"]["topic"]["uncertainty"] is None
    assert found["headwise"]["music"]["uncertainty"] is not None


def test_json_as_a_state(client: TestClient) -> None:
    state = {"picture": STATE, "people": {"seen": 3}}
    text = f"picture: {STATE}\npeople seen: 3"
    found = [systemone(client, state=one, questions=QUESTIONS) for one in (state, text)]
    assert found[0] == found[1]


def test_a_long_state(client: TestClient, entailment: EntailmentModel) -> None:
    state = " ".join(["The hall has many chairs.", STATE] * 60)
    found = systemone(client, state=state, questions=QUESTIONS, **NEVER)
    (decision,) = decide(entailment, state, [YesNo("A person is making music.")])
    assert found["answers"]["music"]["noul"] == pytest.approx(decision.expected, abs=1e-6)
    noul = {"type": "noul", "instructions": "A man plays."}
    many = {str(number): noul for number in range(400)}
    answer = client.post("/v1/systemone", json={"state": state, "questions": many})
    assert (answer.status_code, answer.json()["error"]["param"]) == (413, "state")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"colour": 1}, "colour"),
        ({"questions": []}, "questions"),
        ({"questions": [PREDICATE | {"type": "box"}]}, "questions.0"),
        ({"questions": [PREDICATE | {"levels": []}]}, "questions.0.levels"),
        ({"questions": [CHOICE | {"choices": [{"value": "a"}]}]}, "questions.0.choices"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:"}]}]},
         "input.0.content.0.type"),
    ],
)  # fmt: skip
def test_refused(openai: OpenAI, change: dict[str, Any], param: str) -> None:
    body = {"input": STATE, "questions": [PREDICATE]} | change
    with pytest.raises(BadRequestError) as raised:
        openai.post("/decisions", body=body, cast_to=object)
    assert raised.value.param == param


@pytest.mark.parametrize(
    ("change", "status", "param"),
    [
        ({"state": 3}, 400, "state"),
        ({"state": ""}, 422, None),
        ({"questions": {"a": {"type": "noul"}}}, 400, "questions.a.instructions"),
        ({"questions": {"a": {"type": "predicate", "instructions": "A."}}}, 400, "questions.a"),
        ({"questions": {"a": {"type": "noul", "instructions": "so " * 600}}}, 422, None),
    ],
)
def test_refused_by_systemone(
    client: TestClient, change: dict[str, object], status: int, param: str | None
) -> None:
    body = {"state": STATE, "questions": QUESTIONS} | change
    answer = client.post("/v1/systemone", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)
