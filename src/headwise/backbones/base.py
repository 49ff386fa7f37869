"""What all frozen language models have in common."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from functools import cached_property

import torch
from torch import Tensor

from headwise.backbones.encodings import EncodedPair
from headwise.backbones.frozen import FrozenModel, smallest_limit
from headwise.backbones.prompts import PromptTemplate, Source
from headwise.backbones.text_checks import check_text, control_tokens
from headwise.backbones.unembedding import Unembedding, check_unembedding
from headwise.errors import InputError


class LanguageBackbone(FrozenModel):
    """A frozen language model: tokens in, last hidden states out."""

    @property
    def hidden_size(self) -> int:
        """H, the width of the hidden states that enter the unembedding."""
        return self._unembedding.hidden_size

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
        ids = control_tokens(self.tokenizer).values()
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
        with torch.inference_mode():
            hidden, logits = self.probe()
            check_unembedding(self._unembedding, hidden, logits, name=type(self.model).__name__)
        return self._unembedding

    def check_source(self, source: object, prompt: PromptTemplate) -> None:
        """Refuse a source that is missing or cannot be read.

        Raises:
            TextError: If it is not text, empty, badly encoded, or holds control tokens.
        """
        if isinstance(source, tuple):
            for message in source:
                check_text(
                    message.get("content"),
                    what=f"{message.get('role')} message",
                    control_tokens=self._control_tokens,
                )
        elif prompt.has_source:
            check_text(source, what="source", control_tokens=self._control_tokens)

    def token_name(self, token_id: int) -> str:
        """The token as it stands in the vocabulary, special marks included."""
        return str(self.tokenizer.convert_ids_to_tokens(token_id))

    @abstractmethod
    def check_prompt(self, prompt: PromptTemplate) -> None:
        """Refuse a template of the wrong kind (`PromptError`)."""

    def encode(
        self,
        pairs: Sequence[tuple[Source, str]],
        prompt: PromptTemplate,
        *,
        max_length: int | None = None,
        cut: bool = False,
    ) -> list[EncodedPair | InputError]:
        """Tokenise pairs.

        Args:
            pairs: Sources (or conversations before the hypothesis) and hypotheses.
            prompt: How a pair is laid out.
            max_length: Longest input in tokens; the model's own limit holds as well.
            cut: Whether a hypothesis that is too long loses its end, instead of being an error.

        Returns:
            One result a pair; an error stands in the place of a pair that cannot be scored.

        Raises:
            PromptBoundaryError: If a token reaches over the end of the prompt.
        """
        errors = [self._wrong_with(*pair, prompt) for pair in pairs]
        good = [pair for pair, error in zip(pairs, errors, strict=True) if error is None]
        limit = self.length_limit(max_length)
        encoded = iter(self._encode_good(good, prompt, limit=limit, cut=cut) if good else ())
        return [next(encoded) if error is None else error for error in errors]

    def _wrong_with(
        self, source: object, hypothesis: object, prompt: PromptTemplate
    ) -> InputError | None:
        try:
            self.check_source(source, prompt)
            check_text(hypothesis, what="hypothesis", control_tokens=self._control_tokens)
        except InputError as error:
            return error
        return None

    @abstractmethod
    def _encode_good(
        self,
        pairs: Sequence[tuple[Source, str]],
        prompt: PromptTemplate,
        *,
        limit: int | None,
        cut: bool,
    ) -> Iterable[EncodedPair | InputError]:
        """Tokenise pairs whose texts can be read, at least one, as `encode` does."""

    @abstractmethod
    def encode_prompt(self, source: str | None, prompt: PromptTemplate) -> dict[str, Tensor]:
        """What ``model.generate`` starts from, as a batch of one."""

    @abstractmethod
    def target_hidden(self, pairs: Sequence[EncodedPair]) -> Tensor:
        """Hidden states that predict the targets of a batch, ``(N, H)``, pair after pair."""

    @abstractmethod
    def shared_prompt_hidden(self, pairs: Sequence[EncodedPair]) -> Tensor:
        """Like :meth:`target_hidden`, for pairs that share their prompt: it is read once."""

    @abstractmethod
    def probe(self) -> tuple[Tensor, Tensor]:
        """Hidden states and the model's own logits of a few tokens, ``(T, H)`` and ``(T, V)``."""
