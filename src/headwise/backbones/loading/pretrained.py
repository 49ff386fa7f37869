"""A model and its tokeniser from a folder or the hub, checked before and after they are loaded."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerBase

from headwise.backbones.loading.adapters import find_adapter
from headwise.backbones.loading.filled_weights import check_filled, check_finite
from headwise.backbones.loading.model_files import check_model_files
from headwise.backbones.loading.places import find_place, naming_ways
from headwise.backbones.loading.stored_sizes import check_sizes
from headwise.errors import (
    HeadwiseError,
    UnknownModelError,
    UnsupportedModelError,
    WeightsError,
)


class Pretrained(NamedTuple):
    """A model, filled with finite numbers, and its tokeniser.

    Attributes:
        gguf: SHA-256 of the GGUF file that its weights come from, or ``None``.
    """

    model: Any
    tokenizer: PreTrainedTokenizerBase
    gguf: str | None = None


def load_pretrained(
    name: str | Path,
    kind_of: Callable[[Any], Any],
    *,
    dtype: torch.dtype | str,
    device_map: str | dict[str, Any] | None = None,
    subfolder: str = "",
    trust_remote_code: bool = False,
    used: Callable[[Pretrained], Any] | None = None,
    before: Callable[[Any], None] | None = None,
) -> Pretrained:
    """Load a model from its own safetensors alone, and apply the adapter that it may be.

    Args:
        name: What `find_place` takes.
        kind_of: Gives Transformers' class (``AutoModel``, for instance) for a config.
        dtype: The floating point type of its weights, or ``"auto"`` for that of the file.
        device_map: How Transformers spreads it over devices; on the CPU by default.
        subfolder: Where in it the model is; empty for its root.
        trust_remote_code: Whether code that comes with it may run.
        used: Gives the encoder that is used of a model, as for :func:`check_filled`.
        before: Called with the config before weights are read; what it raises ends the loading.

    Raises:
        UnknownModelError: If there is no such model.
        UnsupportedModelError: If it needs code or a package that is not there.
        WeightsError: If its weights are damaged, do not fill the model, lie elsewhere, or are only
            there as pickles.
    """
    options: dict[str, Any] = {"subfolder": subfolder, "trust_remote_code": trust_remote_code}
    with naming_ways(name), named_errors(name):
        own = find_place(name)
        adapter = find_adapter(own.files)
    base = name if adapter is None else adapter.base
    with naming_ways(base), named_errors(base):
        # That of an adapter may itself be a GGUF file
        place = own if adapter is None else find_place(adapter.base)
        with nullcontext(place.files) if adapter is None else adapter.model_files(place) as folder:
            quantised = check_model_files(folder, **options)
            config = AutoConfig.from_pretrained(folder, **options)
            if before is not None:
                before(config)
            brings = adapter is None or adapter.has_tokenizer
            tokenizer = AutoTokenizer.from_pretrained(own.files if brings else folder, **options)
            kind = kind_of(config)
            check_sizes(
                Path(folder, subfolder),
                config.to_dict(),
                lambda: kind.from_config(config, trust_remote_code=trust_remote_code),
            )
            with _named_quantisation(name, quantised):
                model, info = kind.from_pretrained(
                    folder,
                    dtype=dtype,
                    device_map=device_map,
                    use_safetensors=True,
                    # What does not fit is named by us, with all that is wrong
                    ignore_mismatched_sizes=True,
                    output_loading_info=True,
                    **options,
                )
        parts = Pretrained(model, tokenizer, place.gguf)
        check_filled(
            model,
            info,
            name=base,
            used=None if used is None else lambda: used(parts),
            quantised=quantised is not None,
        )
        model.name_or_path = model.config.name_or_path = str(base)
    if adapter is not None:
        model = adapter.apply(model)
    check_finite(model, name=name)
    return parts._replace(model=model)


@contextmanager
def named_errors(name: str | Path) -> Iterator[None]:
    """Turn what loading a model raises into errors that say what is wrong."""
    try:
        yield
    except HeadwiseError:
        raise
    except OSError as error:
        if "safetensors" in str(error):
            raise WeightsError(
                f"{name} has no weights in safetensors format, the only one that is safe to "
                f"load; convert it first. ({_first_line(error)})"
            ) from error
        raise UnknownModelError(
            f"There is no model at {str(name)!r}: neither a folder nor a hub id that can be "
            f"reached from here. ({_first_line(error)})"
        ) from error
    except ValueError as error:
        if "trust_remote_code" in str(error):
            raise UnsupportedModelError(
                f"{name} comes with code of its own, which is not run; set `trust_remote_code` if "
                "you trust it."
            ) from error
        raise UnknownModelError(f"{name} cannot be loaded: {_first_line(error)}") from error
    except ImportError as error:
        raise UnsupportedModelError(
            f"{name} needs a package that is not installed: {_first_line(error)}"
        ) from error
    except Exception as error:
        # safetensors raises its own error type for files that are cut short
        if type(error).__module__.startswith("safetensors") or "safetensor" in repr(error).lower():
            raise WeightsError(f"The weights of {name} are damaged: {error}") from error
        if "conversion of the weights" in str(error) or "state_dict" in str(error):
            raise WeightsError(
                f"The weights of {name} do not fit its config: {_first_line(error)}"
            ) from error
        raise


@contextmanager
def _named_quantisation(name: str | Path, method: str | None) -> Iterator[None]:
    """Say by what a model is quantised where that is why it cannot be loaded."""
    try:
        yield
    except Exception as error:
        # Methods raise what they like where their package, or a device, is missing
        if method is None or isinstance(error, torch.OutOfMemoryError):
            raise
        raise UnsupportedModelError(
            f"{name} is quantised by {method}, which cannot be used here: {_first_line(error)} "
            "Install what it asks for, or give a folder whose weights are not quantised, or a GGUF "
            "file."
        ) from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
