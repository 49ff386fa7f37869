"""Adapters (LoRA and its kin) that stand in for a model: found, applied, and merged."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from headwise.backbones.loading.filled_weights import listed
from headwise.backbones.loading.model_files import ADAPTER_CONFIG, find_file, read_object
from headwise.backbones.loading.places import Place
from headwise.errors import UnsupportedModelError, WeightsError

_WEIGHTS = "adapter_model.safetensors"


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter and the model that it belongs to.

    Attributes:
        name: The folder or hub id of the adapter.
        base: That of the model; the same where the model lies beside the adapter.
        has_tokenizer: Whether a tokeniser comes with the adapter.
    """

    name: str
    base: str
    has_tokenizer: bool

    @contextmanager
    def model_files(self, place: Place) -> Iterator[str]:
        """The model without its adapter, which Transformers would apply without a check.

        ``place`` is where the files of the base are.
        """
        if self.base != self.name:
            yield place.files
            return
        with tempfile.TemporaryDirectory(prefix="headwise-") as view:
            for path in Path(self.name).resolve().iterdir():
                if not path.name.startswith("adapter_"):
                    (Path(view) / path.name).symlink_to(path)
            yield view

    def apply(self, model: PreTrainedModel) -> PreTrainedModel:
        """The model with the adapter's changes added to its own weights.

        Raises:
            UnsupportedModelError: If it is of a kind that cannot be added to weights.
            WeightsError: If its tensors do not fill it, or fit another model.
        """
        from peft import PeftConfig, get_peft_model

        try:
            config = PeftConfig.from_pretrained(self.name)
            config.inference_mode = True
            # A config may name a module to import here, and other adapters or tokenisers to fetch
            foreign = getattr(config, "megatron_config", None) or getattr(config, "adapters", None)
            tuned: Any = None
            if not (config.is_prompt_learning or foreign):
                tuned = get_peft_model(model, config)
            merge = getattr(tuned, "merge_and_unload", None)
            if merge is None:
                raise UnsupportedModelError(
                    f"{self.name} holds an adapter of kind {config.peft_type}"
                    f"{' that names parts from elsewhere' if foreign else ''}, which cannot be "
                    "added to the weights of its model; plain LoRA and its kin can."
                )
            info = tuned.load_adapter(self.name, "default", use_safetensors=True)
            wrong = {
                "missing": info.missing_keys,
                "of no part of the model": info.unexpected_keys,
            }
            if found := [f"{what}: {listed(keys)}" for what, keys in wrong.items() if keys]:
                raise WeightsError(
                    f"The adapter {self.name} does not fit {self.base} ({'; '.join(found)}); give "
                    "the model that it was trained on."
                )
            merged: PreTrainedModel = merge()
        except (RuntimeError, ValueError, TypeError, KeyError, AttributeError) as error:
            if isinstance(error, UnsupportedModelError | WeightsError):
                raise
            raise WeightsError(
                f"The adapter {self.name} cannot be applied to {self.base}: {error}"
            ) from error
        return merged


def find_adapter(name: str | Path) -> Adapter | None:
    """The adapter that a folder or hub id holds, or ``None``.

    Raises:
        UnsupportedModelError: If there is one and peft is not installed.
        WeightsError: If it names no model, or has no weights in safetensors format.
    """
    path = find_file(name, ADAPTER_CONFIG)
    if path is None:
        return None
    stated = read_object(path).get("base_model_name_or_path")
    # On the hub, Transformers takes the model that the adapter names
    base = str(name) if (Path(name) / "config.json").is_file() else stated
    if not isinstance(base, str) or not base:
        raise WeightsError(
            f"{path} does not say which model the adapter belongs to (`base_model_name_or_path`)."
        )
    if find_spec("peft") is None:
        raise UnsupportedModelError(
            f"{name} holds an adapter of {stated or base}, which needs a package that is not "
            "installed: pip install 'headwise[adapters]'. Or give a folder into which it is merged "
            "(`merge_and_unload` of peft)."
        )
    if find_file(name, _WEIGHTS) is None:
        raise WeightsError(
            f"The adapter {name} has no {_WEIGHTS}; only weights in safetensors "
            "format are safe to load, so convert it first."
        )
    return Adapter(str(name), base, find_file(name, "tokenizer_config.json") is not None)
