"""What gives the hidden states that a user names: a server or a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from headwise.backbones.loading.devices import chosen_device, chosen_dtype
from headwise.backbones.states.backbone import StatesBackbone
from headwise.backbones.states.files import FilesBackbone
from headwise.backbones.states.probe import StatesProbe
from headwise.backbones.states.remote import RemoteBackbone

_ADDRESS = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class States:
    """Where hidden states come from that are not computed here.

    Attributes:
        place: ``http://host:8000``, or a folder of files.
        layers: Which layers files hold, as for `FilesBackbone`.
        server: Which kind a server is, as for `RemoteBackbone`.
        served: What the server calls the model, likewise.
        api_key: What the server asks for, likewise.
    """

    place: str | Path
    layers: tuple[int, ...] | None = None
    server: str | None = None
    served: str | None = None
    api_key: str | None = None

    def __post_init__(self) -> None:
        of_servers = (self.server, self.served, self.api_key)
        if self.on_server and self.layers is not None:
            raise ValueError("A server gives the last layer alone; layers are for files.")
        if self.on_server:
            return
        if not Path(self.place).is_dir():
            raise ValueError(
                "`states` must be the address of a server (http://host:8000) or a folder of files "
                f"with hidden states, got {str(self.place)!r}."
            )
        if any(value is not None for value in of_servers):
            raise ValueError("States are read from a folder; what a server needs is too much.")

    @classmethod
    def of(cls, states: "str | Path | States") -> Self:
        """From an address or a folder alone.

        Args:
            states: A server's address, or a folder of files with states.
        """
        return states if isinstance(states, cls) else cls(states)  # type: ignore[arg-type]

    @property
    def on_server(self) -> bool:
        """Whether a server gives them."""
        return str(self.place).startswith(_ADDRESS)

    def backbone(
        self,
        model: str | Path,
        *,
        head: Path | None = None,
        dtype: torch.dtype | str | None = None,
        device: torch.device | str | None = None,
        trust_remote_code: bool = False,
    ) -> StatesBackbone:
        """The backbone that reads them.

        Args:
            model: A folder, GGUF file or hub id of the model.
            head: Folder of a head, which may know what its language model makes of a few words.
            dtype: Type of the output layer here; float32 by default.
            device: Where it and the heads compute; the machine's accelerator by default.
            trust_remote_code: Whether code that comes with the model may run.

        Raises:
            StatesError: If states cannot be had.
            MismatchError: If they are not those that the head was trained on.
        """
        found = chosen_dtype(dtype, on_cpu=True)
        options: dict[str, Any] = {
            "dtype": found if isinstance(found, torch.dtype) else torch.float32,
            "device": chosen_device(device),
            "trust_remote_code": trust_remote_code,
        }
        if not self.on_server:
            return FilesBackbone(self.place, model, layers=self.layers, **options)
        remote = RemoteBackbone(
            str(self.place),
            model,
            server=self.server,
            served=self.served,
            api_key=self.api_key,
            **options,
        )
        if head is not None and (probe := StatesProbe.read(head)) is not None:
            (states,) = remote.states_of([probe.ids])
            probe.check(states, origin=remote.origin)
        return remote
