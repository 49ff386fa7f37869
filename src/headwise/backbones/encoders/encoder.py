"""Frozen encoders: texts and pairs of texts in, embeddings and last hidden states out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property, partial
from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from headwise.backbones.encoders.sentence_embedding import SentenceEmbedding
from headwise.backbones.encoders.text_codes import TextReader
from headwise.backbones.encodings import EncodedText, stack_codes
from headwise.backbones.frozen_model import longest_input, text_encoder
from headwise.backbones.layers import ModelLayers, all_layers
from headwise.backbones.reading_apart import padding_changes_texts, probe_ids, read_texts_apart
from headwise.backbones.side_by_side import side_by_side
from headwise.choices import ONLY_LAST
from headwise.errors import UnsupportedModelError
from headwise.functional.pooling import Pooling, pool
from headwise.progress import progress_bar

Kept = TypeVar("Kept")

# Larger batches fall out of a CPU's caches, where nothing is gained by their size
_BATCH_TOKENS_ON_CPU = 1024
_BATCH_TOKENS_ELSEWHERE = 16384


class EncoderBackbone(TextReader):
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

    def content(self) -> dict[str, Any]:
        """What embeddings follow from, see :meth:`FrozenModel.content`."""
        how = asdict(self.embedding) | {"pooling": list(self.pooling)}
        return super().content() | how

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
        inputs = self._probe_inputs()
        return self.forward(inputs["input_ids"], inputs["attention_mask"])

    def _probe_inputs(self) -> dict[str, Tensor]:
        weight = cast(Tensor, self.model.get_input_embeddings().weight)
        last = len(weight) - 1  # far from the padding's id
        ids = torch.tensor([[last, last - 1], [last, last - 2]], device=weight.device)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def _find_layers(self) -> ModelLayers:
        return ModelLayers.of(self.model, self.model, self._probe_inputs())

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        token_type_ids: Tensor | None = None,
        *,
        layers: Sequence[int] = ONLY_LAST,
    ) -> Tensor:
        """Last hidden states ``(B, T, H)`` of ``input_ids`` ``(B, T)``, in the model's dtype.

        They are those of each text alone: texts that would change each other's are read apart.
        Where ``attention_mask`` is 0, they mean nothing; ``token_type_ids`` go to models that ask.
        Those of several ``layers`` stand side by side, ``(B, T, W)``.
        """
        given, read = (
            (input_ids, attention_mask, token_type_ids),
            partial(self._read, layers=layers),
        )
        if len(input_ids) > 1 and self.padding_matters:
            groups = [[row] for row in range(len(input_ids))]
        elif self._length_effects is None:
            return read(*given)
        else:
            groups = self._length_effects.together(attention_mask.sum(dim=1).tolist())
        return read_texts_apart(read, groups, *given)

    def _read(
        self,
        input_ids: Tensor,
        mask: Tensor,
        token_type_ids: Tensor | None = None,
        layers: Sequence[int] = ONLY_LAST,
    ) -> Tensor:
        """Hidden states of texts that may be read together, of `layer_numbers`."""
        self._forget_lengths()
        inputs: dict[str, Any] = {"input_ids": input_ids, "attention_mask": mask}
        if self.wants_types and token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids

        def run() -> Tensor:
            hidden: Tensor = self.model(**inputs).last_hidden_state
            return hidden

        return self._of_pass(run, layers, lambda hidden: hidden)

    def hidden(
        self, codes: Sequence[EncodedText], *, layers: Sequence[int] = ONLY_LAST
    ) -> tuple[Tensor, Tensor]:
        """Hidden states of one batch of at least one text, ``codes``, padded on the right.

        Returns:
            Hidden states, ``(B, T, H)``, in the model's dtype, those of several ``layers``
            side by side, and the mask of real tokens, ``(B, T)``, int64.
        """
        ids, mask, types = stack_codes(codes, padding_id=self._padding_id, device=self.device)
        return self.forward(ids, mask, types, layers=layers), mask

    def _read_some(self, tokens: int) -> object:
        ids = probe_ids(self.model, tokens)
        return self.hidden([EncodedText(ids), EncodedText(ids[:2])])

    def pool(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Pool token vectors, ``hidden`` ``(B, T, H)``, by their ``mask`` ``(B, T)``.

        Returns:
            ``(B, E)``, float32, not normalised.
        """
        return torch.cat([pool(hidden, mask, how) for how in self.pooling], dim=-1)

    def kept(
        self,
        codes: Sequence[EncodedText],
        keep: Callable[[Tensor, Tensor], Kept],
        *,
        layers: Sequence[int] = ONLY_LAST,
        batch_tokens: int | None = None,
        progress: bool = False,
    ) -> Iterator[tuple[list[int], Kept]]:
        """What is kept of hidden states, in batches of similar length: memory stays bounded.

        Args:
            codes: N encoded texts.
            keep: Gets what :meth:`hidden` gives for a batch, in any thread, in inference mode.
            layers: Of which hidden states it gives, by their `layer_numbers`.
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
            return keep(*self.hidden([codes[i] for i in batch], layers=layers))

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

    def token_vectors(
        self, codes: Sequence[EncodedText], layers: Sequence[int], **how: Any
    ) -> tuple[Tensor, Tensor]:
        """All token vectors of some layers, and the pooled vectors, in one pass.

        Args:
            codes: N encoded texts of S tokens in all, control tokens included.
            layers: Whose hidden states are wanted; see :meth:`layer_numbers`.
            how: As for :meth:`kept`.

        Returns:
            Pooled vectors, not normalised, ``(N, E)``, and token vectors of the layers side by
            side, text after text, ``(S, W)``; float32, on the CPU, in input order.
        """
        wanted = self.layer_numbers(layers)
        read = all_layers(wanted, ONLY_LAST)

        def split(hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
            last = self.of_layers(hidden, read, ONLY_LAST)
            tokens = self.of_layers(hidden, read, wanted)[mask.bool()]
            return self.pool(last, mask), tokens.float()

        pooled = torch.empty(len(codes), self.embedding_size)
        vectors = torch.empty(sum(map(len, codes)), self.layers_width(wanted))
        places = vectors.split([len(code) for code in codes])
        for batch, (one, tokens) in self.kept(codes, split, layers=read, **how):
            pooled[batch] = one.cpu()
            for place, found in zip(
                batch, tokens.cpu().split([len(codes[i]) for i in batch]), strict=True
            ):
                places[place].copy_(found)
        return pooled, vectors

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
