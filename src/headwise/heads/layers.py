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


def checked_widths(
    layers: Sequence[int], hidden_size: int, layer_widths: Sequence[int] | None
) -> tuple[int, ...]:
    """Widths of the hidden states of some layers; of the last it is H.

    Args:
        layers: Their numbers.
        hidden_size: H.
        layer_widths: What a head says of their widths; ``None`` where all are H.

    Raises:
        ValueError: If there is not one width a layer, or one of the last layer is not H.
    """
    widths = [hidden_size] * len(layers) if layer_widths is None else layer_widths
    if isinstance(widths, str) or not isinstance(widths, Sequence) or len(widths) != len(layers):
        raise ValueError(
            f"`layer_widths` must be a list of {len(layers)} numbers, one a layer, got "
            f"{widths!r:.60}."
        )
    found = tuple(whole_number("layer_widths", width) for width in widths)
    if any(found[at] != hidden_size for at, number in enumerate(layers) if number == LAST_LAYER):
        raise ValueError(
            f"`layer_widths` must be the `hidden_size` of {hidden_size} for the last layer, got "
            f"{list(found)} for {list(layers)}."
        )
    return found


def layers_in_words(layers: Sequence[int], layer_count: int | None) -> str:
    """``layers 4 and 12 of 18``, or ``the last layer``.

    Args:
        layer_count: L, if it is known.
        layers: Their numbers, -1 for the last.
    """
    if tuple(layers) == ONLY_LAST:
        return "the last layer"
    names = [str(layer_count if number == LAST_LAYER else number) for number in layers]
    return f"layer{'s' * (len(names) > 1)} {' and '.join(names)} of {layer_count}"
