"""Frozen encoders: texts and pairs of texts in, embeddings and last hidden states out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from headwise.backbones.encodings import EncodedText, stack_codes
from headwise.backbones.frozen_model import FrozenModel, longest_input, smallest_limit, text_encoder
from headwise.backbones.reading_apart import padding_changes_texts, probe_ids, read_texts_apart
from headwise.backbones.sentence_embedding import SentenceEmbedding, TextRole
from headwise.backbones.side_by_side import side_by_side
from headwise.backbones.text_codes import TextCodes, encode_rows, reads_token_types
from headwise.errors import UnsupportedModelError
from headwise.functional.pooling import Pooling, pool
from headwise.progress import progress_bar

Kept = TypeVar("Kept")

# Larger batches fall out of a CPU's caches, where nothing is gained by their size
_BATCH_TOKENS_ON_CPU = 1024
_BATCH_TOKENS_ELSEWHERE = 16384


class EncoderBackbone(FrozenModel):
    """A frozen encoder, its tokeniser, and how a text's token vectors become its embedding.

    Of an encoder-decoder model only the encoder is kept; a task's head is left out.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        pooling: tuple[Pooling, ...] = (Pooling.MEAN,),
        normalise: bool = True,
        embedding: SentenceEmbedding | None = None,
        max_length: int | None = None,
    ) -> None:
        """Freeze a model.

        Args:
            model: A Transformers model that reads token ids.
            tokenizer: Its tokeniser.
            pooling: Ways of pooling, at least one; embeddings are their results one after another.
            normalise: Whether embeddings get unit length.
            embedding: All of how embeddings are made and compared, in place of these two.
            max_length: Longest input in tokens, control tokens included. By default what the
                model and its tokeniser allow.

        Raises:
            UnsupportedModelError: If the model does not read token ids.
            ValueError: If there is no pooling, or the model cannot read ``max_length`` tokens.
        """
        model = text_encoder(model)
        if embedding is None:
            ways = tuple(Pooling(how) for how in pooling)
            embedding = SentenceEmbedding(pooling=ways, normalise=normalise)
        super().__init__(model, tokenizer)
        self.embedding = embedding
        self._max_length = longest_input(model, tokenizer, max_length)
        self._padding_id: int = tokenizer.pad_token_id or 0
        self._wants_types = reads_token_types(model, tokenizer)

    def content(self) -> dict[str, Any]:
        """What embeddings follow from, see :meth:`FrozenModel.content`."""
        how = asdict(self.embedding) | {"pooling": list(self.pooling)}
        return super().content() | how

    @property
    def pooling(self) -> tuple[Pooling, ...]:
        """Ways of pooling; embeddings are their results one after another."""
        return self.embedding.pooling

    @property
    def normalise(self) -> bool:
        """Whether embeddings get unit length."""
        return self.embedding.normalise

    @property
    def hidden_size(self) -> int:
        """H, the width of the last hidden states."""
        return int(self.model.config.hidden_size)

    @property
    def embedding_size(self) -> int:
        """E, the width of pooled vectors: H times the number of ways of pooling."""
        return self.hidden_size * len(self.pooling)

    @property
    def max_length(self) -> int | None:
        """The longest input in tokens, or ``None`` if there is no limit."""
        return self._max_length

    @cached_property
    def padding_matters(self) -> bool:
        """Whether a text's hidden states change with the padding that a batch gives it.

        Raises:
            UnsupportedModelError: If the model cannot read a text without padding.
        """
        return padding_changes_texts(
            self.model,
            self._read,
            padding_id=self._padding_id,
            sure=self._length_effects is not None and self._length_effects.alone,
        )

    @cached_property
    def _first_token_reads_all(self) -> bool:
        """Whether the first token's last hidden state depends on the second token.

        The model is asked, since configurations do not say.
        """
        with torch.inference_mode():
            hidden = self.probe()
        return not torch.equal(hidden[0, 0], hidden[1, 0])

    def probe(self) -> Tensor:
        """Last hidden states ``(2, 2, H)`` of two inputs that differ in their second token."""
        weight = cast(Tensor, self.model.get_input_embeddings().weight)
        last = len(weight) - 1  # far from the padding's id
        ids = torch.tensor([[last, last - 1], [last, last - 2]], device=weight.device)
        return self.forward(ids, torch.ones_like(ids))

    def encode(
        self, texts: Sequence[str], *, what: str = "text", role: TextRole | None = None
    ) -> TextCodes:
        """Tokenise texts, which errors call ``what``.

        Texts with a role are to become embeddings that are compared: they get its prompt, and may
        be no longer than embeddings allow. Others are what heads read: they get the prompt that
        goes before every text, if there is one, and may be as long as the model reads.

        Returns:
            One result a text; a `TextError` or `ContextLengthError` stands in the place of a
            text that cannot be read.
        """
        prompt = self.embedding.prompts.get(role or "text", "")
        limit = self.max_length
        if role is not None:
            limit = smallest_limit(limit, self.embedding.longest)
        begins = f"The {what} and its prompt take" if prompt else f"The {what} takes"
        types = self._wants_types
        return encode_rows(
            self, {what: texts}, with_types=types, begins=begins, limit=limit, prompt=prompt
        )

    def prompt_ids(self, role: TextRole) -> list[int]:
        """Tokens of the prompt that goes before texts of a role; none for most encoders."""
        prompt = self.embedding.prompts.get(role)
        if not prompt:
            return []
        ids: list[int] = self.tokenizer(prompt, add_special_tokens=False)["input_ids"]
        return ids

    def encode_pairs(self, pairs: Sequence[tuple[str, str]]) -> TextCodes:
        """Tokenise premises and hypotheses to be read together, in the tokeniser's own layout.

        Results are as in :meth:`encode`.
        """
        premises, hypotheses = ([pair[side] for pair in pairs] for side in (0, 1))
        columns = {"premise": premises, "hypothesis": hypotheses}
        begins, types = "Premise and hypothesis take", self._wants_types
        return encode_rows(self, columns, with_types=types, begins=begins, limit=self.max_length)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Last hidden states ``(B, T, H)`` of tokens ``(B, T)``, in the model's dtype.

        They are those of each text alone: texts that would change each other's are read apart.
        What stands at padding means nothing; types are left out for models that do not ask.
        """
        given = (input_ids, attention_mask, token_type_ids)
        if len(input_ids) > 1 and self.padding_matters:
            groups = [[row] for row in range(len(input_ids))]
        elif self._length_effects is None:
            return self._read(*given)
        else:
            groups = self._length_effects.together(attention_mask.sum(dim=1).tolist())
        return read_texts_apart(self._read, groups, *given)

    def _read(
        self, input_ids: Tensor, mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Last hidden states of texts that may be read together."""
        self._forget_lengths()
        inputs: dict[str, Any] = {"input_ids": input_ids, "attention_mask": mask}
        if self._wants_types and token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        hidden: Tensor = self.model(**inputs).last_hidden_state
        return hidden

    def hidden(self, codes: Sequence[EncodedText]) -> tuple[Tensor, Tensor]:
        """Last hidden states of one batch of at least one text, padded on the right.

        Returns:
            Hidden states, ``(B, T, H)``, in the model's dtype, and the mask of real tokens,
            ``(B, T)``, int64.
        """
        ids, mask, types = stack_codes(codes, padding_id=self._padding_id, device=self.device)
        return self.forward(ids, mask, types), mask

    def _read_some(self, tokens: int) -> object:
        ids = probe_ids(self.model, tokens)
        return self.hidden([EncodedText(ids), EncodedText(ids[:2])])

    def pool(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Pool token vectors ``(B, T, H)`` by their mask ``(B, T)``.

        Returns:
            ``(B, E)``, float32, not normalised.
        """
        return torch.cat([pool(hidden, mask, how) for how in self.pooling], dim=-1)

    def kept(
        self,
        codes: Sequence[EncodedText],
        keep: Callable[[Tensor, Tensor], Kept],
        *,
        batch_tokens: int | None = None,
        progress: bool = False,
    ) -> Iterator[tuple[list[int], Kept]]:
        """What is kept of hidden states, in batches of similar length: memory stays bounded.

        Args:
            codes: N encoded texts.
            keep: Gets what :meth:`hidden` gives for a batch, in any thread, in inference mode.
            batch_tokens: Bound on the padded tokens of a batch; by default what the device likes.
            progress: Whether to show a bar in a terminal.

        Yields:
            Numbers of the texts of a batch, and what is kept of it.
        """
        if batch_tokens is None:
            on_cpu = self.device.type == "cpu"
            batch_tokens = _BATCH_TOKENS_ON_CPU if on_cpu else _BATCH_TOKENS_ELSEWHERE

        @torch.inference_mode()
        def read(batch: list[int]) -> Kept:
            return keep(*self.hidden([codes[i] for i in batch]))

        lengths = list(map(len, codes))
        with progress_bar("Encoding", total=len(codes), enabled=progress) as advance:
            for batch, found in side_by_side(self, lengths, read, max_tokens=batch_tokens):
                yield batch, found
                advance(len(batch))

    def embed(
        self, codes: Sequence[EncodedText], *, normalise: bool | None = None, **how: Any
    ) -> Tensor:
        """Embed encoded texts; other arguments are those of :meth:`kept`.

        ``normalise`` says whether pooled vectors get unit length; by default they become the
        encoder's own embeddings, which may have fewer numbers.

        Returns:
            ``(N, E)``, float32, on the CPU, in input order; ``(N, D)`` for its own embeddings.
        """

        def embedded(hidden: Tensor, mask: Tensor) -> Tensor:
            pooled = self.pool(hidden, mask)
            if normalise is None:
                return self.embedding.finish(pooled)
            return F.normalize(pooled, dim=-1) if normalise else pooled

        size = self.embedding_size
        found = torch.empty(len(codes), self.embedding.size(size) if normalise is None else size)
        for batch, vectors in self.kept(codes, embedded, **how):
            found[batch] = vectors.cpu()
        return found

    def joint(self, codes: Sequence[EncodedText], **how: Any) -> Tensor:
        """The last hidden state of the first token, which has read all others.

        Arguments are those of :meth:`kept`.

        Returns:
            ``(N, H)``, float32, on the CPU, in input order.

        Raises:
            UnsupportedModelError: If the model reads from left to right only.
        """
        if not self._first_token_reads_all:
            raise UnsupportedModelError(
                f"{type(self.model).__name__} reads from left to right, so that its first token "
                "knows nothing of the others; use an encoder, or embeddings of the texts apart."
            )
        found = torch.empty(len(codes), self.hidden_size)
        for batch, first in self.kept(codes, lambda hidden, _: hidden[:, 0].float(), **how):
            found[batch] = first.cpu()
        return found
