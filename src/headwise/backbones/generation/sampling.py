"""What a language model would say itself: hypotheses that are drawn from it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from headwise.backbones import LanguageBackbone, PromptTemplate
from headwise.backbones.generation.stopping import Stops
from headwise.backbones.generation.tokens import generation_options
from headwise.backbones.generation.written_text import HypothesisWriter
from headwise.backbones.row_prompts import prompt_of_row
from headwise.progress import progress_bar

_BATCH_SEQUENCES = 128


class Draw(NamedTuple):
    """A text that was drawn, and whether it came to its end, or was cut where there was no room."""

    text: str
    whole: bool


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
    drawn = draw_hypotheses(
        backbone,
        sources,
        prompt,
        samples=samples,
        rows=rows,
        temperature=temperature,
        seed=seed,
        max_new_tokens=max_new_tokens,
        progress=progress,
    )
    return [[one.text for one in of_source] for of_source in drawn]


def draw_hypotheses(
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
) -> list[list[Draw]]:
    """As :func:`sample_hypotheses`, and whether each text came to its end."""
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
    texts: list[list[Draw]] = [[] for _ in sources]
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


def _written(backbone: LanguageBackbone, token_ids: Sequence[int], stops: Stops) -> Draw:
    writer = HypothesisWriter(backbone, stops)
    ended = False
    for token_id in token_ids:
        if ended := token_id in backbone.special_ids and bool(writer.text):
            break  # what follows the end pads the batch
        writer.push(token_id)
    writer.finish()
    return Draw(writer.text.rstrip(), ended or writer.stopped)
