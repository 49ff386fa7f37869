"""What frozen models have in common: which texts and how long ones they read."""

import re
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from headwise.backbones.content import model_digests, tokenizer_digest
from headwise.backbones.layers import LayeredModel
from headwise.backbones.length_effects import LengthEffects
from headwise.backbones.reading_apart import changes_itself, left_padding_changes_what_follows
from headwise.errors import (
    ContextLengthError,
    TextError,
    UnsupportedModelError,
)


class FrozenModel(LayeredModel):
    """A Transformers model in ``eval`` mode, no parameter of it trainable, and its tokeniser.

    Attributes:
        gguf: SHA-256 of the GGUF file that its weights come from, or ``None``.
        waits_for_others: Whether texts are read elsewhere while this process waits.
    """

    gguf: str | None = None
    waits_for_others: bool = False

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        _check_not_random(model)
        self.model = model.requires_grad_(False).eval()
        self.tokenizer = tokenizer
        self._length_effects = LengthEffects.of(model)
        names = set(self.control_tokens()) - {""}
        # The longest first: one may begin with another
        patterns = map(re.escape, sorted(names, key=len, reverse=True))
        self._control_tokens = re.compile("|".join(patterns)) if names else None

    @property
    def device(self) -> torch.device:
        """Where inputs have to be."""
        weight: Tensor = self.model.get_input_embeddings().weight
        return weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The model's own floating point type."""
        dtype: torch.dtype = self.model.dtype
        return dtype

    def length_matters(self, tokens: int) -> bool:
        """Whether the model reads so many tokens otherwise than fewer, see `LengthEffects`.

        Args:
            tokens: How many tokens a text has.
        """
        return self._length_effects is not None and self._length_effects.matter(tokens)

    def reads_on(self, start: int, tokens: int) -> bool:
        """Whether a text that has grown from one length to another is still read as it was.

        Args:
            start: Its tokens before.
            tokens: Its tokens now.
        """
        return self._length_effects is None or self._length_effects.alike(start, tokens)

    def _forget_lengths(self) -> None:
        """Undo what inputs of other lengths have left in the model; before every reading."""
        if self._length_effects is not None:
            self._length_effects.forget()

    @cached_property
    def keeps_no_state(self) -> bool:
        """Whether texts may be read in several threads at a time: reading leaves nothing behind."""
        return self._length_effects is None and not changes_itself(self.model, self._read_some)

    @cached_property
    def left_padding_matters(self) -> bool:
        """Whether generation goes on otherwise where a batch pads a prompt on its left."""
        # Encoders are padded on the right, and some models take the padding for length
        if self.model.config.is_encoder_decoder or self._length_effects is not None:
            return True
        return left_padding_changes_what_follows(self.model)

    @abstractmethod
    def _read_some(self, tokens: int) -> object:
        """Read a batch of two texts, the longer one of so many tokens, whichever they are."""

    def content(self) -> dict[str, Any]:
        """What results follow from, as plain values: the model's type, and digests of its parts.

        Neither names of files nor the device matter.
        """
        return {
            **({} if self.gguf is None else {"GGUF file": self.gguf}),
            "dtype": str(self.dtype).removeprefix("torch."),
            **model_digests(self.model),
            "tokeniser": tokenizer_digest(self.tokenizer),
            "max_length": self.max_length,
        }

    @property
    @abstractmethod
    def max_length(self) -> int | None:
        """The longest input in tokens, or ``None`` if there is no limit."""

    def length_limit(self, asked: int | None = None) -> int | None:
        """The longest input in tokens: what the model reads, or less if less is asked for.

        Args:
            asked: The longest input that is wanted, in tokens; ``None`` for that of the model.
        """
        return min((n for n in (self.max_length, asked) if n is not None), default=None)

    def check_length(
        self, tokens: int, *, limit: int | None, what: str = "Prompt and hypothesis take"
    ) -> None:
        """Refuse more tokens than a limit (`ContextLengthError`); nothing is cut in silence.

        ``what`` begins the message, verb included.

        Args:
            tokens: How many there are.
            limit: How many there may be; ``None`` for no limit.
            what: What the message begins with.
        """
        if limit is not None and tokens > limit:
            raise ContextLengthError(
                f"{what} {tokens} tokens, but the model reads {limit} at most; split the text."
            )

    @property
    def rows(self) -> int:
        """How many tokens the model has an embedding for."""
        return embedding_rows(self.model)

    def check_rows(self, ids: Sequence[int], *, rows: int | None = None) -> None:
        """Refuse tokens without a row in the embeddings (`TextError`); by default the model's.

        Args:
            ids: Token ids.
            rows: How many rows there are; by default those of the model.
        """
        rows = self.rows if rows is None else rows
        if (largest := max(ids, default=0)) >= rows:
            name = self.tokenizer.convert_ids_to_tokens(largest)
            raise TextError(
                f"The token {name!r} (id {largest}) has no embedding in the model, which has "
                f"{rows}: it was added to the tokeniser alone. Resize the model's embeddings "
                "(`resize_token_embeddings`) and train them, or use the tokeniser it came with."
            )

    def control_tokens(self) -> dict[str, int]:
        """The tokeniser's control tokens by name, also those that it does not list as its own."""
        own = self.tokenizer
        names = dict(zip(own.all_special_tokens, own.all_special_ids, strict=True))
        return names | {str(t): i for i, t in own.added_tokens_decoder.items() if t.special}

    def check_text(self, text: object, *, what: str) -> None:
        """Refuse what no tokeniser can carry or what would be read as something else.

        Args:
            text: What was given as a text.
            what: What errors call it.

        Raises:
            TextError: If the text is not a string, is empty, holds a lone surrogate, or spells
                out a control token, which the model would take for the end of the prompt or the
                like.
        """
        if not isinstance(text, str):
            raise TextError(f"The {what} must be text, got {type(text).__name__}.")
        if not text.strip():
            raise TextError(f"The {what} is empty; there is nothing to score.")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise TextError(
                f"The {what} holds a lone surrogate (U+{ord(text[error.start]):04X} at character "
                f"{error.start}), which is not valid Unicode; repair the text's encoding."
            ) from None
        if self._control_tokens is not None and (found := self._control_tokens.search(text)):
            raise TextError(
                f"The {what} spells out the control token {found.group()!r} at character "
                f"{found.start()}, which the model would obey instead of read; remove it."
            )


def _check_not_random(model: PreTrainedModel) -> None:
    """Refuse attention that draws at random where a text is read, not only in training."""
    config = model.config
    hashes = "lsh" in (getattr(config, "attn_layers", None) or ())  # Reformer
    draws = config.model_type == "yoso" and not config.use_expectation
    if hashes or draws:
        raise UnsupportedModelError(
            f"The attention of {type(model).__name__} draws at random, and what it makes of a "
            "token depends on the draw and on later tokens; use a model without hashed attention"
            + (" (of YOSO, one with `use_expectation`)." if draws else ".")
        )


# Tokenisers without a limit report a huge one
_NO_LIMIT = 10**9


def smallest_limit(*limits: int | None) -> int | None:
    """The smallest of the limits that are set and mean something, in tokens."""
    return min((n for n in limits if n is not None and 0 < n < _NO_LIMIT), default=None)


def embedding_rows(model: PreTrainedModel) -> int:
    """The number of rows of a model's table of input embeddings, padding rows included."""
    try:
        table: object = model.get_input_embeddings()
    except NotImplementedError:  # Canine has several, by which it hashes characters
        table = None
    if isinstance(table, nn.Embedding):
        return table.num_embeddings
    if not isinstance(weight := getattr(table, "weight", None), Tensor):
        raise UnsupportedModelError(f"{type(model).__name__} has no one table of embeddings.")
    return len(weight)


def position_limit(model: PreTrainedModel) -> int | None:
    """How many tokens an encoder has positions for, or ``None`` if any number will do.

    RoBERTa and its kin (XLM-R, MPNet, CamemBERT) count positions from one after the padding's
    id, so that the first rows of their table are never used.
    """
    for name, module in model.named_modules():
        if (
            name.endswith("position_embeddings")
            and isinstance(module, nn.Embedding)
            and module.padding_idx is not None
        ):
            return module.num_embeddings - module.padding_idx - 1
    return smallest_limit(getattr(model.config, "max_position_embeddings", None))


def longest_input(
    encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, asked: int | None
) -> int | None:
    """The longest input of an encoder in tokens: what is asked for, or else what is allowed.

    Raises:
        ValueError: If the encoder cannot read as many tokens as were asked for.
    """
    positions = position_limit(encoder)
    if asked is None:
        return smallest_limit(positions, tokenizer.model_max_length)
    if asked < 1 or (positions is not None and asked > positions):
        raise ValueError(
            f"`max_length` must be at least 1 and at most the {positions or 'number of'} "
            f"tokens that {type(encoder).__name__} can read, got {asked}."
        )
    return asked


def text_encoder(model: PreTrainedModel) -> PreTrainedModel:
    """The part of a model that reads texts, without a task's head and without a decoder.

    Raises:
        UnsupportedModelError: If it does not read token ids, or has no one table of embeddings.
    """
    model = cast(PreTrainedModel, model.base_model)
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    if model.main_input_name != "input_ids":
        raise UnsupportedModelError(
            f"{type(model).__name__} reads {model.main_input_name}, not the ids of tokens; "
            "use an encoder of text."
        )
    embedding_rows(model)
    return model
