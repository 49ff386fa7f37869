"""When two records of the same hypothesis say the same."""

from collections.abc import Sequence

import pytest

from headwise.data.records.scored import ScoredHypothesis, ScoredToken

ALL_SIGNALS = ("sigmoid", "softmax", "logprob", "entropy", "boosted", "rank")


def assert_same_token(found: ScoredToken, expected: ScoredToken) -> None:
    for name in ("token_id", "text", "start", "end", "special"):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.as_dict().keys() == expected.as_dict().keys()
    for name, value in expected.as_dict().items():
        assert getattr(found, name) == pytest.approx(value, abs=1e-5, rel=1e-5), name


def assert_own_texts(tokens: Sequence[ScoredToken], hypothesis: str) -> None:
    """Every character is the text of one token, even if others have its place as well."""
    texts = "".join(token.text for token in tokens)
    assert "".join(texts.split()) == "".join(hypothesis.split())
    for token in tokens:
        assert hypothesis[token.start : token.end].startswith(token.text)


def assert_same(found: ScoredHypothesis, expected: ScoredHypothesis) -> None:
    """Token by token, every signal to 1e-5."""
    assert (found.source, found.hypothesis) == (expected.source, expected.hypothesis)
    assert found.signals == expected.signals
    assert len(found.tokens) == len(expected.tokens)
    assert len(found.special_tokens) == len(expected.special_tokens)
    for a, b in zip(
        found.tokens + found.special_tokens, expected.tokens + expected.special_tokens, strict=True
    ):
        assert_same_token(a, b)
