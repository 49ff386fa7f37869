"""Embeddings: OpenAI's client and LangChain's, both encodings, and what is refused."""

import base64

import numpy as np
import pytest
import torch
from langchain_openai import OpenAIEmbeddings
from openai import BadRequestError, OpenAI, UnprocessableEntityError
from starlette.testclient import TestClient

from headwise import EntailmentModel

TEXTS = ["A dog runs on the beach.", "Ein Hund läuft am Strand.", "A dog runs on the beach."]


@pytest.fixture(scope="module")
def openai(live_server: str) -> OpenAI:
    return OpenAI(base_url=f"{live_server}/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def expected(entailment: EntailmentModel) -> torch.Tensor:
    return entailment.embed(TEXTS)


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_openai_client(openai: OpenAI, expected: torch.Tensor, encoding: str | None) -> None:
    options = {} if encoding is None else {"encoding_format": encoding}
    found = openai.embeddings.create(model="minilm-snli", input=TEXTS, **options)
    assert (found.object, found.model) == ("list", "minilm-snli")
    assert [one.index for one in found.data] == [0, 1, 2]
    given = [one.embedding for one in found.data]
    if encoding == "base64":
        given = [np.frombuffer(base64.b64decode(one), dtype="<f4") for one in given]
    np.testing.assert_allclose(np.array(given), expected.numpy(), atol=1e-6)
    assert found.usage.prompt_tokens == found.usage.total_tokens > 20


def test_one_text(openai: OpenAI, expected: torch.Tensor) -> None:
    found = openai.embeddings.create(model="minilm-snli", input=TEXTS[0], dimensions=384)
    assert found.data[0].embedding == pytest.approx(expected[0].tolist(), abs=1e-6)


def test_langchain(live_server: str, expected: torch.Tensor) -> None:
    client = OpenAIEmbeddings(
        model="minilm-snli",
        base_url=f"{live_server}/v1",
        api_key="none",
        check_embedding_ctx_length=False,
    )
    np.testing.assert_allclose(client.embed_documents(TEXTS), expected.numpy(), atol=1e-6)
    np.testing.assert_allclose(client.embed_query(TEXTS[1]), expected[1].numpy(), atol=1e-6)


@pytest.mark.parametrize("ids", [[3923, 374], [[3923, 374], [1]]])
def test_token_ids_are_another_tokeniser_s(openai: OpenAI, ids: list[int]) -> None:
    with pytest.raises(BadRequestError, match="check_embedding_ctx_length=False") as raised:
        openai.embeddings.create(model="minilm-snli", input=ids)
    assert raised.value.param == "input"


def test_embeddings_cannot_be_cut(openai: OpenAI) -> None:
    with pytest.raises(BadRequestError, match="384 dimensions") as raised:
        openai.embeddings.create(model="minilm-snli", input="A dog.", dimensions=128)
    assert raised.value.param == "dimensions"


def test_a_text_that_cannot_be_read_is_named(openai: OpenAI) -> None:
    with pytest.raises(UnprocessableEntityError) as raised:
        openai.embeddings.create(model="minilm-snli", input=["A dog.", "so " * 600])
    assert (raised.value.param, raised.value.code) == ("input.1", "context_length_exceeded")


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"input": "A dog.", "colour": 1}, 400, "colour"),
        ({"input": []}, 400, "input"),
        ({}, 400, "input"),
        ({"input": "A dog.", "encoding_format": "int8"}, 400, "encoding_format"),
        ({"input": ["A dog."] * 257}, 413, "input"),
        ({"input": "A dog.", "model": "text-embedding-3-small"}, 404, "model"),
    ],
)
def test_refused(client: TestClient, body: dict[str, object], status: int, param: str) -> None:
    answer = client.post("/v1/embeddings", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param)
