"""Generate token by token: each is one pass of the model, made when the next token is asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessorList
from transformers.generation import stopping_criteria as stopping

from headwise.backbones import LanguageBackbone
from headwise.backbones.generation.tokens import captured_hidden, generation_options
from headwise.choices import ONLY_LAST
from headwise.errors import ContextLengthError

Finish = Literal["stop", "length"]
"""Why a text ended: where it was complete or told to stop, or because it may not be longer."""


class TokenStream(Iterator[tuple[int, Tensor]]):
    """Generated tokens and the hidden states that each was chosen from, ``(H,)``.

    A token is made when it is asked for, in the thread that asks, as ``model.generate`` would make
    it. Between two tokens nothing runs and nothing is left in the model, so that others may use it.

    Attributes:
        prompt_tokens: How many tokens the model was given.
        token_ids: What has been generated.
        finish: Why the text ended; ``None`` while it has not.

    Raises:
        ValueError: If beams are asked for, whose tokens are not final before the end, or an option
            cannot be followed.
        ContextLengthError: When the text becomes so long that the model reads all of it otherwise.
    """

    def __init__(
        self,
        backbone: LanguageBackbone,
        inputs: dict[str, Any],
        options: dict[str, Any],
        layers: Sequence[int] = ONLY_LAST,
    ) -> None:
        """Get ready; the first pass is made for the first token.

        Args:
            backbone: The language model.
            inputs: What its ``generate`` starts from, a batch of one.
            options: Options of its ``generate``, and ``generator``: a random generator for
                sampling, by default PyTorch's own of the whole process.
            layers: Of which layers hidden states are handed out.
        """
        given = options.get("generation_config")
        if (options.get("num_beams") or getattr(given, "num_beams", None) or 1) != 1:
            raise ValueError("`stream` cannot use beams: their tokens are final only at the end.")
        options = dict(options)
        self._generator: torch.Generator | None = options.pop("generator", None)
        # The model's own wish for beams is left out (Marian's)
        self._options = generation_options(backbone, inputs, options) | {"num_beams": 1}
        self._backbone, self._inputs, self._layers = backbone, inputs, layers
        self._run: _Run | None = None
        self._start = (
            1 if backbone.model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
        )
        self.prompt_tokens: int = inputs["input_ids"].shape[1]
        self.token_ids: list[int] = []
        self.finish: Finish | None = None

    def __next__(self) -> tuple[int, Tensor]:
        if self.finish is not None:
            raise StopIteration
        length = self._start + len(self.token_ids)
        # Entered and left within a step: a generator that is closed elsewhere could not leave it
        with torch.inference_mode(), captured_hidden(self._backbone, self._layers) as steps:
            run = self._run = self._run or _prepared(
                self._backbone.model.generate, self._inputs, self._options
            )
            token_id = run.step(self._generator)
            self.finish = run.finish()
        if not self._backbone.reads_on(self._start, length):
            raise ContextLengthError(
                f"Prompt and text have grown to {length} tokens, and the model reads a text of "
                "that length otherwise from its start, so that the tokens before have other "
                "values now; use `generate`, or a smaller `max_new_tokens`."
            )
        self.token_ids.append(token_id)
        return token_id, steps[-1][0]


@dataclass(slots=True)
class _Run:
    """A generation as Transformers prepared it, and where it stands."""

    model: Any
    ids: Any  # Transformers wants a type that PyTorch does not give
    processors: LogitsProcessorList
    criteria: stopping.StoppingCriteriaList
    config: GenerationConfig
    inputs: dict[str, Any]
    begun: bool = False

    def step(self, generator: torch.Generator | None) -> int:
        """One more token, chosen greedily or drawn."""
        model = self.model
        if self.begun:
            one = 1 if self.inputs["use_cache"] else None
            inputs = model.prepare_inputs_for_generation(
                self.ids, next_sequence_length=one, **self.inputs
            )
            output = model(**inputs, return_dict=True)
        else:
            output = model._prefill(self.ids, self.config, self.inputs)
            self.begun = True
        self.inputs = model._update_model_kwargs_for_generation(
            output, self.inputs, is_encoder_decoder=model.config.is_encoder_decoder
        )
        # A copy, which some processors change in place
        logits = output.logits[:, -1].to(copy=True, dtype=torch.float32, device=self.ids.device)
        scores = logits
        for process in self.processors:
            scores = process(self.ids, scores)
        if self.config.do_sample:
            token = torch.multinomial(scores.softmax(-1), 1, generator=generator)
        else:
            token = scores.argmax(-1, keepdim=True)
        self.ids = torch.cat([self.ids, token], dim=-1)
        return int(token)

    def finish(self) -> Finish | None:
        """Why the text ends here, if it does."""
        ended = [one for one in self.criteria if bool(one(self.ids, None).all())]
        limits = (stopping.MaxLengthCriteria, stopping.MaxTimeCriteria)
        if any(not isinstance(one, limits) for one in ended):
            return "stop"
        return "length" if ended else None


def _prepared(
    generate: Callable[..., Any], inputs: dict[str, Any], options: dict[str, Any]
) -> _Run:
    """Let Transformers read all options and prepare the model's inputs, and take over from there.

    References:
        ``custom_generate`` of ``GenerationMixin.generate``,
        https://huggingface.co/docs/transformers/main/en/generation_strategies#custom-generation-methods
    """

    def take(
        model: Any,
        input_ids: Tensor,
        logits_processor: LogitsProcessorList,
        stopping_criteria: stopping.StoppingCriteriaList,
        generation_config: GenerationConfig,
        **model_kwargs: Any,
    ) -> _Run:
        return _Run(
            model, input_ids, logits_processor, stopping_criteria, generation_config, model_kwargs
        )

    options = dict(options)
    # With a generation of one's own, Transformers loses the tokeniser that these need
    strings, tokenizer = options.pop("stop_strings", None), options.pop("tokenizer", None)
    if strings is not None:
        if tokenizer is None:
            raise ValueError("`stop_strings` need `tokenizer`; use `stop`, which does not.")
        own = stopping.StopStringCriteria(tokenizer, strings)
        options["stopping_criteria"] = [*(options.get("stopping_criteria") or ()), own]
    criteria = stopping.StoppingCriteriaList(options.pop("stopping_criteria", None) or ())
    run = generate(**inputs, **options, stopping_criteria=criteria, custom_generate=take)
    assert isinstance(run, _Run)
    return run
