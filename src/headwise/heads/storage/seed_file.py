"""``task_heads.pt``: a state dict that PyTorch wrote, read as tensors and nothing else."""

import io
import zipfile
from pathlib import Path

import torch
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint

from headwise.errors import WeightsError
from headwise.files import atomic_path, naming_output

SEED_FILE = "task_heads.pt"


def read_seed_file(path: Path) -> dict[str, Tensor]:
    """Read a dictionary of tensors that ``torch.save`` wrote, without running what it says.

    Raises:
        WeightsError: If the file is missing, damaged, or holds anything but tensors, such as code.
    """
    if not path.is_file():
        raise WeightsError(f"There is no file {path}.")
    if not _is_zip(path):
        raise WeightsError(
            f"{path} is not what `torch.save` writes: it is damaged, or a bare pickle, which may "
            "run code and is not read. Download it again, or save the heads' state dict with "
            "`torch.save` of PyTorch 1.6 or later."
        )
    try:
        foreign = get_unsafe_globals_in_checkpoint(path)
        state = None if foreign else torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - damaged bytes fail in many ways
        said = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise WeightsError(f"{path} is damaged ({said:.120}); download it again.") from None
    if foreign:
        raise WeightsError(
            f"{path} names code that would run when it is loaded ({', '.join(sorted(foreign))}) "
            "and was refused; none of it ran. Only a dictionary of tensors is read: where you "
            "trust the file, load it there and save its state dict."
        )
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(tensor, Tensor) for name, tensor in state.items()
    ):
        raise WeightsError(
            f"{path} must hold a dictionary from names to tensors, got {_description(state)}."
        )
    for name, tensor in state.items():
        _check_plain(name, tensor, path)
    return state


def _is_zip(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # one that was cut into several, or says so
        return False


def write_seed_file(path: Path, tensors: dict[str, Tensor]) -> None:
    """Write a dictionary of tensors as ``torch.save`` does, all or nothing, in float32.

    Raises:
        OutputError: If it cannot be written.
    """
    content = io.BytesIO()
    # Clones: a view would be saved with all that it is a view of
    torch.save(
        {n: t.detach().to("cpu", torch.float32, copy=True) for n, t in tensors.items()}, content
    )
    with naming_output(path), atomic_path(path) as temporary:
        temporary.write_bytes(content.getvalue())


def _check_plain(name: str, tensor: Tensor, path: Path) -> None:
    """Refuse a tensor that is more, or less, than its numbers in a row."""
    kind = None
    if tensor.is_nested or tensor.layout is not torch.strided:
        kind = "sparse or nested"
    elif tensor.device.type != "cpu":
        kind = "without values"
    elif tensor.is_quantized:
        kind = "quantised"
    elif tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        # A few bytes of a file may stand for more numbers than any memory holds
        kind = "expanded"
    if kind is not None:
        raise WeightsError(
            f"{name!r} in {path} is {kind}, and only plain tensors are read; save the state dict "
            "of plain layers."
        )


def _description(state: object) -> str:
    if not isinstance(state, dict):
        return f"a {type(state).__name__}"
    kinds = {f"{name!s:.40}: {type(value).__name__}" for name, value in state.items()}
    return f"a dictionary with {', '.join(sorted(kinds)[:4])}"
