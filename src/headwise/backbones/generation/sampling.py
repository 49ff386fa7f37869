"""What a language model would say itself: hypotheses that are drawn from it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

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

    Prompts of similar length share a batch, padded on the left; of a model that goes on otherwise
    behind padding, those of the same length.

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
        lengths = [one["input_ids"].shape[1] for one in inputs]
        apart = len(set(lengths)) > 1 and backbone.left_padding_matters
        for batch in _batches(lengths, keys, size=size, apart=apart):
            merged = _together([inputs[index] for index in batch])
            stops = Stops.of(backbone, sources[batch[0]], prompts[keys[batch[0]]])
            options = generation_options(
                backbone,
                merged,
                {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0} | asked,
            )
            options = stops.added_to(options, backbone, merged)
            options["num_return_sequences"] = samples
            output = backbone.model.generate(**merged, **options)
            length = merged["input_ids"].shape[1]
            for row, sequence in enumerate(output[:, given or length :].tolist()):
                texts[batch[row // samples]].append(_written(backbone, sequence, stops))
            advance(len(batch))
    return texts


def _batches(
    lengths: Sequence[int], keys: Sequence[str], *, size: int, apart: bool
) -> Iterator[list[int]]:
    """Numbers of prompts that share a batch: of one template, and of one length if ``apart``."""
    alike: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for index in sorted(range(len(lengths)), key=lambda index: (lengths[index], index)):
        alike[lengths[index] if apart else 0, keys[index]].append(index)
    for _, found in sorted(alike.items()):
        yield from (found[start : start + size] for start in range(0, len(found), size))


def _together(inputs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Inputs of one text each as those of a batch, padded on the left with what a mask hides."""
    longest = max(one["input_ids"].shape[1] for one in inputs)

    def joined(name: str) -> Tensor:
        filling = 0 if name == "attention_mask" else int(inputs[0]["input_ids"][0, 0])
        rows = (one[name] for one in inputs)
        return torch.cat([F.pad(row, (longest - row.shape[1], 0), value=filling) for row in rows])

    # What is no tensor is the language to begin with, which follows from the prompt
    return {
        name: joined(name) if isinstance(value, Tensor) else value
        for name, value in inputs[0].items()
    }


def _written(backbone: LanguageBackbone, token_ids: Sequence[int], stops: Stops) -> Draw:
    writer = HypothesisWriter(backbone, stops)
    ended = False
    for token_id in token_ids:
        if ended := token_id in backbone.special_ids and bool(writer.text):
            break  # what follows the end pads the batch
        writer.push(token_id)
    writer.finish()
    return Draw(writer.text.rstrip(), ended or writer.stopped)
