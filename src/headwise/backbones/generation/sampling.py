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
_FIRST_ROUND = 16
_EXTENDED = frozenset({"input_ids", "attention_mask"})


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
    given = [(source, prompts[key]) for source, key in zip(sources, keys, strict=True)]
    inputs = [backbone.encode_prompt(*one) for one in given]
    stops = [Stops.of(backbone, *one) for one in given]
    texts: list[list[Draw]] = [[] for _ in sources]
    size = max(1, _BATCH_SEQUENCES // samples)
    with (
        torch.random.fork_rng(),
        torch.inference_mode(),
        progress_bar("Sampling", total=len(sources), enabled=progress) as advance,
    ):
        torch.manual_seed(seed)
        apart = len(set(map(_length, inputs))) > 1 and backbone.left_padding_matters
        for batch in _batches(inputs, stops, size=size, apart=apart):
            rows_of_batch = [index for index in batch for _ in range(samples)]
            written = _written_on(
                backbone,
                [inputs[index] for index in rows_of_batch],
                stops[batch[0]],
                {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
                | ({} if max_new_tokens is None else {"max_new_tokens": max_new_tokens}),
            )
            for index, draw in zip(rows_of_batch, written, strict=True):
                texts[index].append(draw)
            advance(len(batch))
    return texts


def _length(one: Mapping[str, Any]) -> int:
    return int(one["input_ids"].shape[1])


def _batches(
    inputs: Sequence[Mapping[str, Any]], stops: Sequence[Stops], *, size: int, apart: bool
) -> Iterator[list[int]]:
    """Numbers of prompts that share a batch: they end alike, and have one length if ``apart``."""
    alike: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for index in sorted(range(len(inputs)), key=lambda index: (_length(inputs[index]), index)):
        one = inputs[index]
        # What is no tensor is the language to begin with
        others = tuple(value for value in one.values() if not isinstance(value, Tensor))
        alike[_length(one) if apart else 0, others, stops[index]].append(index)
    for found in alike.values():
        yield from (found[start : start + size] for start in range(0, len(found), size))


def _written_on(
    backbone: LanguageBackbone,
    prompts: Sequence[dict[str, Any]],
    stops: Stops,
    options: dict[str, Any],
) -> list[Draw]:
    """What a model writes behind each prompt of a batch.

    A batch is as slow as its longest text: it is written in rounds, each twice as long as those
    before, and what has ended takes no part in the next one.
    """
    going_on = list(range(len(prompts)))
    tokens: list[list[int]] = [[] for _ in prompts]
    drawn: list[Draw] = [Draw("", False) for _ in prompts]
    # Others may hold something of the prompt's length beside, or have a decoder of its own
    in_rounds = not backbone.model.config.is_encoder_decoder and set(prompts[0]) <= _EXTENDED
    merged = _together(prompts)
    options = generation_options(backbone, merged, options)
    most: int | None = options.get("max_new_tokens")
    done = 0
    while True:
        if in_rounds and most is not None:
            length = 2 * done or _first_round(merged)
            options["max_new_tokens"] = min(length, most - done)
        asked = stops.added_to(options, backbone, merged, written=done)
        output = backbone.model.generate(**merged, **asked)
        # A decoder of its own begins with a start token; other models repeat the prompt
        begin = 1 if backbone.model.config.is_encoder_decoder else _length(merged)
        for row, sequence in zip(going_on, output[:, begin:].tolist(), strict=True):
            tokens[row] += sequence
            drawn[row] = _written(backbone, tokens[row], stops)
        done += output.shape[1] - begin
        going_on = [row for row in going_on if not drawn[row].whole]
        if not going_on or not in_rounds or most is None or done >= most:
            break
        merged = _together([_extended(prompts[row], tokens[row]) for row in going_on])
    return drawn


def _first_round(inputs: Mapping[str, Any]) -> int:
    """Tokens within which most answers end: a translation is about as long as its source."""
    return max(_FIRST_ROUND, _length(inputs))


def _extended(prompt: dict[str, Any], tokens: Sequence[int]) -> dict[str, Any]:
    """The prompt with what was written behind it so far."""
    if not tokens:
        return prompt
    behind = prompt["input_ids"].new_tensor([tokens])
    longer = {"input_ids": torch.cat([prompt["input_ids"], behind], dim=1)}
    if "attention_mask" in prompt:
        longer["attention_mask"] = F.pad(prompt["attention_mask"], (0, len(tokens)), value=1)
    return longer


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
