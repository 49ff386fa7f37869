"""What heads say of the layers of a language model that they read."""

from collections.abc import Sequence

from headwise.choices import LAST_LAYER, ONLY_LAST
from headwise.heads.checks import whole_number


def checked_layers(layers: Sequence[int], layer_count: int | None) -> tuple[int, ...]:
    """Read the layers that a head names.

    Args:
        layers: Numbers of hidden states, negative ones from the last, -1.
        layer_count: L, how many layers its model has; ``None`` if it reads the last one alone.

    Raises:
        ValueError: If there is none, or a number is none of a layer's.
    """
    if isinstance(layers, str) or not isinstance(layers, Sequence) or not layers:
        raise ValueError(f"`layers` must be a list of one or more numbers, got {layers!r:.60}.")
    if layer_count is not None:
        layer_count = whole_number("layer_count", layer_count)
    elif any(number != LAST_LAYER for number in layers):
        raise ValueError("`layers` other than the last need the model's `layer_count`.")
    most = layer_count or 0
    return tuple(
        whole_number("layers", number, least=-most - 1, most=most)
        if number != LAST_LAYER
        else LAST_LAYER
        for number in layers
    )


def layers_in_words(layers: Sequence[int], layer_count: int | None) -> str:
    """``layers 4 and 12 of 18``, or ``the last layer``."""
    if tuple(layers) == ONLY_LAST:
        return "the last layer"
    names = [str(layer_count if number == LAST_LAYER else number) for number in layers]
    return f"layer{'s' * (len(names) > 1)} {' and '.join(names)} of {layer_count}"
