"""Features by the plain formulas: the whole text through the whole model, all logits at once."""

from dataclasses import fields
from typing import Any

import torch

from headwise.backbones import CausalBackbone, PromptTemplate
from headwise.data.records.pairs import Pair
from headwise.features import FeatureBatch


@torch.no_grad()
def plain_features(
    backbone: CausalBackbone,
    pair: Pair,
    prompt: PromptTemplate,
    *,
    number: int,
    candidates: int,
    has_errors: bool,
) -> FeatureBatch:
    """Features of one pair, which is number `number` of the data."""
    tokenizer = backbone.tokenizer
    whole = prompt.render(tokenizer, pair.given, pair.hypothesis)
    first = len(tokenizer(prompt.render_prompt(tokenizer, pair.given))["input_ids"])
    ids = torch.tensor(tokenizer(whole.text)["input_ids"])
    closing = len(tokenizer(whole.text[whole.end :])["input_ids"])
    out = backbone.model(input_ids=ids[None], output_hidden_states=True)
    log_probs = out.logits[0, first - 1 : -1].float().log_softmax(-1)  # (N, V)
    top_log_probs, top_ids = log_probs.topk(candidates)
    targets = ids[first:]
    return FeatureBatch(
        hidden=out.hidden_states[-1][0, first - 1 : -1],
        targets=targets,
        keys=number * 2**24 + torch.arange(len(targets)),
        top_ids=top_ids,
        top_log_probs=top_log_probs,
        entropy=-(log_probs.exp() * log_probs).sum(-1),
        errors=torch.tensor(_marks(backbone, pair, targets)) if has_errors else None,
        counts=(len(targets),),
        closing=torch.arange(len(targets)) >= len(targets) - closing,
        # No gaps in these texts
        missing=torch.zeros(len(targets), dtype=torch.bool) if has_errors else None,
        missing_known=(
            torch.full((len(targets),), pair.errors is not None) if has_errors else None
        ),
    )


def _marks(backbone: CausalBackbone, pair: Pair, targets: torch.Tensor) -> list[bool]:
    """Whether a byte-level token holds a byte of a marked character.

    A space in front of a word is not looked at; one that is a token alone stands for itself.
    """
    wrong = [
        mark
        for place, character in enumerate(pair.hypothesis)
        for mark in [any(e.start <= place < e.end for e in pair.errors or ())]
        * len(character.encode())
    ]  # of each byte
    marks = []
    # The closing tokens are ASCII as well, so that a piece has as many characters as bytes
    pieces = backbone.tokenizer.convert_ids_to_tokens(targets.tolist())
    start = -1 if pieces[0].startswith("Ġ") else 0  # the prompt's space before the hypothesis
    for piece in pieces:
        end = start + len(piece)
        first = start + len(piece) - len(piece.lstrip("Ġ"))
        marks.append(
            end <= len(wrong) and any(wrong[max(0, start if first == end else first) : end])
        )
        start = end
    return marks


def joined(batches: list[FeatureBatch]) -> FeatureBatch:
    """Batches one after another."""
    values: dict[str, Any] = {}
    for field in fields(FeatureBatch):
        parts = [getattr(batch, field.name) for batch in batches]
        values[field.name] = None if parts[0] is None else _together(parts)
    return FeatureBatch(**values)


def _together(parts: list[Any]) -> Any:
    if isinstance(parts[0], tuple):
        return tuple(value for part in parts for value in part)
    return torch.cat(parts)


def assert_equal(found: FeatureBatch, expected: FeatureBatch) -> None:
    """Bit by bit, dtypes included."""
    assert_close(found, expected, tolerance=0.0)


def assert_close(found: FeatureBatch, expected: FeatureBatch, *, tolerance: float = 1e-5) -> None:
    """Integers and marks bit by bit, the rest up to rounding."""
    assert found.counts == expected.counts
    for name in ("errors", "missing", "missing_known", "errors_known", "statistics"):
        assert (getattr(found, name) is None) == (getattr(expected, name) is None)
    for name in ("targets", "keys", "top_ids", "closing", "errors", "missing", "missing_known"):
        if getattr(expected, name) is not None:
            torch.testing.assert_close(
                getattr(found, name), getattr(expected, name), rtol=0.0, atol=0.0
            )
    for name in ("hidden", "top_log_probs", "entropy", "statistics"):
        if getattr(expected, name) is not None:
            torch.testing.assert_close(
                getattr(found, name), getattr(expected, name), rtol=tolerance, atol=tolerance
            )
