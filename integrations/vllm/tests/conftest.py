"""One server of vLLM with the plugin for all tests, and the same model here."""

from collections.abc import Iterator
from itertools import chain, islice, product

import pytest

from headwise import QualityEstimator
from headwise.bundled.examples import example_pairs
from vllm_server import MODEL, POOLING, serving


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Where the server is."""
    with serving(*POOLING, "--enforce-eager") as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture(scope="session")
def estimator() -> QualityEstimator:
    """The same model and heads, read by Transformers."""
    return QualityEstimator.from_pretrained(MODEL)


@pytest.fixture(scope="session")
def pairs() -> list[tuple[str, str]]:
    """200 different pairs of one to three bundled examples."""
    examples = [(one.source or "", one.hypothesis) for one in example_pairs()]
    joined = chain.from_iterable(product(examples, repeat=count) for count in (1, 2, 3))
    return [
        (" ".join(source for source, _ in some), " ".join(text for _, text in some))
        for some in islice(joined, 200)
    ]
