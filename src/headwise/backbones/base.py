"""What frozen language models have in common: tokens in, hidden states out."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from headwise.backbones.encodings import EncodedPair, keep_spaces_in_offsets
from headwise.backbones.frozen_model import FrozenModel, embedding_rows, smallest_limit
from headwise.backbones.layers import ModelLayers
from headwise.backbones.prompts.rendered import NO_PLACE_FOR_SOURCE
from headwise.backbones.prompts.templates import PromptTemplate, Source, SourcePair
from headwise.backbones.reading_apart import pairs_change_each_other, probe_pairs, read_pairs_apart
from headwise.backbones.row_prompts import encode_rows
from headwise.backbones.unembedding import Unembedding, check_unembedding, layer_in_float32
from headwise.choices import LAST_LAYER, ONLY_LAST
from headwise.errors import InputError, PromptError


def whole(hidden: Tensor) -> Tensor:
    """Keep hidden states of all positions."""
    return hidden


class LanguageBackbone(FrozenModel):
    """A frozen language model: tokens in, hidden states out.

    Hidden states have the numbers of Transformers' ``output_hidden_states``: of a model with L
    layers, 0 is the embedding, 1 to L - 1 what these layers leave in the residual stream, and L
    what enters the output layer. Negative numbers count from the last, -1.

    Args:
        model: A language model of Transformers; it is frozen.
        tokenizer: Its tokeniser.
    """

    _decoder: PreTrainedModel  # what runs without the output layer

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__(model, tokenizer)
        keep_spaces_in_offsets(tokenizer)
        self._blank: dict[int, bool] = {}

    @property
    def hidden_size(self) -> int:
        """H, the width of the hidden states that enter the unembedding."""
        return self._unembedding.hidden_size

    @cached_property
    def rows(self) -> int:
        """How many tokens the model can read and write."""
        return min(embedding_rows(self.model), self.vocabulary_size)

    @property
    def vocabulary_size(self) -> int:
        """V, the number of rows of the unembedding."""
        return self._unembedding.vocabulary_size

    @property
    def max_length(self) -> int | None:
        """The longest input in tokens, or ``None`` if the model sets no limit."""
        config = self.model.config.get_text_config(decoder=True)
        limit = getattr(config, "max_position_embeddings", None)
        return smallest_limit(limit, self.tokenizer.model_max_length)

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids of the tokens that carry no text; an unknown token does carry some."""
        ids = self.control_tokens().values()
        return frozenset(ids) - {self.tokenizer.unk_token_id}

    @cached_property
    def _unembedding(self) -> Unembedding:
        return Unembedding.of(self.model)

    @cached_property
    def unembedding(self) -> Unembedding:
        """The model's output layer, compared once with the model's own logits.

        Raises:
            UnsupportedModelError: If the model does more to its logits than we know of.
        """
        own, name = self._unembedding, type(self.model).__name__
        layer = self.model.get_output_embeddings()
        with torch.inference_mode(), layer_in_float32(layer) as entered:
            hidden, logits = self.probe()
            check_unembedding(own, hidden, entered[-1].flatten(0, -2), logits, name=name)
        return self._unembedding

    def check_source(self, source: object, prompt: PromptTemplate) -> None:
        """Refuse a source or conversation that is missing or cannot be read.

        Args:
            source: A text, the messages of a conversation, or ``None``.
            prompt: The template that is to show it.

        Raises:
            TextError: If it cannot be read.
            PromptError: If there is a source and the prompt does not show it.
        """
        if isinstance(source, tuple):
            for message in source:
                self.check_text(message.get("role"), what="role of a message")
                self.check_text(message.get("content"), what=f"{message['role']} message")
        elif prompt.has_source:
            self.check_text(source, what="source")
        elif source:
            raise PromptError(NO_PLACE_FOR_SOURCE)

    def token_name(self, token_id: int) -> str:
        """The token as it stands in the vocabulary, special marks included.

        A row of the model that the tokeniser has no token for, such as padding, is ``<row 123>``.

        Args:
            token_id: The token's id, from 0 to V - 1.
        """
        try:
            name = self.tokenizer.convert_ids_to_tokens(token_id)
        except (IndexError, KeyError):
            name = None
        return str(name) if name else f"<row {token_id}>"

    def is_blank(self, token_id: int) -> bool:
        """Whether the token ``token_id`` writes nothing but white space."""
        if (known := self._blank.get(token_id)) is None:
            text = self.tokenizer.decode([token_id], clean_up_tokenization_spaces=False)
            known = self._blank[token_id] = not str(text).strip()
        return known

    @abstractmethod
    def check_prompt(self, prompt: PromptTemplate) -> None:
        """Refuse a template of the wrong kind (`PromptError`).

        Args:
            prompt: The template.
        """

    def encode(
        self,
        pairs: Sequence[SourcePair],
        prompt: PromptTemplate,
        *,
        rows: Sequence[Mapping[str, Any]] | None = None,
        max_length: int | None = None,
        cut: bool = False,
    ) -> list[EncodedPair | InputError]:
        """Tokenise pairs.

        Args:
            pairs: Sources (or conversations before the hypothesis) and hypotheses.
            prompt: How a pair is laid out.
            rows: The other columns of each pair, from which the prompt may take variables.
            max_length: Longest input in tokens; the model's own limit holds as well.
            cut: Whether a hypothesis that is too long loses its end, instead of being an error.

        Returns:
            One result a pair; an error stands in the place of a pair that cannot be scored.

        Raises:
            PromptError: If no pair can be laid out with this prompt.
        """
        if prompt.columns:
            return encode_rows(self, pairs, rows, prompt, max_length=max_length, cut=cut)
        errors = [self._wrong_with(*pair, prompt) for pair in pairs]
        good = [pair for pair, error in zip(pairs, errors, strict=True) if error is None]
        limit = self.length_limit(max_length)
        encoded = iter(self._encode_good(good, prompt, limit, cut) if good else ())
        return [next(encoded) if error is None else error for error in errors]

    def _wrong_with(
        self, source: object, hypothesis: object, prompt: PromptTemplate
    ) -> InputError | None:
        try:
            self.check_source(source, prompt)
            self.check_text(hypothesis, what="hypothesis")
        except InputError as error:
            return error
        return None

    @abstractmethod
    def _encode_good(
        self, pairs: Sequence[SourcePair], prompt: PromptTemplate, limit: int | None, cut: bool
    ) -> Iterable[EncodedPair | InputError]:
        """Tokenise pairs whose texts can be read, at least one, as `encode` does."""

    @abstractmethod
    def encode_prompt(self, source: Source, prompt: PromptTemplate) -> dict[str, Tensor]:
        """What ``model.generate`` starts from, as a batch of one.

        Args:
            source: What is answered or translated.
            prompt: The template that it stands in.
        """

    @abstractmethod
    def closing(self, source: Source, prompt: PromptTemplate) -> tuple[str, int | None]:
        """What follows a hypothesis: plain text, and the first control token behind it, if any.

        Args:
            source: What the hypothesis answers to.
            prompt: The template that both stand in.
        """

    def _find_layers(self) -> ModelLayers:
        return ModelLayers.of(self.model, self._decoder, self._probe_inputs(), use_cache=False)

    def layer_modules(self, layers: Iterable[int]) -> dict[int, nn.Module]:
        """The modules that hidden states enter, by their `layer_numbers`.

        Args:
            layers: Numbers from 0 to L, or negative ones from the last.
        """
        output = self.model.get_output_embeddings()
        return {n: output if n == LAST_LAYER else self._layers.modules[n] for n in layers}

    def token_rows(self, token_ids: Tensor) -> Tensor:
        """Rows of the output layer, ``(N, H)``, of tokens ``(N,)``; it does not run for them.

        Args:
            token_ids: Ids of tokens, ``(N,)``, int64.
        """
        return self._unembedding.weight[token_ids]

    def target_hidden(
        self, pairs: Sequence[EncodedPair], *, layers: Sequence[int] = ONLY_LAST
    ) -> Tensor:
        """Hidden states that predict the targets of a batch, ``(N, H)``, pair after pair.

        Those of several layers stand side by side; what lies above all of them does not run.
        They are those of each pair alone: pairs that would change each other's are read apart.

        Args:
            pairs: Encoded pairs of one batch.
            layers: Numbers from 0 to L, or negative ones from the last.
        """
        batch, read = list(pairs), partial(self._target_hidden, layers=self.layer_numbers(layers))
        if len(batch) > 1 and self._batches_matter:
            groups = [[place] for place in range(len(batch))]
        elif self._length_effects is None:
            return read(batch)
        else:
            groups = self._length_effects.together([max(code.lengths) for code in batch])
        return read_pairs_apart(read, batch, groups)

    @cached_property
    def _batches_matter(self) -> bool:
        """Whether a text's numbers change with the texts that it is read with."""
        return pairs_change_each_other(self.model, self._target_hidden)

    def _read_some(self, tokens: int) -> Tensor:
        return self.target_hidden(probe_pairs(self.model, 2, tokens))

    @abstractmethod
    def _target_hidden(self, batch: list[EncodedPair], layers: Sequence[int] = ONLY_LAST) -> Tensor:
        """The same for pairs that may be read together, of `layer_numbers`."""

    @abstractmethod
    def shared_prompt_hidden(
        self, pairs: Sequence[EncodedPair], *, layers: Sequence[int] = ONLY_LAST
    ) -> Tensor:
        """Like :meth:`target_hidden`, for pairs that share their prompt.

        It is read once, where the model can go on from it without another result.

        Args:
            pairs: Encoded pairs with the same prompt.
            layers: As of :meth:`target_hidden`.
        """

    @abstractmethod
    def reads_step_by_step(self, tokens: int) -> bool:
        """Whether a text of so many tokens gets the same numbers token by token as in one pass.

        Args:
            tokens: How many tokens the text has.
        """

    @abstractmethod
    def hidden_states(self, *args: Any, **inputs: Any) -> Tensor:
        """Hidden states of token ids, ``(B, T, H)``.

        Args:
            args: Token ids ``(B, T)``, and what else the model takes by place.
            inputs: What the model takes by name, such as a mask, and ``layers``, whose states stand
                side by side.
        """

    @abstractmethod
    def _probe_inputs(self) -> dict[str, Tensor]:
        """A few tokens to ask the model something with."""

    def probe(self) -> tuple[Tensor, Tensor]:
        """Hidden states and the model's own logits of a few tokens, ``(T, H)`` and ``(T, V)``."""
        inputs = self._probe_inputs()
        return self.hidden_states(**inputs)[0], self.model(**inputs, use_cache=False).logits[0]
