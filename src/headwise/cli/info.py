"""``headwise info``: versions, device, bundled models."""

from pathlib import Path


def info() -> None:
    """Show versions, the device that would be used, and the bundled models."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    import torch
    from rich.console import Console
    from rich.filesize import decimal
    from rich.table import Table

    from headwise import __version__
    from headwise.backbones.gguf_names import GEMMA, GEMMA_TERMS
    from headwise.backbones.loading.devices import default_device
    from headwise.backbones.loading.places import gemma_source
    from headwise.bundled import BUNDLED_NAMES, ENTAILMENT_NAMES
    from headwise.bundled.names import bundled_folder
    from headwise.bundled.registry import locate

    table = Table(show_header=False, box=None)
    table.add_row("headwise", __version__)
    table.add_row("Python", platform.python_version())
    for package in ("torch", "transformers", "tokenizers", "safetensors", "ray", "fastapi"):
        try:
            table.add_row(package, version(package))
        except PackageNotFoundError:
            table.add_row(package, "not installed")
    device = default_device()
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.machine()
    table.add_row("device", f"{device} ({name}, {torch.get_num_threads()} threads)")
    for bundled in (*BUNDLED_NAMES, *ENTAILMENT_NAMES):
        size = sum(f.stat().st_size for f in bundled_folder(bundled).rglob("*") if f.is_file())
        table.add_row("bundled", f"{bundled} ({decimal(size)})")
        if bundled in BUNDLED_NAMES and (folder := locate(bundled).head) is not None:
            table.add_row("", _heads_line(folder))
    table.add_row("by name", f"{GEMMA} ({gemma_source()})")
    folder = locate(GEMMA).head
    table.add_row("", "no heads" if folder is None else _heads_line(folder))
    table.add_row("", f"{GEMMA_TERMS}.")
    Console().print(table)


def _heads_line(folder: Path) -> str:
    """The heads of a folder, and what the signal ``quality`` is made of there."""
    from headwise.cli.evaluation.calibration_lines import made_of
    from headwise.heads import has_error_head, has_sigmoid_head
    from headwise.quality.calibration.record import Calibration

    heads = ["Sigmoid Head"] if has_sigmoid_head(folder) else []
    heads += ["error head"] if has_error_head(folder) else []
    calibration = Calibration.load(folder)
    made = "no calibration" if calibration is None else f"quality {made_of(calibration)}"
    return ", ".join([*heads, made])
