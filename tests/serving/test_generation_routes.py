"""Generation over HTTP: OpenAI's client and LangChain's, scores beside texts, and errors."""

import asyncio
import itertools
import json
import math
import re
from typing import Any

import httpx
import openai
import pytest
import torch
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, OpenAI
from starlette.testclient import TestClient

from headwise import QualityEstimator
from headwise.backbones import NAMED_PROMPTS
from headwise.data.records.scored import ScoredToken

SOURCE = "Two young children are playing with a dog on the beach."
MESSAGES: Any = [{"role": "user", "content": SOURCE}]
SIGNALS = ["quality", "error", "omission", "softmax"]
NEAR = {"abs": 1e-6}
PROMPT = "A dog "


@pytest.fixture(scope="module")
def ai(live_server: str) -> OpenAI:
    return OpenAI(base_url=f"{live_server}/v1", api_key="none", max_retries=0)


def row_of(token: ScoredToken, shift: int = 0) -> dict[str, Any]:
    row = token.row()
    row |= {"start": row["start"] + shift, "end": row["end"] + shift}
    return {k: pytest.approx(v, **NEAR) if isinstance(v, float) else v for k, v in row.items()}


def same_choices(found: list[Any], token: ScoredToken) -> None:
    right = token.alternatives or ()
    assert [one.token for one in found] == [one.text for one in right]
    logs = [math.log(one.probability) for one in right]
    assert [one.logprob for one in found] == pytest.approx(logs, abs=1e-5)
    assert [bytes(one.bytes).decode() for one in found] == [one.text for one in right]


@pytest.mark.parametrize("signals", [None, SIGNALS], ids=["default", "asked"])
def test_a_chat_stream_has_the_scores_of_a_stream(
    ai: OpenAI, estimator: QualityEstimator, signals: list[str] | None
) -> None:
    right = list(estimator.stream(SOURCE, signals=signals))
    extra = {} if signals is None else {"headwise": {"signals": signals}}
    chunks = list(
        ai.chat.completions.create(
            model="tiny-en-de",
            messages=MESSAGES,
            stream=True,
            stream_options={"include_usage": True},
            extra_body=extra,
        )
    )
    opening, *pieces, ending, usage = chunks
    assert {chunk.id for chunk in chunks} == {opening.id}
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert opening.choices[0].delta.role == "assistant"
    assert [one.choices[0].model_extra["headwise"] for one in pieces] == [*map(row_of, right)]
    assert all(one.choices[0].finish_reason is None for one in pieces)
    text = "".join(one.choices[0].delta.content for one in pieces)
    scored = estimator.generate(SOURCE, signals=signals)
    assert text == scored.hypothesis
    assert ending.choices[0].finish_reason == "stop"
    whole = ending.choices[0].model_extra["headwise"]
    assert whole["flagged"] is scored.flagged
    assert set(whole["signals"]) == set(signals or ["quality"])
    values = [t.quality for t in right if not t.special]
    assert whole["score"] == pytest.approx(sum(values) / len(values))
    assert usage.choices == []
    given = estimator.backbone.encode_prompt(SOURCE, estimator.prompt)["input_ids"].shape[1]
    assert (usage.usage.prompt_tokens, usage.usage.completion_tokens) == (given, len(right))
    assert usage.usage.total_tokens == given + len(right)


@pytest.mark.parametrize("options", [{}, {"max_tokens": 4}, {"stop": ["mit", "Hund"]}], ids=str)
def test_a_whole_chat_answer_has_the_scores_of_generate(
    ai: OpenAI, estimator: QualityEstimator, options: dict[str, Any]
) -> None:
    own = {"max_new_tokens" if name == "max_tokens" else name: v for name, v in options.items()}
    right = estimator.generate(SOURCE, signals=SIGNALS, alternatives=2, **own)
    found = ai.chat.completions.create(
        model="tiny-en-de",
        messages=[{"role": "developer", "content": "Be nice."}, *MESSAGES],
        logprobs=True,
        top_logprobs=2,
        extra_body={"headwise": {"signals": SIGNALS, "alternatives": 1}},
        **options,
    )
    (choice,) = found.choices
    assert choice.message.content == right.hypothesis
    assert choice.finish_reason == ("length" if "max_tokens" in options else "stop")
    row = choice.model_extra["headwise"]
    assert row["score"] == pytest.approx(right.score, **NEAR)
    assert [one["start"] for one in row["tokens"]] == [
        one.start for one in right.tokens + right.special_tokens
    ]
    for one, token in zip(row["tokens"], right.tokens, strict=False):
        expected = row_of(token)
        expected["alternatives"] = [
            [right, pytest.approx(p, **NEAR)] for right, p in (expected["alternatives"][:1])
        ]
        assert one == expected
    assert {"flagged", "to_check", "spans", "gaps", "threshold", "text_quality"} <= set(row)
    assert "logprob" not in row["signals"]
    logprobs = choice.logprobs.content
    assert "".join(one.token for one in logprobs) == right.hypothesis
    assert b"".join(bytes(one.bytes) for one in logprobs) == right.hypothesis.encode()
    for one, token in zip(logprobs, right.tokens, strict=True):
        assert one.logprob == pytest.approx(math.log(token.softmax), abs=1e-5)
        same_choices(one.top_logprobs, token)


def test_nothing_beside_the_text_if_it_is_not_wanted(ai: OpenAI) -> None:
    asked: dict[str, Any] = {
        "model": "tiny-en-de",
        "messages": MESSAGES,
        "extra_body": {"headwise": False},
    }
    found = ai.chat.completions.create(**asked)
    assert found.choices[0].model_extra == {}
    chunks = list(ai.chat.completions.create(**asked, stream=True))
    assert all(chunk.choices[0].model_extra == {} for chunk in chunks)
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == (
        found.choices[0].message.content
    )
    logprobs = ai.chat.completions.create(**asked, logprobs=True).choices[0].logprobs.content
    assert all(one.top_logprobs == [] and one.logprob <= 0 for one in logprobs)


def test_completions_go_on_with_a_text(ai: OpenAI, estimator: QualityEstimator) -> None:
    own = QualityEstimator(
        estimator.backbone,
        estimator.head,
        error_head=estimator.error_head,
        calibration=estimator.calibration,
        prompt=NAMED_PROMPTS["continue"],
    )
    wishes: dict[str, Any] = {"signals": ["quality", "logprob"], "alternatives": 2}
    right = own.generate("A dog", max_new_tokens=16, **wishes)
    asked: dict[str, Any] = {"model": "tiny-en-de", "logprobs": 2}
    found = ai.completions.create(prompt=["A dog", PROMPT], **asked)
    plain, spaced = found.choices
    assert (plain.index, spaced.index, found.object) == (0, 1, "text_completion")
    assert plain.text == " " + right.hypothesis
    assert spaced.text == right.hypothesis  # the space was there
    assert plain.finish_reason == "stop"
    logprobs = plain.logprobs
    assert "".join(logprobs.tokens) == plain.text
    whole = "A dog" + plain.text
    for token, offset in zip(logprobs.tokens, logprobs.text_offset, strict=True):
        assert whole[offset : offset + len(token)] == token
    values = [token.logprob for token in right.tokens]
    assert logprobs.token_logprobs == pytest.approx(values, abs=1e-5)
    for top, token, text in zip(logprobs.top_logprobs, right.tokens, logprobs.tokens, strict=True):
        assert set(top) == {one.text for one in token.alternatives} | {text}
    for one, token in zip(plain.model_extra["headwise"]["tokens"], right.tokens, strict=False):
        assert one["quality"] == pytest.approx(token.quality, **NEAR)
        assert plain.text[one["start"] : one["end"]] == one["text"]
    written = len(right.tokens + right.special_tokens)
    assert found.usage.completion_tokens == 2 * written

    chunks = list(ai.completions.create(prompt="A dog", stream=True, **asked))
    assert "".join(chunk.choices[0].text for chunk in chunks) == plain.text
    *streamed, closing = [chunk.choices[0].logprobs for chunk in chunks[:-1]]
    assert closing is None  # of a special token, which has no text
    assert [one.text_offset[0] for one in streamed] == logprobs.text_offset
    assert [one.tokens[0] for one in streamed] == logprobs.tokens
    for chunk in chunks[:-2]:
        row = chunk.choices[0].model_extra["headwise"]
        assert plain.text[row["start"] : row["end"]] == row["text"]


def test_drawing_is_repeatable_and_answers_differ(ai: OpenAI, estimator: QualityEstimator) -> None:
    asked: dict[str, Any] = {
        "model": "tiny-en-de",
        "messages": MESSAGES,
        "temperature": 2,
        "seed": 5,
        "n": 3,
        "max_tokens": 12,
    }
    state = torch.random.get_rng_state()
    found = ai.chat.completions.create(**asked)
    texts = [choice.message.content for choice in found.choices]
    assert [choice.index for choice in found.choices] == [0, 1, 2]
    assert len(set(texts)) == 3
    streamed = dict.fromkeys(range(3), "")
    for chunk in ai.chat.completions.create(**asked, stream=True):
        streamed[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert [*streamed.values()] == texts
    right = estimator.stream(
        SOURCE,
        do_sample=True,
        temperature=2.0,
        top_k=0,
        max_new_tokens=12,
        generator=torch.Generator().manual_seed(6),
    )
    assert "".join(t.text for t in right if not t.special).replace(" ", "") == (
        texts[1].replace(" ", "")
    )
    assert torch.equal(torch.random.get_rng_state(), state)
    greedy = ai.chat.completions.create(
        **asked | {"temperature": 0, "n": 1, "max_completion_tokens": 40}
    )
    whole = estimator.generate(SOURCE, max_new_tokens=40)
    assert greedy.choices[0].message.content == whole.hypothesis
    once = found.usage.prompt_tokens
    assert greedy.usage.prompt_tokens == once


def test_streams_of_several_clients_and_batches_are_not_mixed_up(
    live_server: str, estimator: QualityEstimator
) -> None:
    sources = [SOURCE, "A dog runs.", "Stocks fell on Monday.", "Three men are in the garden."]
    right = [list(estimator.stream(source, signals=["error", "quality"])) for source in sources]
    pair = {"source": SOURCE, "hypothesis": "Zwei Kinder spielen.", "signals": ["error"]}
    score = estimator.score(SOURCE, pair["hypothesis"], signals=["error"]).score

    async def stream(client: AsyncOpenAI, source: str) -> list[dict[str, Any]]:
        chunks = await client.chat.completions.create(
            model="tiny-en-de",
            messages=[{"role": "user", "content": source}],
            stream=True,
            extra_body={"headwise": {"signals": ["error", "quality"]}},
        )
        rows = [chunk.choices[0].model_extra.get("headwise") async for chunk in chunks]
        return rows[1:-1]

    async def scores(client: httpx.AsyncClient) -> list[float]:
        answers = [await client.post("/v1/score", json=pair) for _ in range(8)]
        return [answer.json()["data"][0]["score"] for answer in answers]

    async def everything() -> list[Any]:
        async with (
            AsyncOpenAI(base_url=f"{live_server}/v1", api_key="none") as client,
            httpx.AsyncClient(base_url=live_server) as plain,
        ):
            asked = [stream(client, source) for source in sources * 2]
            return list(await asyncio.gather(*asked, scores(plain)))

    *streams, scored = asyncio.run(everything())
    for rows, tokens in zip(streams, right * 2, strict=True):
        assert rows == [*map(row_of, tokens)]
    assert scored == pytest.approx([score] * 8, abs=1e-5)


def test_langchain(live_server: str, estimator: QualityEstimator) -> None:
    chat = ChatOpenAI(
        model="tiny-en-de", base_url=f"{live_server}/v1", api_key="none", temperature=0
    )
    right = estimator.generate(SOURCE).hypothesis
    answer = chat.invoke(SOURCE)
    assert answer.content == right
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata["output_tokens"] > 5
    assert "".join(chunk.content for chunk in chat.stream(SOURCE)) == right
    with_logprobs = chat.bind(logprobs=True).invoke(SOURCE)
    content = with_logprobs.response_metadata["logprobs"]["content"]
    assert "".join(one["token"] for one in content) == right


CHAT, TEXT = "/v1/chat/completions", "/v1/completions"
WRONG: list[tuple[str, dict[str, Any], int, str, str | None]] = [
    (CHAT, {"messages": MESSAGES, "colour": 1}, 400, "Unrecognized request argument", "colour"),
    (CHAT, {"messages": MESSAGES, "headwise": {"x": 1}}, 400, "Unrecognized", "headwise.x"),
    (CHAT, {"messages": []}, 400, "messages", "messages"),
    (CHAT, {"messages": MESSAGES, "model": "gpt-4o"}, 404, "does not exist", "model"),
    (CHAT, {"messages": MESSAGES, "tools": [{}]}, 400, "Unsupported parameter: 'tools'", "tools"),
    (
        CHAT,
        {"messages": MESSAGES, "response_format": {"type": "json_object"}},
        *(400, "answers are plain text", "response_format"),
    ),
    (CHAT, {"messages": MESSAGES, "audio": {}}, 400, "texts are read and written", "audio"),
    (CHAT, {"messages": MESSAGES, "top_logprobs": 2}, 400, "need `logprobs: true`", None),
    (CHAT, {"messages": MESSAGES, "temperature": 3}, 400, "less than or equal to 2", "temperature"),
    (CHAT, {"messages": MESSAGES, "n": 17}, 400, "less than or equal to 16", "n"),
    (CHAT, {"messages": MESSAGES, "stop": ["a"] * 5}, 400, "up to 4 texts", None),
    (CHAT, {"messages": MESSAGES, "stream_options": {}}, 400, "only for `stream: true`", None),
    (CHAT, {"messages": [{"role": "tool", "content": "a"}]}, 400, "role of message 1", "messages"),
    (CHAT, {"messages": MESSAGES * 2}, 400, r"has no chat template.*2 messages", "messages"),
    (
        CHAT,
        {"messages": [*MESSAGES, {"role": "assistant", "content": "Zwei"}]},
        *(400, "last message must be the user's", "messages"),
    ),
    (
        CHAT,
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        *(400, "only `text` is read", "messages"),
    ),
    (CHAT, {"messages": MESSAGES, "headwise": {"signals": ["x"]}}, 400, "'x' is not a valid", None),
    (CHAT, {"messages": MESSAGES, "headwise": {"variables": {"x": "y"}}}, 400, "no variable", None),
    (CHAT, {"messages": [{"role": "user", "content": " "}]}, 422, "source is empty", None),
    (CHAT, {"messages": [{"role": "user", "content": "a" * 4000}]}, 422, "512 at most", None),
    (CHAT, {"messages": MESSAGES, "max_tokens": 600}, 422, "512 at most; ask for 4", None),
    (TEXT, {"prompt": [1, 2]}, 400, "holds token ids", "prompt"),
    (TEXT, {"prompt": []}, 400, "is empty", "prompt"),
    (TEXT, {"prompt": "a", "echo": True}, 400, "/v1/score", "echo"),
    (TEXT, {"prompt": "a", "best_of": 2}, 400, "/v1/rerank", "best_of"),
    (TEXT, {"prompt": ["a"] * 100, "n": 3}, 413, "may hold 256", "prompt"),
    (TEXT, {"prompt": "a", "logprobs": 6}, 400, "less than or equal to 5", "logprobs"),
    (TEXT, {"prompt": "a", "frequency_penalty": 0.5}, 400, "not supp", "frequency_penalty"),
]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("path", "body", "status", "message", "param"), WRONG)
def test_wrong_requests(
    client: TestClient,
    path: str,
    body: dict[str, Any],
    status: int,
    message: str,
    param: str | None,
    stream: bool,
) -> None:
    if stream and "stream_options" in body:
        pytest.skip("is right, then")
    response = client.post(path, json={**body, **({"stream": True} if stream else {})})
    error = response.json()["error"]
    assert response.status_code == status, error
    assert re.search(message, error["message"]), error
    assert error["param"] == param
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        ({"model": "x"}, openai.NotFoundError, "model_not_found"),
        ({"tools": [{"type": "function"}]}, openai.BadRequestError, "unsupported_parameter"),
        ({"max_tokens": 999}, openai.UnprocessableEntityError, "context_length_exceeded"),
    ],
)
def test_errors_are_those_of_the_client(
    ai: OpenAI, change: dict[str, Any], kind: type[openai.APIStatusError], code: str
) -> None:
    with pytest.raises(kind) as raised:
        ai.chat.completions.create(**{"model": "tiny-en-de", "messages": MESSAGES, **change})
    assert raised.value.code == code


def test_harmless_fields_are_accepted(client: TestClient) -> None:
    harmless = {
        "model": "tiny-en-de",
        "user": "u",
        "store": False,
        "metadata": {"a": "b"},
        "tools": [],
        "presence_penalty": 0,
        "frequency_penalty": 0.0,
        "logit_bias": None,
        "n": 1,
        "top_p": 1,
        "response_format": {"type": "text"},
        "temperature": 0,
        "seed": None,
        "stop": None,
        "parallel_tool_calls": True,
        "service_tier": "auto",
    }
    response = client.post(CHAT, json={"messages": MESSAGES, "max_tokens": 2, **harmless})
    assert response.status_code == 200, response.text


def test_events_are_openai_s(client: TestClient) -> None:
    response = client.post(CHAT, json={"messages": MESSAGES, "stream": True, "max_tokens": 3})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    *events, end, rest = response.text.split("\n\n")
    assert (end, rest) == ("data: [DONE]", "")
    assert all(event.startswith("data: {") and "\n" not in event for event in events)
    assert json.loads(events[0].removeprefix("data: "))["choices"][0]["delta"]["content"] == ""


def test_what_fails_on_the_way_is_an_event(ai: OpenAI, estimator: QualityEstimator) -> None:
    steps = itertools.count()

    def fail(*_: Any) -> None:
        if next(steps) == 6:
            raise MemoryError("no space")

    handle = estimator.backbone.model.register_forward_pre_hook(fail)
    seen: list[Any] = []
    try:
        chunks = ai.chat.completions.create(model="tiny-en-de", messages=MESSAGES, stream=True)
        with pytest.raises(openai.APIError, match="failed in the middle of this answer"):
            seen.extend(chunks)
    finally:
        handle.remove()
    assert len(seen) > 3
    assert ai.chat.completions.create(model="tiny-en-de", messages=MESSAGES).choices


def test_a_long_answer_does_not_hold_others_back(live_server: str) -> None:
    """A pair that is asked for in the middle of it is scored before its end."""
    order: list[str] = []

    async def long(client: httpx.AsyncClient) -> None:
        asked = {"prompt": "A dog", "max_tokens": 120, "temperature": 2, "seed": 15}
        answer = await client.post(TEXT, json=asked, timeout=60)
        assert answer.json()["usage"]["completion_tokens"] > 40
        order.append(f"long {answer.status_code}")

    async def short(client: httpx.AsyncClient) -> None:
        await asyncio.sleep(0.1)
        pair = {"source": SOURCE, "hypothesis": "Zwei Kinder."}
        answer = await client.post("/v1/score", json=pair)
        order.append(f"short {answer.status_code}")

    async def both() -> None:
        async with httpx.AsyncClient(base_url=live_server) as client:
            await asyncio.gather(long(client), short(client))

    asyncio.run(both())
    assert order == ["short 200", "long 200"]


def test_models(ai: OpenAI, estimator: QualityEstimator) -> None:
    found = {model.id: model for model in ai.models.list()}
    assert set(found) == {"tiny-en-de", "minilm-snli"}
    tiny = ai.models.retrieve("tiny-en-de")
    assert tiny == found["tiny-en-de"]
    assert (tiny.object, tiny.owned_by) == ("model", "headwise")
    assert tiny.model_extra["max_model_len"] == estimator.backbone.max_length
    assert tiny.model_extra["headwise"]["signals"][0] == "quality"
    with pytest.raises(openai.NotFoundError, match="there are: tiny-en-de, minilm-snli"):
        ai.models.retrieve("some/other")


def test_tokens(client: TestClient, estimator: QualityEstimator) -> None:
    tokenizer, said = estimator.backbone.tokenizer, {"prompt": SOURCE}
    for special in (True, False):
        body = {**said, "add_special_tokens": special, "return_token_strs": True, "unknown": 1}
        found = client.post("/tokenize", json=body).json()
        ids = tokenizer(SOURCE, add_special_tokens=special)["input_ids"]
        names = tokenizer.convert_ids_to_tokens(ids)
        assert found == {
            "count": len(ids),
            "max_model_len": 512,
            "tokens": ids,
            "token_strs": names,
        }
    answer = client.post(CHAT, json={"messages": MESSAGES, "max_tokens": 1}).json()
    found = client.post("/tokenize", json={"messages": MESSAGES}).json()
    assert found["count"] == answer["usage"]["prompt_tokens"]
    assert found["token_strs"] is None
    text = client.post("/detokenize", json={"tokens": found["tokens"]}).json()["prompt"]
    assert SOURCE in text
    encoder = client.post("/tokenize", json={**said, "model": "minilm-snli"}).json()
    assert (
        client.post("/detokenize", json={"model": "minilm-snli", "tokens": encoder["tokens"]})
        .json()["prompt"]
        .startswith("[CLS] two young")
    )


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/tokenize", {}, "give `prompt` or `messages`"),
        ("/tokenize", {"messages": MESSAGES, "model": "minilm-snli"}, "reads no conversations"),
        ("/detokenize", {"tokens": [3, 8000]}, "lie in \\[0, 7999\\], got 8000"),
    ],
)
def test_wrong_tokens(client: TestClient, path: str, body: dict[str, Any], message: str) -> None:
    response = client.post(path, json=body)
    assert response.status_code == 400
    assert re.search(message, response.json()["error"]["message"])
