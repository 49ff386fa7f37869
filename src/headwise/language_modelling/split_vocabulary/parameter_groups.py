"""Groups of parameters, so that every split of a vocabulary has its own learning rate."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from headwise.errors import UnsupportedModelError
from headwise.functional.losses.checks import check_number
from headwise.heads import SplitLanguageModellingHead, SplitTokenEmbeddings


def split_parameter_groups(
    model: nn.Module,
    *,
    learning_rates: Mapping[str, float],
    rest: float | None = None,
    weight_decay: float = 0.0,
) -> list[dict[str, Any]]:
    """Sort the parameters of a model with a split vocabulary into groups for an optimiser.

    The groups are for ``torch.optim.AdamW(groups)`` and its like, which Transformers takes as
    ``Trainer(optimizers=(optimizer, None))``. A split's group has its input and output embeddings;
    tied ones stand in it once. Frozen parameters and empty groups are left out.

    Args:
        model: A model with split embeddings, a split head, or both.
        learning_rates: Learning rate of each split, by name; a frozen split has none.
        rest: Learning rate of everything that is in no split, in the last groups; ``None`` leaves
            it out, so that the optimiser does not move it.
        weight_decay: Decay of matrices. Biases and scales of norms are not decayed, as in
            Transformers; where both are trained, they are in groups ``<name>_no_decay``.

    Returns:
        Dictionaries with ``name``, ``params``, ``lr`` and ``weight_decay``, splits in the order of
        their ids.

    Raises:
        UnsupportedModelError: If the model has no split vocabulary.
        TypeError: If a rate or the decay is no number, or there is no mapping of rates.
        ValueError: If a rate belongs to no split or to a frozen one, if a split that is trained
            has none, or if a rate or the decay is negative or not finite.
    """
    splits = _trained_splits(model)
    _check(splits, learning_rates, rest, weight_decay)
    in_splits = {id(parameter) for part in splits.values() for parameter in part}
    parts = [(name, part, learning_rates.get(name)) for name, part in splits.items()]
    others = [p for p in model.parameters() if p.requires_grad and id(p) not in in_splits]
    groups = []
    for name, parameters, rate in [*parts, ("rest", others, rest)]:
        matrices = [parameter for parameter in parameters if parameter.ndim > 1]
        vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
        for suffix, chosen, decay in (("", matrices, weight_decay), ("_no_decay", vectors, 0.0)):
            if rate is not None and chosen:
                group = {"name": name + suffix, "params": chosen, "lr": rate}
                groups.append(group | {"weight_decay": decay})
    return groups


def _trained_splits(model: nn.Module) -> dict[str, list[nn.Parameter]]:
    """Find the trained parameters of every split, each once; frozen splits have none."""
    splits: dict[str, dict[int, nn.Parameter]] = {}
    for module in model.modules():
        if isinstance(module, SplitTokenEmbeddings):
            layers = module.token_embedding
        elif isinstance(module, SplitLanguageModellingHead):
            layers = module.lm_head
        else:
            continue
        for name, layer in layers.items():
            trained = {id(p): p for p in layer.parameters() if p.requires_grad}
            splits.setdefault(name, {}).update(trained)
    if not splits:
        raise UnsupportedModelError(
            f"This {type(model).__name__} has no split vocabulary; split it with "
            f"`split_unembedding(model, ...)`."
        )
    return {name: list(parameters.values()) for name, parameters in splits.items()}


def _check(
    splits: Mapping[str, list[nn.Parameter]],
    learning_rates: Mapping[str, float],
    rest: float | None,
    weight_decay: float,
) -> None:
    if not isinstance(learning_rates, Mapping):
        raise TypeError(
            "`learning_rates` must be a mapping of splits to rates, such as {'new': 1e-3}; got "
            f"{learning_rates!r}."
        )
    known = ", ".join(splits)
    if unknown := [str(name) for name in learning_rates if name not in splits]:
        raise ValueError(
            f"`learning_rates` must name splits of the model ({known}), got {', '.join(unknown)}."
        )
    if frozen := [name for name in learning_rates if not splits[name]]:
        raise ValueError(
            f"`learning_rates` has a rate for {', '.join(frozen)}, of which nothing is trained: "
            f"leave it out, or `unfreeze` the split in embeddings and head (PEFT's "
            f"`get_peft_model` freezes all splits of a model)."
        )
    if missing := [name for name, part in splits.items() if part and name not in learning_rates]:
        raise ValueError(
            f"`learning_rates` must have a rate for every split that is trained, and lacks "
            f"{', '.join(missing)} (the splits are {known}); give one, or freeze the split."
        )
    for name, rate in learning_rates.items():
        check_number(f"learning_rates[{name!r}]", rate, least=0.0)
    if rest is not None:
        check_number("rest", rest, least=0.0)
    check_number("weight_decay", weight_decay, least=0.0)
