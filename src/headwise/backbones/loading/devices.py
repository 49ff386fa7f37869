"""Where a model goes, and in which floating point type."""

import torch


def default_device() -> torch.device:
    """The accelerator of this machine, or the CPU."""
    if torch.accelerator.is_available():
        accelerator = torch.accelerator.current_accelerator()
        assert accelerator is not None
        return accelerator
    return torch.device("cpu")


def chosen_device(device: torch.device | str | None) -> torch.device:
    """The device to load onto; one that this machine or this PyTorch lacks is a `ValueError`."""
    if device is None:
        return default_device()
    try:
        target = torch.device(device)
        torch.empty(0, device=target)
    # PyTorch built without a kind of device asserts that it is not asked for it, or imports in vain
    except (RuntimeError, AssertionError, ImportError) as error:
        present = ", ".join(sorted({"cpu", str(default_device())}))
        raise ValueError(
            f"`device` must be one that PyTorch can use on this machine ({present}), got "
            f"{str(device)!r}."
        ) from error
    return target


def chosen_dtype(dtype: torch.dtype | str | None, *, on_cpu: bool) -> torch.dtype | str:
    """The type to load, by whatever name; what is no floating point type is a `ValueError`."""
    if dtype is None:
        return torch.float32 if on_cpu else "auto"
    found = getattr(torch, dtype.removeprefix("torch."), None) if isinstance(dtype, str) else dtype
    if dtype != "auto" and not (isinstance(found, torch.dtype) and found.is_floating_point):
        raise ValueError(
            f"`dtype` must be a floating point type such as float32, bfloat16 or float16, or "
            f"auto, got {str(dtype)!r}."
        )
    return dtype
