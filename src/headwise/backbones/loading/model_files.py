"""What of a model's files may be read: safetensors inside its folder, and no code."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from transformers import PreTrainedConfig
from transformers.quantizers.auto import AutoHfQuantizer
from transformers.utils.hub import cached_file
from transformers.utils.import_utils import is_flash_attn_2_available

from headwise import documents
from headwise.errors import DataError, UnsupportedModelError, WeightsError

ADAPTER_CONFIG = "adapter_config.json"
INDEX_FILE, _INDEX_ENDING = "model.safetensors.index.json", ".safetensors.index.json"


def find_file(name: str | Path, path: str) -> Path | None:
    """A file of a model by its path in it, fetched if the model is on the hub; `None` if absent."""
    found = cached_file(
        str(name),
        path,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return None if found is None else Path(found)


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds an object.

    Raises:
        WeightsError: If it is damaged or holds something else.
    """
    try:
        return documents.read_object(path)
    except DataError as error:
        raise WeightsError(str(error)) from None


def check_model_files(
    name: str | Path, *, subfolder: str = "", trust_remote_code: bool = False
) -> str | None:
    """Refuse a model whose config or index would make more be read than its own safetensors.

    Args:
        name: A folder or a hub id.
        subfolder: Where in it the model is; empty for its root.
        trust_remote_code: Whether code from elsewhere may run.

    Returns:
        The method that its weights are quantised by, or ``None``.

    Raises:
        UnsupportedModelError: If its attention would be code from a hub, or its weights are
            quantised in an unknown way.
        WeightsError: If its config or index names files that are no safetensors or lie elsewhere.
    """
    config, _ = PreTrainedConfig.get_config_dict(str(name), subfolder=subfolder)
    if not trust_remote_code:
        _check_implementations(config, name)
    _check_weight_files(config, name, subfolder)
    return _quantisation(config, name)


def _check_implementations(config: Any, name: str | Path) -> None:
    for wish in _implementations(config):
        # Transformers would take a kernel from the hub in the place of a package that is missing
        missing = "flash_attention" in wish and not is_flash_attn_2_available()
        if "/" in wish or missing:
            raise UnsupportedModelError(
                f"The config of {name} asks for the implementation {wish!r}, which "
                f"{'is code on a hub' if '/' in wish else 'is not installed here'}. Remove that "
                "entry from its config.json"
                + ("" if "/" in wish else ", install flash-attn")
                + ", or set `trust_remote_code` if you trust it."
            )


def _implementations(config: Any) -> Iterator[str]:
    """Everything that a config, at any depth, names as the implementation of a part."""
    if isinstance(config, list):
        for value in config:
            yield from _implementations(value)
    elif isinstance(config, dict):
        for key, value in config.items():
            if "_implementation" in str(key):
                yield from _strings(value)
            else:
                yield from _implementations(value)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)


def _check_weight_files(config: dict[str, Any], name: str | Path, subfolder: str) -> None:
    stated = config.get("transformers_weights")
    if stated is not None:
        _check_inside(stated, name, subfolder, of="config.json", endings=_ENDINGS)
    for index in {INDEX_FILE, stated}:
        if not str(index).endswith(_INDEX_ENDING):
            continue
        path = find_file(name, _joined(subfolder, str(index)))
        if path is None:
            continue
        content = read_object(path)
        files = content.get("weight_map")
        if not isinstance(files, dict) or not isinstance(content.get("metadata", {}), dict):
            raise WeightsError(f"{path} is no index of weights: it has no `weight_map`.")
        for file in dict.fromkeys(map(str, files.values())):
            _check_inside(file, name, subfolder, of=path.name, endings=(".safetensors",))


_ENDINGS = (".safetensors", _INDEX_ENDING)


def _check_inside(
    file: Any, name: str | Path, subfolder: str, *, of: str, endings: tuple[str, ...]
) -> None:
    """Refuse a file of weights that is none, or that lies outside the model."""
    begins = f"{of} of {name} names the weights {file!r:.200}, which"
    if not isinstance(file, str) or not file.endswith(endings):
        raise WeightsError(
            f"{begins} are not in safetensors format, the only one that is safe to load."
        )
    windows = PureWindowsPath(file)
    folder = Path(name, subfolder)
    climbs = PurePosixPath(file).is_absolute() or windows.drive or ".." in windows.parts
    if climbs or (folder.is_dir() and not _lies_in(folder / file, folder)):
        raise WeightsError(
            f"{begins} lie outside of the model; weights are read from its own folder only."
        )
    if folder.is_dir() and not (folder / file).is_file():
        raise WeightsError(f"{begins} are not there; download the model again.")


def _lies_in(path: Path, folder: Path) -> bool:
    """Whether a file is in a folder once links are followed.

    In the cache of the hub, files are links into the folder ``blobs`` beside ``snapshots``.
    """
    folder = folder.resolve()
    roots = [folder]
    roots += [above.parent / "blobs" for above in folder.parents if above.name == "snapshots"]
    return any(path.resolve().is_relative_to(root) for root in roots)


def _quantisation(config: dict[str, Any], name: str | Path) -> str | None:
    nested = (part for part in config.values() if isinstance(part, dict))
    stated = [part.get("quantization_config") for part in (config, *nested)]
    found = next((one for one in stated if one is not None), None)
    if found is None:
        return None
    known: bool = False
    if isinstance(found, dict):
        with suppress(ValueError):  # it names no method
            known = AutoHfQuantizer.supports_quant_method(found)
    if not known:
        raise UnsupportedModelError(
            f"The weights of {name} are quantised in a way that Transformers does not know: "
            f"{found!r:.200}. Give a folder whose weights are not quantised."
        )
    bits = next((n for n in ("load_in_4bit", "load_in_8bit") if found.get(n)), None)
    return str(found.get("quant_method") or "bitsandbytes") if bits is None else "bitsandbytes"


def _joined(folder: str, file: str) -> str:
    return f"{folder}/{file}" if folder else file
