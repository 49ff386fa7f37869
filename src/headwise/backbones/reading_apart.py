"""What a model is asked about how it reads, and how texts that change each other are read apart."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from headwise.backbones.encodings import EncodedPair
from headwise.errors import UnsupportedModelError

logger = logging.getLogger(__name__)

# Lengths of two texts that tell whether texts of a batch change each other
_SHORT, _LONG = 3, 12

ReadTexts = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def probe_ids(model: PreTrainedModel, count: int) -> tuple[int, ...]:
    """Ids of some tokens, none of them the padding's, to ask a model something with."""
    embeddings = cast(Tensor, model.get_input_embeddings().weight)
    padding = getattr(model.config, "pad_token_id", None)
    # Strides of a prime spread them over the vocabulary
    return tuple(
        i for i in ((7 * n + 3) % len(embeddings) for n in range(count + 1)) if i != padding
    )[:count]


def probe_pairs(model: PreTrainedModel, *lengths: int) -> list[EncodedPair]:
    """Pairs of so many tokens, all of them targets but the first, to ask a model something with."""
    ids = probe_ids(model, max(lengths))
    of_encoder = ids if model.config.is_encoder_decoder else ()
    return [EncodedPair(ids[: n - 1], 0, ids[1:n], (), of_encoder[:n]) for n in lengths]


def nearly_equal(vectors: Tensor, others: Tensor) -> bool:
    """Whether vectors of one shape, ``(..., H)``, differ by no more than rounding does.

    Rounding adds up over the layers of a model; what a model reads wrongly is off by far more.
    """
    limit = max(1e-4, 8 * torch.finfo(vectors.dtype).eps)
    difference = (vectors.float() - others.float()).norm(dim=-1)
    return bool((difference <= limit * others.float().norm(dim=-1)).all())


def reads_from_left_to_right(
    model: PreTrainedModel, read: Callable[[Tensor], Tensor], rows: int, device: torch.device
) -> bool:
    """Whether the first tokens of a text know nothing of the later ones.

    Configurations do not say, so the model is asked: it reads two texts whose later halves differ.

    Args:
        model: The model, for a reader.
        read: Gives hidden states ``(B, T, H)`` of token ids ``(B, T)``.
        rows: How many tokens it knows.
        device: Where ids have to be.

    Raises:
        UnsupportedModelError: If it cannot read a few tokens.
    """
    half = 4
    # Far from the ids of padding and control tokens
    text = [(rows - 1 - i) % rows for i in range(3 * half)]
    ids = torch.tensor([text[: 2 * half], text[:half] + text[2 * half :]], device=device)
    try:
        with torch.inference_mode():
            one, other = read(ids)[:, :half].float()
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # whatever an unknown architecture does with our call
        raise UnsupportedModelError(
            f"{type(model).__name__} cannot read a few tokens: {type(error).__name__}: {error}"
        ) from error
    if one.is_meta:
        return True
    # Measured on 129 causal families: no difference at all; on 17 others, 1e-3 even where weights
    # are random and bfloat16
    return not bool((one - other).abs().mean() > 3e-4 * one.abs().mean())


@torch.inference_mode()
def pairs_change_each_other(
    model: PreTrainedModel, read: Callable[[list[EncodedPair]], Tensor]
) -> bool:
    """Whether a language model gives pairs other numbers in a batch than alone.

    Configurations do not say, so the model is asked: it reads two pairs of different lengths
    together and apart.
    """
    pairs = probe_pairs(model, _SHORT, _LONG)
    change = not nearly_equal(read(pairs), torch.cat([read([pair]) for pair in pairs]))
    if change:
        _say_apart(model)
    return change


@torch.inference_mode()
def padding_changes_texts(
    model: PreTrainedModel, read: ReadTexts, *, padding_id: int, sure: bool = False
) -> bool:
    """Whether an encoder gives a text other hidden states with padding than without.

    It is asked, as :func:`pairs_change_each_other` does; ``sure`` says that the answer is yes.

    Raises:
        UnsupportedModelError: If the model cannot read a text without padding.
    """
    embeddings = cast(Tensor, model.get_input_embeddings().weight)
    ids = torch.tensor([probe_ids(model, _LONG)] * 2, device=embeddings.device)
    mask = torch.ones_like(ids)
    ids[1, _SHORT:], mask[1, _SHORT:] = padding_id, 0
    try:
        alone = read(ids[1:, :_SHORT], mask[1:, :_SHORT], None)[0]
        if len(alone) != _SHORT or alone.shape[-1] != model.config.hidden_size:
            raise ValueError(f"it makes {tuple(alone.shape)} numbers of {_SHORT} tokens")
        change = sure or not nearly_equal(read(ids, mask, None)[1, :_SHORT], alone)
    except (RuntimeError, ValueError, IndexError, AttributeError, TypeError) as error:
        raise UnsupportedModelError(
            f"{type(model).__name__} cannot read a text of a few tokens ({error}); use an encoder "
            "that reads texts of any length."
        ) from error
    if change:
        _say_apart(model)
    return change


@torch.inference_mode()
def left_padding_changes_what_follows(model: PreTrainedModel) -> bool:
    """Whether a model goes on otherwise behind padding on the left than without it.

    It is asked, by a step of its own ``generate``, which knows what the model makes of a mask. What
    it cannot answer counts as yes.
    """
    embeddings = cast(Tensor, model.get_input_embeddings().weight)
    ids = torch.tensor([probe_ids(model, _LONG)] * 2, device=embeddings.device)
    mask = torch.ones_like(ids)
    ids[1, :-_SHORT], mask[1, :-_SHORT] = ids[1, 0].item(), 0

    def following(ids: Tensor, mask: Tensor) -> Tensor:
        step = cast(Any, model).generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=1,
            do_sample=False,
            return_dict_in_generate=True,
            output_logits=True,
            pad_token_id=int(ids[0, 0]),
        )
        return cast(Tensor, step.logits[0])

    try:
        alone = following(ids[1:, -_SHORT:], mask[1:, -_SHORT:])
        return not nearly_equal(following(ids, mask)[1:], alone)
    except (RuntimeError, ValueError, IndexError, AttributeError, TypeError):
        return True


@torch.inference_mode()
def changes_itself(model: nn.Module, read: Callable[[int], object]) -> bool:
    """Whether reading leaves something in a model, for what it reads next or at the same time.

    It is asked: it reads texts of two lengths, with ``read``, and its attributes are compared. What
    is made at the first reading, once, does not count.
    """
    if any(hasattr(module, "make_weights") for module in model.modules()):
        return True  # tables of positions that longer texts replace (M2M100, XGLM)
    read(_SHORT)
    before = list(_attributes(model))
    read(_SHORT + 2)
    after = list(_attributes(model))
    return len(before) != len(after) or not all(map(_as_it_was, before, after))


def _attributes(model: nn.Module) -> Iterator[tuple[object, int]]:
    """What modules hold, and how often a tensor was written to, or how much is in a container."""
    for module in model.modules():
        for held in (vars(module), module._buffers):
            for value in held.values():
                if isinstance(value, Tensor):
                    yield value, 0 if value.is_inference() else value._version
                else:
                    yield value, len(value) if isinstance(value, list | dict | set) else 0


def _as_it_was(before: tuple[object, int], after: tuple[object, int]) -> bool:
    (value, count), (now, count_now) = before, after
    plain = isinstance(value, int | float | str | tuple)
    return count == count_now and (value is now or (plain and value == now))


def _say_apart(model: PreTrainedModel) -> None:
    logger.warning(
        "%s gives a text other numbers in a batch than alone: it reads one text at a time, which "
        "is slower.",
        type(model).__name__,
    )


def read_pairs_apart(
    read: Callable[[list[EncodedPair]], Tensor],
    batch: Sequence[EncodedPair],
    groups: Sequence[Sequence[int]],
) -> Tensor:
    """Read pairs group by group: what ``read`` gives for targets, ``(N, H)``, pair after pair."""
    found: dict[int, Tensor] = {}
    for group in groups:
        chosen = [batch[place] for place in group]
        rows = read(chosen).split([len(pair.targets) for pair in chosen])
        found.update(zip(group, rows, strict=True))
    return torch.cat([found[place] for place in range(len(batch))])


def read_texts_apart(
    read: ReadTexts,
    groups: Sequence[list[int]],
    input_ids: Tensor,
    mask: Tensor,
    token_type_ids: Tensor | None,
) -> Tensor:
    """Read texts ``(B, T)`` group by group, without the padding that only others need.

    Returns:
        What ``read`` gives, ``(B, T, H)``; zeros at padding that was left out.
    """
    found: Tensor | None = None
    for group in groups:
        columns = mask[group].bool().any(dim=0).nonzero().squeeze(1)
        types = None if token_type_ids is None else token_type_ids[group][:, columns]
        hidden = read(input_ids[group][:, columns], mask[group][:, columns], types)
        if found is None:
            found = hidden.new_zeros(*input_ids.shape, hidden.shape[-1])
        found[torch.tensor(group, device=found.device)[:, None], columns] = hidden
    assert found is not None
    return found
