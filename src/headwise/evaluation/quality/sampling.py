"""What a language model would say itself: sampled hypotheses, and how probable they are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from headwise.backbones import LanguageBackbone, PromptTemplate
from headwise.backbones.row_prompts import prompt_of_row
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.progress import progress_bar
from headwise.quality import QualityEstimator
from headwise.quality.generation.stopping import Stops
from headwise.quality.generation.tokens import generation_options
from headwise.quality.generation.written_text import HypothesisWriter

_BATCH_SEQUENCES = 128


def sample_hypotheses(
    backbone: LanguageBackbone,
    sources: Sequence[str | None],
    prompt: PromptTemplate,
    *,
    samples: int,
    rows: Sequence[Mapping[str, Any]] | None = None,
    temperature: float = 1.0,
    seed: int = 0,
    max_new_tokens: int | None = None,
    progress: bool = False,
) -> list[list[str]]:
    """Draw hypotheses from the model's own distribution, nothing cut off from it.

    Sources whose prompts have the same number of tokens share a batch, so that no padding is
    needed.

    Args:
        backbone: The frozen language model.
        sources: What to answer to or translate.
        prompt: How a source becomes a prompt.
        samples: Hypotheses a source, at least 1.
        rows: Columns beside each source, from which the prompt may take variables.
        temperature: Divides the logits; above 0.
        seed: The same seed gives the same hypotheses on the same machine. The global random
            state of PyTorch is left as it was.
        max_new_tokens: Bound on the tokens of a hypothesis; 256, or less where the model's
            context is short, by default.
        progress: Whether to show a progress bar on standard error.

    Returns:
        ``samples`` texts a source; a text may be empty.

    Raises:
        ValueError: If ``samples`` or ``temperature`` is out of range.
        InputError: If a source cannot be read by the model.
    """
    if samples < 1:
        raise ValueError(f"`samples` must be at least 1, got {samples}.")
    if not temperature > 0:
        raise ValueError(f"`temperature` must be above 0, got {temperature}.")
    prompts: dict[str, PromptTemplate] = {"": prompt}
    keys = [""] * len(sources)
    if prompt.columns:
        own = rows or [{}] * len(sources)
        keys = [prompt_of_row(backbone, prompt, row, checked=prompts) for row in own]
    inputs = [backbone.encode_prompt(s, prompts[k]) for s, k in zip(sources, keys, strict=True)]
    alike: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for index, (one, key) in enumerate(zip(inputs, keys, strict=True)):
        alike[one["input_ids"].shape[1], key].append(index)
    asked = {} if max_new_tokens is None else {"max_new_tokens": max_new_tokens}
    # A decoder of its own begins with a start token; other models repeat the prompt
    given = 1 if backbone.model.config.is_encoder_decoder else None
    texts: list[list[str]] = [[] for _ in sources]
    size = max(1, _BATCH_SEQUENCES // samples)
    with (
        torch.random.fork_rng(),
        torch.inference_mode(),
        progress_bar("Sampling", total=len(sources), enabled=progress) as advance,
    ):
        torch.manual_seed(seed)
        for length, key in sorted(alike):
            for start in range(0, len(alike[length, key]), size):
                batch = alike[length, key][start : start + size]
                merged = {
                    # What is no tensor is the language to begin with, which follows from the prompt
                    name: torch.cat([inputs[index][name] for index in batch])
                    if isinstance(first, Tensor)
                    else first
                    for name, first in inputs[batch[0]].items()
                }
                stops = Stops.of(backbone, sources[batch[0]], prompts[key])
                options = generation_options(
                    backbone,
                    merged,
                    {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
                    | asked,
                )
                options = stops.added_to(options, backbone, merged)
                options["num_return_sequences"] = samples
                output = backbone.model.generate(**merged, **options)
                for row, sequence in enumerate(output[:, given or length :].tolist()):
                    texts[batch[row // samples]].append(_written(backbone, sequence, stops))
                advance(len(batch))
    return texts


def monte_carlo_probability(
    estimator: QualityEstimator,
    scored: Sequence[ScoredHypothesis],
    *,
    samples: int,
    seed: int = 0,
    progress: bool = False,
) -> list[float]:
    """Monte Carlo sequence probability: how sure the model is of what it says to a source.

    The mean, over the hypothesis and ``samples`` hypotheses that the model draws for the same
    source, of the geometric mean of the softmax probabilities of their tokens. It says more about
    the source than about the hypothesis. These need the signal ``softmax`` and a token each.

    Returns:
        Probabilities in [0, 1], one a hypothesis.

    Raises:
        ValueError: If ``samples`` is less than 1, or ``softmax`` was not computed.

    References:
        Kuhn, Gal & Farquhar 2023, arXiv 2302.09664, section 2 (sampled sequences, length
        normalised); here a mean of probabilities instead of their logarithms.
    """
    columns = tuple(estimator.prompt.columns.values())

    def asked(one: ScoredHypothesis) -> tuple[str | None, str]:
        return one.source, repr([(one.extra or {}).get(column) for column in columns])

    # Hypotheses of one source share its draws
    firsts: dict[tuple[str | None, str], ScoredHypothesis] = {}
    for one in scored:
        firsts.setdefault(asked(one), one)
    drawn = sample_hypotheses(
        estimator.backbone,
        [one.source for one in firsts.values()],
        estimator.prompt,
        samples=samples,
        rows=[one.extra or {} for one in firsts.values()],
        seed=seed,
        progress=progress,
    )
    pairs = [
        Pair(one.source, text, extra=one.extra or {})
        for one, texts in zip(firsts.values(), drawn, strict=True)
        for text in texts
        if text.strip()
    ]
    found: defaultdict[tuple[str | None, str], list[float]] = defaultdict(list)
    for draw in estimator.score_many(
        pairs, signals=(Signal.SOFTMAX,), errors="yield", progress=progress
    ):
        # What the model said may not be readable as a hypothesis; such a draw is left out
        if isinstance(draw, ScoredHypothesis):
            found[asked(draw)].append(_probability(draw))
    return [
        (_probability(one) + sum(found[asked(one)])) / (1 + len(found[asked(one)]))
        for one in scored
    ]


def _probability(scored: ScoredHypothesis) -> float:
    value = scored.aggregate("geometric_mean", signal=Signal.SOFTMAX)
    assert value is not None
    return value


def _written(backbone: LanguageBackbone, token_ids: Sequence[int], stops: Stops) -> str:
    writer = HypothesisWriter(backbone, stops)
    for token_id in token_ids:
        if token_id in backbone.special_ids and writer.text:
            break  # what follows the end pads the batch
        writer.push(token_id)
    writer.finish()
    return writer.text.rstrip()
