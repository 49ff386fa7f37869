"""Score hypotheses of one source from one reading of the prompt, and sort them."""

from collections.abc import Sequence

import torch

from headwise.backbones import EncodedPair, LanguageBackbone, PromptTemplate
from headwise.data.aggregation import Aggregation
from headwise.data.pairs import Pair
from headwise.data.scored import ScoredHypothesis
from headwise.errors import InputError
from headwise.quality.heads import QualityHeads
from headwise.quality.signal_request import SignalRequest
from headwise.quality.token_signals import score_encoded

_BATCH = 32


def rerank(
    backbone: LanguageBackbone,
    heads: QualityHeads,
    pairs: Sequence[Pair],
    prompt: PromptTemplate,
    request: SignalRequest,
    *,
    by: Aggregation | str,
) -> list[ScoredHypothesis]:
    """Score pairs that share their prompt, best first.

    Args:
        backbone: The frozen language model.
        heads: Its heads.
        pairs: Pairs of one source.
        prompt: How a pair is laid out.
        request: What to compute; the main signal decides.
        by: How token values become the number to sort by.

    Returns:
        All of them; equal ones keep their order, and those without a value come last (of a text
        of one token that nothing closes, no ``omission`` is known).

    Raises:
        InputError: If a pair cannot be scored.
        ValueError: If ``by`` is not defined for the main signal.
    """
    encoded: list[EncodedPair] = []
    for code in backbone.encode([(pair.given, pair.hypothesis) for pair in pairs], prompt):
        if isinstance(code, InputError):
            raise code
        encoded.append(code)
    scored: list[ScoredHypothesis] = []
    for start in range(0, len(pairs), _BATCH):
        part = slice(start, start + _BATCH)
        with torch.inference_mode():
            hidden = backbone.shared_prompt_hidden(encoded[part])
            scored += score_encoded(backbone, heads, pairs[part], encoded[part], hidden, request)
    main = request.signals[0]

    def value(candidate: ScoredHypothesis) -> tuple[bool, float]:
        number = candidate.aggregate(by)
        return (False, 0.0) if number is None else (True, main.oriented(number))

    return sorted(scored, key=value, reverse=True)
