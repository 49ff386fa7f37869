"""Frozen encoder-decoder models: Marian, NLLB, mBART, T5, Whisper's text decoder."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from headwise.backbones.base import LanguageBackbone, whole
from headwise.backbones.encodings import (
    EncodedPair,
    align_pieces,
    chosen_target,
    hypothesis_ranges,
    stack_rows,
    target_rows,
)
from headwise.backbones.frozen_model import embedding_rows
from headwise.backbones.prompts import PromptTemplate, SequenceTemplate
from headwise.backbones.prompts.templates import Source, SourcePair
from headwise.choices import ONLY_LAST
from headwise.errors import InputError, PromptError, TextError, UnsupportedModelError
from headwise.languages import codes_among, language_code

_CODES = "'deu_Latn' for NLLB, 'de_DE' for mBART, 'de' for M2M100, for instance"


class EncoderDecoderBackbone(LanguageBackbone):
    """A frozen encoder-decoder model, its decoder's hidden states, its fast or slow tokeniser."""

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__(model, tokenizer)
        # A decoder may be a language model with an output layer of its own (bert2bert)
        self._encoder, self._decoder = model.get_encoder(), model.get_decoder().base_model
        self._fitted = getattr(model, "enc_to_dec_proj", None)
        # T5 with tied embeddings scales what enters its output layer
        scaled = getattr(model.config, "scale_decoder_outputs", None)
        if scaled is None and model.config.model_type in ("umt5", "switch_transformers"):
            scaled = model.config.tie_word_embeddings
        self._scale = model.config.d_model**-0.5 if scaled else 1.0
        # Which languages a tokeniser tells apart by tokens, and its own choice of them
        self._speaks = hasattr(tokenizer, "set_tgt_lang_special_tokens")
        self._own_source = getattr(tokenizer, "src_lang", None)
        self._own_target = chosen_target(tokenizer)
        tokens = getattr(tokenizer, "lang_code_to_id", None) or self.control_tokens()
        self._codes = codes_among(tokens if self._speaks else ())

    @cached_property
    def _source_rows(self) -> int:
        return embedding_rows(self._encoder)

    @cached_property
    def rows(self) -> int:
        """How many tokens the decoder can read and write."""
        return min(embedding_rows(self._decoder), self.vocabulary_size)

    def check_prompt(self, prompt: PromptTemplate) -> None:
        """Refuse a template of the wrong kind, or with an unknown or missing language.

        Raises:
            PromptError: If it is; a tokeniser with language codes needs a target language.
            UnsupportedModelError: If the model reads no text.
        """
        if self.model.main_input_name != "input_ids":
            raise UnsupportedModelError(
                f"{type(self.model).__name__} reads {self.model.main_input_name}, not a source "
                "text, so that no pairs of texts can be scored with it; use a model of text."
            )
        if not isinstance(prompt, SequenceTemplate):
            raise PromptError(
                f"{type(self.model).__name__} needs a prompt of kind 'sequence', "
                f"got one of kind '{prompt.kind}'."
            )
        prompt.check()
        source, target = self._languages(prompt)
        given = [code for code in (prompt.source_language, prompt.target_language) if code]
        if given and not self._speaks:
            raise PromptError(
                f"{type(self.tokenizer).__name__} has no language codes, got {', '.join(given)}; "
                "leave them out, or write the languages into `source_text`."
            )
        named = {"source_language": source, "target_language": target}
        missing = [n for n, code in named.items() if code is None and n not in prompt.columns]
        if self._speaks and missing:
            raise PromptError(
                f"{type(self.tokenizer).__name__} writes in the language that a code names: give "
                f"{' and '.join(f'`{name}`' for name in missing)} as prompt variables "
                f"(--prompt-variable, or --prompt-column if each row has its own), {_CODES}."
            )
        for language in (source, target):
            if language is not None and not self._knows(language):
                raise PromptError(
                    f"The tokeniser knows no language {language!r}; give the code that the model "
                    f"was trained with ({_CODES}), or the English name of one of its languages."
                )
        self._set_languages(prompt)

    def _knows(self, code: str) -> bool:
        """Whether the tokeniser has a token for a language, by its own code."""
        try:
            self._set_languages(SequenceTemplate(source_language=code, target_language=code))
            ids = {*self.tokenizer(text_target="")["input_ids"]}
        except (KeyError, ValueError):
            return False
        # Not every tokeniser counts its codes among its control tokens
        self.special_ids = self.special_ids | ids - (unknown := {None, self.tokenizer.unk_token_id})
        return not unknown & ids

    def _languages(self, prompt: SequenceTemplate) -> tuple[str | None, str | None]:
        """Codes of source and target language: the prompt's, or else the tokeniser's own."""
        source = prompt.source_language or self._own_source
        target = prompt.target_language or self._own_target
        codes = self._codes
        return source and language_code(source, codes), target and language_code(target, codes)

    def _set_languages(self, prompt: SequenceTemplate) -> None:
        # Both, before every use: estimators with other languages may share the tokeniser
        source, target = self._languages(prompt)
        if source is not None:
            self.tokenizer.src_lang = source
        if target is not None:
            self.tokenizer.tgt_lang = target

    def _encode_good(
        self, pairs: Sequence[SourcePair], prompt: PromptTemplate, limit: int | None, cut: bool
    ) -> Iterator[EncodedPair | InputError]:
        assert isinstance(prompt, SequenceTemplate)
        self._set_languages(prompt)
        for pair in pairs:
            try:
                yield self._encode_one(pair, prompt, limit, cut)
            except InputError as error:
                yield error

    def _encode_one(
        self, pair: SourcePair, prompt: SequenceTemplate, limit: int | None, cut: bool
    ) -> EncodedPair:
        source, hypothesis = pair
        source_ids = self.tokenizer(prompt.render_source(self.tokenizer, source))["input_ids"]
        target = self.tokenizer(
            text_target=hypothesis, return_offsets_mapping=self.tokenizer.is_fast
        )
        labels: list[int] = target["input_ids"]
        read = self._decoder_input_ids(labels)
        # Some tokenisers write the start that shifting adds as well (T5Gemma, Whisper, BERT)
        begun = int(labels[:1] == read[:1] and labels[0] in self.special_ids)
        eos = self.tokenizer.eos_token_id
        # And some do not write the end, with which the model closes all that it writes
        ended = eos is None or eos in labels[begun:]
        labels = labels[begun:] + [eos] * (not ended)
        if cut:
            labels = labels[:limit]
        self.check_length(max(len(source_ids), len(labels)), limit=limit)
        self.check_rows(source_ids, rows=self._source_rows)
        self.check_rows(labels)
        inside = [i for i, label in enumerate(labels) if label not in self.special_ids]
        if not inside:
            raise TextError(f"The tokeniser makes no token of the hypothesis {hypothesis[:40]!r}.")
        start, stop = inside[0], inside[-1] + 1
        # mBART's labels go on with the language code, which starts the decoder and is not written
        closing = labels[stop:]
        if self.tokenizer.eos_token_id in closing:
            closing = closing[: closing.index(self.tokenizer.eos_token_id) + 1]
        end = stop + len(closing)
        own = labels[start:stop]
        offsets = (
            target["offset_mapping"][begun:][start:stop]
            if self.tokenizer.is_fast
            else align_pieces(self.tokenizer.convert_ids_to_tokens(own), hypothesis)
        )
        blank = [self.is_blank(label) for label in own]
        ranges = hypothesis_ranges(offsets, blank, hypothesis, start=0, end=len(hypothesis))
        return EncodedPair(
            input_ids=tuple(self._decoder_input_ids(labels)[:end]),
            # Language and task tokens in front are given, not written by the model
            first=start,
            targets=tuple(labels[start:end]),
            ranges=tuple(ranges),
            source_ids=tuple(source_ids),
        )

    def _decoder_input_ids(self, labels: list[int]) -> list[int]:
        tensor = torch.tensor([labels])
        if hasattr(self.model, "prepare_decoder_input_ids_from_labels"):
            ids = self.model.prepare_decoder_input_ids_from_labels(labels=tensor)
            return ids[0].tolist()  # type: ignore[no-any-return]
        return [self.model.config.decoder_start_token_id, *labels[:-1]]

    def encode_prompt(self, source: Source, prompt: PromptTemplate) -> dict[str, Tensor]:
        """What ``model.generate`` starts from, as a batch of one."""
        assert isinstance(prompt, SequenceTemplate)
        self.check_source(source, prompt)
        self._set_languages(prompt)
        ids = self.tokenizer(prompt.render_source(self.tokenizer, source))["input_ids"]
        self.check_length(len(ids), limit=self.length_limit())
        self.check_rows(ids, rows=self._source_rows)
        extra: dict[str, Any] = {}
        if self._speaks:
            around = self.tokenizer(text_target="")["input_ids"]
            start = self._decoder_input_ids(around)[0]  # mBART, PLBart: the language
            extra["decoder_start_token_id"] = start
            written = around[around[0] == start]  # what SeamlessM4T starts from, it writes too
            if written != self.tokenizer.eos_token_id:  # the language (NLLB, M2M100, mBART-50)
                extra["forced_bos_token_id"] = written
        tensor = torch.tensor([ids], device=self.device)
        return {"input_ids": tensor, "attention_mask": torch.ones_like(tensor), **extra}

    def closing(self, source: Source, prompt: PromptTemplate) -> tuple[str, int | None]:
        """What follows a hypothesis: no text, and the token that ends it."""
        del source, prompt  # every text ends alike
        return "", self.tokenizer.eos_token_id

    def hidden_states(
        self,
        decoder_input_ids: Tensor,
        *,
        layers: Sequence[int] = ONLY_LAST,
        encoder_hidden: Tensor | None = None,
        **inputs: Any,
    ) -> Tensor:
        """Hidden states that enter the unembedding, ``(B, T, H)``, in the model's dtype.

        Args:
            decoder_input_ids: Token ids that the decoder reads, ``(B, T)``.
            layers: Layers of the decoder whose hidden states are wanted instead, side by side in
                the last dimension. Of the decoder, what lies above all of them does not run.
            encoder_hidden: The encoder's last hidden states, ``(B, S, H)``, if they are known.
            inputs: The encoder's inputs: ``input_ids`` and ``attention_mask``, or Whisper's
                ``input_features``.
        """
        numbers = self.layer_numbers(layers)
        return self._read(numbers, whole, decoder_input_ids, encoder_hidden, **inputs)

    def _read(
        self,
        layers: Sequence[int],
        keep: Callable[[Tensor], Tensor],
        decoder_input_ids: Tensor,
        encoder_hidden: Tensor | None = None,
        **inputs: Any,
    ) -> Tensor:
        self._forget_lengths()
        if encoder_hidden is None:
            encoder_hidden = self._encoder(**inputs).last_hidden_state
        if self._fitted is not None and encoder_hidden.shape[-1] == self._fitted.in_features:
            encoder_hidden = self._fitted(encoder_hidden)
        # Whisper's decoder sees every frame: it takes no mask over its encoder
        mask = {"encoder_attention_mask": inputs["attention_mask"]} if "input_ids" in inputs else {}

        def run() -> Tensor:
            hidden: Tensor = self._decoder(
                input_ids=decoder_input_ids,
                encoder_hidden_states=encoder_hidden,
                use_cache=False,
                **mask,
            ).last_hidden_state
            return hidden * self._scale if self._scale != 1.0 else hidden

        return self._of_pass(run, layers, keep)

    def reads_step_by_step(self, tokens: int) -> bool:
        """Whether a text of so many tokens gets the same numbers token by token as in one pass."""
        return not self.length_matters(tokens)

    def _target_hidden(self, batch: list[EncodedPair], layers: Sequence[int] = ONLY_LAST) -> Tensor:
        source, mask = stack_rows([pair.source_ids for pair in batch], device=self.device)
        ids, _ = stack_rows([pair.input_ids for pair in batch], device=self.device)
        inputs = {"input_ids": source, "attention_mask": mask}
        return self._read(layers, partial(target_rows, pairs=batch), ids, **inputs)

    def shared_prompt_hidden(
        self, pairs: Sequence[EncodedPair], *, layers: Sequence[int] = ONLY_LAST
    ) -> Tensor:
        """Like :meth:`target_hidden`, for pairs that share their source: it is read once."""
        batch = list(pairs)
        longest = max(max(pair.lengths) for pair in batch)
        if self._batches_matter or self.length_matters(longest):
            return self.target_hidden(batch, layers=layers)
        source, mask = stack_rows([batch[0].source_ids], device=self.device)
        encoded = self._encoder(input_ids=source, attention_mask=mask).last_hidden_state
        ids, _ = stack_rows([pair.input_ids for pair in batch], device=self.device)
        return self._read(
            self.layer_numbers(layers),
            partial(target_rows, pairs=batch),
            ids,
            encoded.expand(len(batch), -1, -1).contiguous(),  # GPT-2 views it
            input_ids=source.expand(len(batch), -1),
            attention_mask=mask.expand(len(batch), -1),
        )

    def _probe_inputs(self) -> dict[str, Tensor]:
        ids = torch.arange(4, device=self.device).unsqueeze(0)
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if self.model.main_input_name == "input_features":
            config = self.model.config
            sizes = (1, config.num_mel_bins, 2 * config.max_source_positions)
            inputs = {"input_features": torch.zeros(sizes, device=self.device, dtype=self.dtype)}
        return {"decoder_input_ids": ids, **inputs}
