"""What a GGUF file says of itself, read without its tensors and compared with its size.

The format is that of ggml (``docs/gguf.md`` there): a header, metadata by key, a table of tensors,
and their data.
"""

import mmap
import re
import struct
from collections.abc import Mapping
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from headwise.backbones.gguf_names import MAGIC
from headwise.errors import UnsupportedModelError, WeightsError

_VERSIONS = (2, 3)
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?"}
_SCALARS |= {10: "Q", 11: "q", 12: "d"}
# No file states more, and readers make an object of every element
_MOST_ELEMENTS, _MOST_TENSORS, _MOST_DIMENSIONS = 1 << 23, 1 << 20, 8
# What the metadata need to say here; the rest is passed over
_ALIGNMENT, _ARCHITECTURE = "general.alignment", "general.architecture"
_TYPE, _PARTS = "general.type", "split.count"
_DEFAULT_ALIGNMENT = 32


class GgufHeader(NamedTuple):
    """What a GGUF file holds.

    Attributes:
        architecture: llama.cpp's name of the model's architecture.
        sizes: How many numbers each tensor has, by its name.
    """

    architecture: str
    sizes: Mapping[str, int]

    @property
    def numbers(self) -> int:
        """How many numbers all tensors have."""
        return sum(self.sizes.values())


def read_header(path: Path, *, name: str) -> GgufHeader:
    """Read and check the header of a GGUF file; ``name`` is what errors call it.

    Raises:
        WeightsError: If the file is damaged, cut short, or one part of several.
        UnsupportedModelError: If it is of another version, byte order or kind, or its numbers are
            packed in a way that the package gguf does not know.
    """
    with path.open("rb") as file:
        # An empty file cannot be mapped
        if file.read(len(MAGIC)) != MAGIC:
            raise WeightsError(f"{name} is no GGUF file: it does not begin with {MAGIC.decode()}.")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _Reader(data, name).header()
            except (struct.error, UnicodeDecodeError, OverflowError) as error:
                raise WeightsError(
                    f"The GGUF file {name} is damaged or cut short ({error}); download it again."
                ) from None


class _Reader:
    """Reads a mapped file from its beginning on, and never beyond its end."""

    def __init__(self, data: mmap.mmap, name: str) -> None:
        self._data = data
        self._name = name
        self._place = len(MAGIC)

    def header(self) -> GgufHeader:
        """Everything up to the tensors' data; whether these are all there is checked, too."""
        (version,) = self._take("I")
        if version not in _VERSIONS:
            found = f"of version {version}" if version < 1 << 16 else "in big-endian byte order"
            raise UnsupportedModelError(
                f"The GGUF file {self._name} is {found}; versions 2 and 3 are read, in "
                "little-endian order. Convert it again."
            )
        tensors, entries = self._take("QQ")
        if max(tensors, entries) > _MOST_TENSORS:
            raise self._damaged(f"it states {tensors:,} tensors and {entries:,} entries")
        stated: dict[str, Any] = {}
        for _ in range(entries):
            key = self._string()
            stated[key] = self._value(*self._take("I"))
        self._check_kind(stated)
        return GgufHeader(str(stated[_ARCHITECTURE]), self._tensors(tensors, stated))

    def _check_kind(self, stated: Mapping[str, Any]) -> None:
        if (kind := stated.get(_TYPE, "model")) != "model":
            raise UnsupportedModelError(
                f"The GGUF file {self._name} holds no language model, but one of type {kind!r}; "
                "give the file of the model."
            )
        if (parts := stated.get(_PARTS, 1)) != 1:
            raise WeightsError(
                f"The GGUF file {self._name} is one of {parts} parts of a model; join them with "
                "`llama-gguf-split --merge` of llama.cpp and give the whole file."
            )
        architecture = stated.get(_ARCHITECTURE)
        for key in (_ARCHITECTURE, f"{architecture}.block_count"):
            if stated.get(key) is None:
                raise self._damaged(f"its metadata lack {key!r}")

    def _tensors(self, count: int, stated: Mapping[str, Any]) -> dict[str, int]:
        """Sizes of the tensors by name, all of which lie in the file."""
        from gguf import GGML_QUANT_SIZES

        packings = {int(packing): sizes for packing, sizes in GGML_QUANT_SIZES.items()}
        sizes, ends = dict[str, int](), dict[str, int]()
        for _ in range(count):
            tensor = self._string()
            (dimensions,) = self._take("I")
            if not 0 < dimensions <= _MOST_DIMENSIONS or tensor in sizes:
                raise self._damaged(f"the tensor {tensor!r} stands twice or has no shape")
            shape = self._take(f"{dimensions}Q")
            packing, offset = self._take("IQ")
            if packing not in packings:
                raise UnsupportedModelError(
                    f"The tensor {tensor!r} of the GGUF file {self._name} is packed in a way "
                    f"(type {packing}) that the installed gguf does not know; update it: pip "
                    "install --upgrade gguf. Or give a file that is packed otherwise."
                )
            block, packed = packings[packing]
            if not all(shape) or shape[0] % block:
                raise self._damaged(f"the tensor {tensor!r} has the shape {shape}")
            sizes[tensor] = prod(shape)
            ends[tensor] = offset + sizes[tensor] // block * packed
        alignment = stated.get(_ALIGNMENT, _DEFAULT_ALIGNMENT)
        if not isinstance(alignment, int) or alignment < 1:
            raise self._damaged(f"its alignment is {alignment!r}")
        start = -(-self._place // alignment) * alignment
        if not sizes:
            raise self._damaged("it has no tensors")
        last = max(ends, key=lambda tensor: ends[tensor])
        if (needed := start + ends[last]) > len(self._data):
            raise WeightsError(
                f"The GGUF file {self._name} is cut short: the tensor {last!r} ends at byte "
                f"{needed:,}, the file at {len(self._data):,}. Download it again."
            )
        return sizes

    def _value(self, kind: int) -> Any:
        """A value of the metadata; ``None`` for an array, which is passed over."""
        if kind in _SCALARS:
            return self._take(_SCALARS[kind])[0]
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            raise self._damaged(f"its metadata have a value of unknown type {kind}")
        element, count = self._take("IQ")
        if count > _MOST_ELEMENTS:
            raise self._damaged(f"its metadata have an array of {count:,} elements")
        if element in _SCALARS:
            self._pass(count * struct.calcsize(_SCALARS[element]))
        elif element == _STRING:
            for _ in range(count):
                self._pass(*self._take("Q"))
        else:
            raise self._damaged(f"its metadata have an array of type {element}")
        return None

    def _string(self) -> str:
        (length,) = self._take("Q")
        start = self._place
        self._pass(length)
        return self._data[start : self._place].decode("utf-8")

    def _take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{form}", self._data, self._place)
        self._place += struct.calcsize(f"<{form}")
        return found

    def _pass(self, size: int) -> None:
        if self._place + size > len(self._data):
            raise struct.error(f"a value of {size:,} bytes reaches over its end")
        self._place += size

    def _damaged(self, why: str) -> WeightsError:
        return WeightsError(
            f"The GGUF file {self._name} is damaged: {why}. Download it again, or convert it again."
        )


def check_architecture(header: GgufHeader, *, name: str) -> None:
    """Refuse a model that Transformers has no reader for.

    Raises:
        UnsupportedModelError: If so; the message lists the architectures that it reads.
    """
    if not _reads(header.architecture):
        from gguf import MODEL_ARCH_NAMES

        known = sorted({found for found in MODEL_ARCH_NAMES.values() if _reads(found)})
        raise UnsupportedModelError(
            f"The GGUF file {name} holds a model of the architecture {header.architecture!r}, "
            f"which Transformers does not read from GGUF; it reads {', '.join(known)}. Give the "
            "model's folder of safetensors instead."
        )


def _reads(architecture: str) -> bool:
    """Whether Transformers reads an architecture, by llama.cpp's name, from GGUF."""
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

    known = set(GGUF_SUPPORTED_ARCHITECTURES)
    # Older versions have one list alone
    if find_spec("transformers.integrations.gguf") is not None:
        from transformers.integrations import gguf as readers

        known |= set(getattr(readers, "GGUF_CONFIG_ARCHS", ()))
    known -= {"general", "tokenizer"}  # sections of metadata stand in the same list
    # `qwen2moe` of llama.cpp is `qwen2_moe` of Transformers
    return _plain(architecture.removesuffix("encoder")) in map(_plain, known)


def _plain(name: str) -> str:
    return re.sub("[-_]", "", name)
