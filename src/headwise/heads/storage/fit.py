"""Whether a head belongs to a language model."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from headwise.choices import ONLY_LAST
from headwise.errors import MismatchError, WeightsError
from headwise.heads.layers import layers_in_words
from headwise.heads.quality.error_head import ErrorHead
from headwise.heads.quality.shared_unembedding_head import SharedUnembeddingHead
from headwise.heads.quality.sigmoid_head import SigmoidHead
from headwise.heads.storage.files import read_config
from headwise.heads.storage.kinds import ERROR_FILES, HUB_FILES, QualityHead


def check_fit(
    head: QualityHead | ErrorHead,
    *,
    vocabulary_size: int,
    hidden_size: int,
    layer_widths: Callable[[], Sequence[int]] | None = None,
) -> None:
    """Refuse a head that belongs to another language model.

    ``layer_widths`` gives the widths of the hidden states 0 to L of the model; it is called only
    for heads that read others than the last, or say how many layers their model has.

    Args:
        head: A Sigmoid Head of any type, or an error head.
        vocabulary_size: V of the model.
        hidden_size: H of the model.
        layer_widths: Gives the widths of the hidden states 0 to L.

    Raises:
        MismatchError: If vocabulary, hidden size or layers differ.
        UnsupportedModelError: If the model's layers cannot be read.
    """
    remedy = "load the backbone that the head was trained on."
    sized = isinstance(head, ErrorHead | SharedUnembeddingHead)
    if sized and head.hidden_size != hidden_size:
        called = "error head" if isinstance(head, ErrorHead) else "head"
        raise MismatchError(
            f"The {called} has hidden size {head.hidden_size}, the backbone has {hidden_size}; "
            f"{remedy}"
        )
    counts = head.layers != ONLY_LAST or getattr(head, "layer_count", None) is not None
    if counts and layer_widths is not None:
        _check_layers(head, layer_widths(), remedy)
    if not isinstance(head, SigmoidHead):
        return
    own = tuple(head.weight.shape)
    if own != (vocabulary_size, hidden_size):
        raise MismatchError(
            f"The head has vocabulary {own[0]} and hidden size {own[1]}, the backbone has "
            f"{vocabulary_size} and {hidden_size}; {remedy}"
        )


def check_depth(folder: Path | None, layer_count: int) -> None:
    """Refuse heads for a model of another number of layers by their configs, before it is loaded.

    Args:
        folder: The heads' folder; ``None`` for no heads.
        layer_count: L of the model.

    Raises:
        MismatchError: If a head in the folder names another number. What cannot be read, its loader
            refuses.
    """
    for called, files in (("Sigmoid Head", HUB_FILES), ("error head", ERROR_FILES)):
        if folder is None or not (folder / files.config).is_file():
            continue
        with suppress(WeightsError):
            stated = read_config(folder, name=files.config).get("layer_count")
            if type(stated) is int and stated != layer_count:
                raise MismatchError(
                    f"The {called} in {folder} is for a model of {stated} layers, the backbone has "
                    f"{layer_count}; load the backbone that the head was trained on."
                )


def _check_layers(head: QualityHead | ErrorHead, widths: Sequence[int], remedy: str) -> None:
    """Refuse a head for a model with another number of layers, or with layers of other widths."""
    own, count = getattr(head, "layer_count", None), len(widths) - 1
    reads = layers_in_words(head.layers, own)
    if own != count:
        reads += f" of {own}" if head.layers == ONLY_LAST else ""
        raise MismatchError(f"The head reads {reads}, the backbone has {count}; {remedy}")
    width = sum(widths[number] for number in head.layers)
    if (wanted := getattr(head, "input_size", width)) != width:
        raise MismatchError(
            f"The head reads {wanted} numbers of {reads}, the backbone has {width}; {remedy}"
        )
