"""Write tensors to a safetensors file, all or nothing."""

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from headwise.atomic import atomic_path, naming_output
from headwise.errors import OutputError


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Write tensors under a temporary name and rename the file.

    Raises:
        OutputError: If they cannot be written.
    """
    with naming_output(path), atomic_path(path) as temporary:
        try:
            # safetensors keeps its files to their owner; others may read what they may read of us
            temporary.touch()
            mode = temporary.stat().st_mode
            save_file(dict(tensors), temporary, metadata={"format": "pt"})
            temporary.chmod(mode)
        except SafetensorError as error:  # its own name for what the operating system said
            raise OutputError(f"{path} cannot be written: {error}.") from error
