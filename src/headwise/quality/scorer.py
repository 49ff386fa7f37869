"""Score many pairs, in batches of similar length."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch

from headwise.backbones import EncodedPair, LanguageBackbone, PromptTemplate
from headwise.data.jobs import timed_windows
from headwise.data.records.aggregation import Aggregation
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.errors import InputError
from headwise.functional.length_batches import length_batches
from headwise.progress import progress_bar
from headwise.quality.signal_request import QualityHeads, SignalRequest
from headwise.quality.token_signals import score_encoded

# Measured: small batches keep a CPU's caches warm, an accelerator wants work in bulk
_BATCH_TOKENS_CPU, _BATCH_TOKENS_ACCELERATOR = 1024, 32768


def default_batch_tokens(backbone: LanguageBackbone) -> int:
    """Padded tokens a batch that suit the device of a model."""
    return _BATCH_TOKENS_CPU if backbone.device.type == "cpu" else _BATCH_TOKENS_ACCELERATOR


def score_batchwise(
    backbone: LanguageBackbone,
    heads: QualityHeads,
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
        heads: Its heads.
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
                backbone, heads, [pairs[i] for i in indices], codes, hidden, request
            )
        for index, one in zip(indices, scored, strict=True):
            results[index] = one
        advance(len(batch))
    return [result for result in results if result is not None]


def score_windows(
    backbone: LanguageBackbone,
    heads: QualityHeads,
    pairs: Iterable[Pair | tuple[str | None, str]],
    prompt: PromptTemplate,
    request: SignalRequest,
    *,
    batch_tokens: int,
    raising: bool = True,
    progress: bool = False,
) -> Iterator[ScoredHypothesis | InputError]:
    """Score a stream of pairs in bounded memory.

    Args:
        backbone: The frozen language model.
        heads: Its heads.
        pairs: What to score; read as they are needed.
        prompt: How a pair is laid out.
        request: What to compute.
        batch_tokens: Bound on the padded tokens of a batch.
        raising: Whether an error is raised, instead of yielded in the place of its pair.
        progress: Whether to show a progress bar on standard error.

    Yields:
        One result a pair, in input order.
    """
    total = len(pairs) if isinstance(pairs, Sequence) else None
    stream = map(Pair.of, pairs)
    with progress_bar("Scoring", total=total, enabled=progress) as advance:
        # A window of as many pairs as a batch has tokens holds enough pairs of each length
        for window in timed_windows(stream, most=batch_tokens):
            encoded = backbone.encode([(p.given, p.hypothesis) for p in window], prompt)
            for result in score_batchwise(
                backbone,
                heads,
                window,
                encoded,
                request,
                batch_tokens=batch_tokens,
                advance=advance,
            ):
                if raising and isinstance(result, InputError):
                    raise result
                yield result


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
