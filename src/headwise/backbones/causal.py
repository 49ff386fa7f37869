"""Frozen decoder-only language models."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.cache_utils import (
    Cache,
    DynamicCache,
    DynamicLayer,
    DynamicSlidingWindowLayer,
)

from headwise.backbones.base import LanguageBackbone, whole
from headwise.backbones.encodings import EncodedPair, hypothesis_ranges, stack_rows, target_rows
from headwise.backbones.prompts.rendered import Rendered
from headwise.backbones.prompts.templates import (
    ChatPromptTemplate,
    PromptTemplate,
    SequenceTemplate,
    Source,
    SourcePair,
    TextTemplate,
)
from headwise.backbones.reading_apart import nearly_equal, probe_ids, reads_from_left_to_right
from headwise.choices import ONLY_LAST
from headwise.errors import (
    InputError,
    PromptBoundaryError,
    PromptError,
    TextError,
    UnsupportedModelError,
)

# Layers of a cache that holds nothing but keys and values
_KEYS_AND_VALUES = (DynamicLayer, DynamicSlidingWindowLayer)
_EMPTY_PROMPT = (
    "The prompt is empty, so that nothing predicts the first token; begin it with {bos}, or with "
    "any text."
)


class CausalBackbone(LanguageBackbone):
    """A frozen causal language model, its hidden states, and its tokeniser.

    The tokeniser must be a fast one, since offsets are needed.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__(model, tokenizer)
        self._decoder = model.get_decoder()
        if not isinstance(self._decoder, PreTrainedModel):  # some call their output layer so
            self._decoder = model.base_model
        if self._decoder is model:  # found by name in vain (Llama 4)
            models = [part for part in model.children() if isinstance(part, PreTrainedModel)]
            self._decoder = models[0] if len(models) == 1 else model
        if self._decoder is model:
            raise UnsupportedModelError(
                f"{type(model).__name__} has no decoder apart from its output layer."
            )
        if not reads_from_left_to_right(model, self.hidden_states, self.rows, self.device):
            raise UnsupportedModelError(
                f"{type(model).__name__} reads both ways: what it makes of a token depends on the "
                "tokens after it, so that its probabilities are no scores. Use a causal language "
                "model (for BERT and its kin, `is_decoder` must be true in config.json)."
            )

    def check_prompt(self, prompt: PromptTemplate) -> None:
        """Refuse a template of the wrong kind (`PromptError`)."""
        if isinstance(prompt, SequenceTemplate):
            raise PromptError(
                "A prompt of kind 'sequence' is for encoder-decoder models; "
                f"{type(self.model).__name__} needs one of kind 'text' or 'chat'."
            )
        prompt.check()
        if isinstance(prompt, ChatPromptTemplate) and not prompt.reaches(self.tokenizer):
            raise PromptError(
                "The model's chat template leaves the user's message out, so that every source "
                "would get the same answer; give a prompt of kind 'text' that spells out the "
                "layout."
            )
        if not self.tokenizer.is_fast:
            raise UnsupportedModelError(
                f"{type(self.tokenizer).__name__} reports no character offsets; "
                "load the model with a fast tokeniser."
            )

    def _encode_good(
        self, pairs: Sequence[SourcePair], prompt: PromptTemplate, limit: int | None, cut: bool
    ) -> Iterator[EncodedPair | InputError]:
        assert not isinstance(prompt, SequenceTemplate)
        results = [self._render(prompt, pair) for pair in pairs]
        rendered = [one for one in results if isinstance(one, Rendered)]
        # Generation reads the prompt's own tokens, and so does scoring
        prompts = list(dict.fromkeys(whole.prompt for whole in rendered))
        given = dict(zip(prompts, self._tokens(prompts)["input_ids"], strict=True))
        tokens = self._tokens([whole.text for whole in rendered])
        rows = zip(rendered, tokens["input_ids"], tokens["offset_mapping"], strict=True)
        for result in results:
            if isinstance(result, Rendered):
                whole, ids, offsets = next(rows)
                try:
                    yield self._encode_one(whole, given[whole.prompt], ids, offsets, limit, cut)
                except InputError as error:
                    yield error
            else:
                yield result

    def _render(
        self, prompt: TextTemplate | ChatPromptTemplate, pair: SourcePair
    ) -> Rendered | InputError:
        try:
            return prompt.render(self.tokenizer, *pair)
        except InputError as error:
            return error

    def _tokens(self, texts: list[str]) -> dict[str, list[Any]]:
        """Token ids and their places in texts that say themselves how they begin."""
        if not texts:
            return {"input_ids": [], "offset_mapping": []}
        found: dict[str, list[Any]] = self.tokenizer(
            texts,
            add_special_tokens=False,
            return_offsets_mapping=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            verbose=False,  # too long a text gets an error of ours, not a warning
        )
        return found

    def _encode_one(
        self,
        whole: Rendered,
        given: list[int],
        ids: list[int],
        offsets: list[tuple[int, int]],
        limit: int | None,
        cut: bool,
    ) -> EncodedPair:
        # Some control tokens take the white space beside them along: that is no text to score
        first = next(
            (
                i
                for i, (a, b) in enumerate(offsets)
                if max(b, a + 1) > whole.prompt_end
                and not (a < whole.prompt_end and ids[i] in self.special_ids)
            ),
            len(ids),
        )
        targets, places = ids[first:], offsets[first:]
        if cut and limit is not None and len(given) < limit:
            targets, places = targets[: limit - len(given)], places[: limit - len(given)]
        self.check_length(len(given) + len(targets), limit=limit)
        self.check_rows([*given, *targets])
        after = next(
            (
                i
                for i, (a, _) in enumerate(places)
                if a >= whole.end or targets[i] in self.special_ids
            ),
            len(targets),
        )
        if after == 0:
            text = whole.text[whole.start : whole.end]
            raise TextError(f"The tokeniser makes no token of the hypothesis {text[:40]!r}.")
        if places[0][0] < whole.prompt_end:
            a, b = places[0]
            raise PromptBoundaryError(
                f"The token {whole.text[a:b]!r} reaches over the end of the prompt, so that the "
                "tokens of the prompt are not a prefix of the whole; end the prompt and begin the "
                "completion where a word ends or begins."
            )
        if not given:
            raise PromptError(_EMPTY_PROMPT)
        blank = [self.is_blank(target) for target in targets[:after]]
        return EncodedPair(
            input_ids=(*given, *targets[:-1]),
            first=len(given) - 1,
            targets=tuple(targets),
            ranges=tuple(
                hypothesis_ranges(
                    places[:after], blank, whole.text, start=whole.start, end=whole.end
                )
            ),
        )

    def encode_prompt(self, source: Source, prompt: PromptTemplate) -> dict[str, Tensor]:
        """What ``model.generate`` starts from, as a batch of one."""
        assert not isinstance(prompt, SequenceTemplate)
        self.check_source(source, prompt)
        (ids,) = self._tokens([prompt.render_prompt(self.tokenizer, source)])["input_ids"]
        if not ids:
            raise PromptError(_EMPTY_PROMPT)
        self.check_length(len(ids), limit=self.length_limit())
        self.check_rows(ids)
        tensor = torch.tensor([ids], device=self.device)
        return {"input_ids": tensor, "attention_mask": torch.ones_like(tensor)}

    def closing(self, source: Source, prompt: PromptTemplate) -> tuple[str, int | None]:
        """What follows a hypothesis: plain text, and the first control token behind it, if any."""
        assert not isinstance(prompt, SequenceTemplate)
        text = prompt.render(self.tokenizer, source, "a").closing
        found = self._tokens([text])
        for token_id, (a, _) in zip(found["input_ids"][0], found["offset_mapping"][0], strict=True):
            if token_id in self.special_ids:
                return text[:a], token_id
        return text, None

    def hidden_states(
        self, input_ids: Tensor, *, layers: Sequence[int] = ONLY_LAST, **inputs: Any
    ) -> Tensor:
        """Hidden states that enter the unembedding, ``(B, T, H)``, in the model's dtype.

        Args:
            input_ids: Token ids, ``(B, T)``.
            layers: Layers whose hidden states are wanted instead, side by side in the last
                dimension. What lies above all of them does not run.
            inputs: Further inputs of the model's decoder, an attention mask for instance.
        """
        return self._read(self.layer_numbers(layers), whole, input_ids=input_ids, **inputs)

    def _read(
        self, layers: Sequence[int], keep: Callable[[Tensor], Tensor], **inputs: Any
    ) -> Tensor:
        self._forget_lengths()
        inputs = {"use_cache": False, **inputs}
        return self._of_pass(lambda: self._decoder(**inputs).last_hidden_state, layers, keep)

    def _target_hidden(self, batch: list[EncodedPair], layers: Sequence[int] = ONLY_LAST) -> Tensor:
        ids, _ = stack_rows([pair.input_ids for pair in batch], device=self.device)
        return self._read(layers, partial(target_rows, pairs=batch), input_ids=ids)

    def shared_prompt_hidden(
        self, pairs: Sequence[EncodedPair], *, layers: Sequence[int] = ONLY_LAST
    ) -> Tensor:
        """Like :meth:`target_hidden`, for pairs that share their prompt.

        It is read once where its keys and values are all that the model remembers of it, else
        anew for every pair.

        Raises:
            PromptBoundaryError: If the prompts differ.
        """
        batch = list(pairs)
        first = batch[0].first
        prefix = batch[0].input_ids[:first]
        if any(pair.first != first or pair.input_ids[:first] != prefix for pair in batch):
            raise PromptBoundaryError("The hypotheses do not share the tokens of one prompt.")
        longest = max(len(pair.input_ids) for pair in batch)
        numbers = self.layer_numbers(layers)
        # No layer below the embedding leaves keys and values, by whose number positions count
        if not prefix or not any(numbers) or not self.reads_step_by_step(longest):
            return self.target_hidden(batch, layers=layers)
        return self._after_prompt(batch, numbers)

    def reads_step_by_step(self, tokens: int) -> bool:
        """Whether a text of so many tokens gets the same numbers token by token as in one pass."""
        return self._goes_on_from_cache and not self.length_matters(tokens)

    @cached_property
    def _goes_on_from_cache(self) -> bool:
        """Whether keys and values of a prompt are all that the model remembers of it.

        Recurrent models keep a state of another kind, or outside of the cache; some ignore a
        cache, and some fail on it. So the model is asked: it reads a few tokens in both ways.
        """
        numbers = probe_ids(self.model, 12)
        prompt = numbers[:6]
        pairs = [
            EncodedPair((*prompt, *targets[:-1]), len(prompt) - 1, targets, ())
            for targets in (numbers[6:], numbers[8:10], numbers[11:])
        ]
        try:
            layers = DynamicCache(config=self.model.config).layers
            if any(type(layer) not in _KEYS_AND_VALUES for layer in layers):
                return False
            with torch.inference_mode():
                shared, alone = self._after_prompt(pairs), self.target_hidden(pairs)
        except Exception:  # noqa: BLE001 - whatever a model says that takes no such cache
            return False
        return nearly_equal(shared, alone)

    def _after_prompt(self, batch: list[EncodedPair], layers: Sequence[int] = ONLY_LAST) -> Tensor:
        """Read the prompt of pairs that share it once, and go on from its keys and values."""
        first = batch[0].first
        cache: Cache = DynamicCache(config=self.model.config)
        given = torch.tensor([batch[0].input_ids[:first]], device=self.device)
        cached = {"past_key_values": cache, "use_cache": True}
        self._read(layers, whole, input_ids=given, **cached)
        cache.batch_repeat_interleave(len(batch))
        ids, mask = stack_rows([pair.input_ids[first:] for pair in batch], device=self.device)
        mask = torch.cat([mask.new_ones(len(batch), first), mask], dim=1)
        keep = partial(target_rows, pairs=batch, skipped=first)
        return self._read(layers, keep, input_ids=ids, attention_mask=mask, **cached)

    def _probe_inputs(self) -> dict[str, Tensor]:
        return {"input_ids": torch.arange(4, device=self.device).unsqueeze(0)}
