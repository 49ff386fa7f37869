"""Score many encoded pairs, in batches of similar length."""

from collections.abc import Callable, Sequence

import torch

from headwise.backbones import EncodedPair, LanguageBackbone
from headwise.data.pairs import Pair
from headwise.data.scored import ScoredHypothesis
from headwise.errors import InputError
from headwise.functional.length_batches import length_batches
from headwise.heads import QualityHead
from headwise.quality.token_signals import SignalRequest, score_encoded


def score_batchwise(
    backbone: LanguageBackbone,
    head: QualityHead | None,
    pairs: Sequence[Pair],
    encoded: Sequence[EncodedPair | InputError],
    request: SignalRequest,
    *,
    batch_tokens: int,
    advance: Callable[[int], None],
) -> list[ScoredHypothesis | InputError]:
    """Score a window of pairs.

    Args:
        backbone: The frozen language model.
        head: Its head.
        pairs: What to score.
        encoded: The same pairs as token ids, or why they cannot be scored.
        request: What to compute.
        batch_tokens: Bound on the padded tokens of a batch.
        advance: Told how many pairs were done since it was last called.

    Returns:
        One result a pair, in the order of the pairs; errors stay in their places.
    """
    results: list[ScoredHypothesis | InputError | None] = [
        code if isinstance(code, InputError) else None for code in encoded
    ]
    good = [(i, code) for i, code in enumerate(encoded) if isinstance(code, EncodedPair)]
    advance(len(pairs) - len(good))
    for batch in length_batches([len(code) for _, code in good], max_tokens=batch_tokens):
        indices = [good[position][0] for position in batch]
        codes = [good[position][1] for position in batch]
        with torch.inference_mode():
            hidden = backbone.target_hidden(codes)
            scored = score_encoded(
                backbone, head, [pairs[i] for i in indices], codes, hidden, request
            )
        for index, one in zip(indices, scored, strict=True):
            results[index] = one
        advance(len(batch))
    return [result for result in results if result is not None]
