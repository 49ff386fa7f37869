"""What features depend on, so that features of another model or other data are never taken."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from headwise.backbones import Backbone, PromptTemplate
from headwise.data.records.pairs import Pair
from headwise.data.records.token_marks import is_missing_somewhere
from headwise.errors import MismatchError

FORMAT_VERSION = 3
# Weights are sampled: fine-tuning moves all of them, and a 7B model has too many to read
_SAMPLES = 4096
# What a model's configuration says of where it came from, not of what it computes
_INCIDENTAL = ("_name_or_path", "architectures", "dtype", "transformers_version", "use_cache")
# A fast tokeniser's parts; its others hold what the last call asked for
_TOKENIZER_PARTS = ("added_tokens", "normalizer", "pre_tokenizer", "model")


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """What is extracted.

    Attributes:
        dtype: Of the hidden states on disk: ``bfloat16`` or ``float32``. The log-probabilities
            beside them are float16 or float32.
        candidates: M, how many of the most probable tokens each position keeps.
        max_length: Longest input in tokens; ``None`` for the model's own limit.
        cut: Whether a hypothesis that is too long loses its end, instead of being left out.
        statistics: Whether to keep log-probability, entropy and rank of the targets.
        closing_tokens: How many of the tokens that close a text are kept as targets; ``None`` for
            all. An error head learns from one, and that is what it is given to score.
        gaps_marked: Whether who marked spans also marked gaps. If not, nobody knows where
            something is missing in texts with spans; word tags say it themselves.
    """

    dtype: str = "bfloat16"
    candidates: int = 256
    max_length: int | None = None
    cut: bool = False
    statistics: bool = False
    closing_tokens: int | None = None
    gaps_marked: bool = True

    def __post_init__(self) -> None:
        if self.dtype not in ("bfloat16", "float32"):
            raise ValueError(f"`dtype` must be bfloat16 or float32, got {self.dtype!r}.")
        if self.candidates < 1:
            raise ValueError(f"`candidates` must be at least 1, got {self.candidates}.")
        if self.closing_tokens is not None and self.closing_tokens < 0:
            raise ValueError(f"`closing_tokens` must not be negative, got {self.closing_tokens}.")


def fingerprint(
    backbone: Backbone, pairs: Sequence[Pair], prompt: PromptTemplate, spec: FeatureSpec
) -> dict[str, Any]:
    """Everything that features depend on, each under its own name.

    Texts and weights stand as digests. The backbone's digest covers its configuration, and every
    tensor's name and shape and up to 4,096 of its values.
    """
    return {
        "format version": FORMAT_VERSION,
        "backbone": model_digest(backbone.model),
        "tokeniser": _tokenizer_digest(backbone),
        "prompt": prompt.model_dump(),
        "data": _data_digest(pairs),
        "pairs": len(pairs),
        **{name.replace("_", " "): value for name, value in asdict(spec).items()},
    }


def check_version(found: dict[str, Any], *, folder: str) -> None:
    """Refuse features in a format that this version does not write with a MismatchError."""
    version = found.get("format version")
    if version != FORMAT_VERSION:
        raise MismatchError(
            f"The features in {folder} were written by another version of headwise (format "
            f"{version}, this one writes {FORMAT_VERSION}); delete the folder or name another one."
        )


def check_fingerprint(found: dict[str, Any], wanted: dict[str, Any], *, folder: str) -> None:
    """Refuse features of something else with a MismatchError that names what differs."""
    check_version(found, folder=folder)
    names = sorted(n for n in found.keys() | wanted.keys() if found.get(n) != wanted.get(n))
    if "candidates" in names and found.get("candidates", 0) > wanted["candidates"]:
        names.remove("candidates")  # more than are needed do no harm
    if names:
        differences = "; ".join(
            f"{name}: {_shown(found.get(name))} there, {_shown(wanted.get(name))} now"
            for name in names
        )
        raise MismatchError(
            f"The features in {folder} were extracted from something else ({differences}); "
            "name another folder, or delete this one."
        )


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "..."


def model_digest(model: PreTrainedModel) -> str:
    """Digest of a model's configuration, and of names, shapes and samples of its tensors."""
    config = model.config.to_dict()
    # The same weights, run in another way, give other features
    config = {name: value for name, value in config.items() if name not in _INCIDENTAL}
    return weights_digest(model.state_dict(), json.dumps(config, sort_keys=True, default=str))


def weights_digest(tensors: Mapping[str, Tensor], beside: str = "") -> str:
    """Digest of names, shapes and samples of tensors, and of what else there is to tell."""
    digest = hashlib.sha256(beside.encode())
    for name, weight in tensors.items():
        flat = weight.reshape(-1)
        sample = flat[:: max(1, -(-len(flat) // _SAMPLES))].to("cpu", torch.float32)
        digest.update(f"{name} {tuple(weight.shape)} {weight.dtype}".encode())
        digest.update(sample.numpy().tobytes())
    return digest.hexdigest()[:16]


def rows_digest(rows: Iterable[object]) -> str:
    """Digest of rows, whatever they are, by what they say of themselves."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _tokenizer_digest(backbone: Backbone) -> str:
    tokenizer = backbone.tokenizer
    pieces: object = sorted(tokenizer.get_vocab().items())
    if tokenizer.is_fast:
        whole = json.loads(tokenizer.backend_tokenizer.to_str())
        pieces = [whole[part] for part in _TOKENIZER_PARTS]
    known = json.dumps(
        [pieces, tokenizer.bos_token, tokenizer.eos_token, tokenizer.chat_template],
        ensure_ascii=False,
    )
    return hashlib.sha256(known.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _data_digest(pairs: Sequence[Pair]) -> str:
    digest = hashlib.sha256()
    for pair in pairs:
        given = pair.given
        marks = None if pair.errors is None else [(e.start, e.end) for e in pair.errors]
        row = [
            [dict(message) for message in given] if isinstance(given, tuple) else given,
            pair.hypothesis,
            marks,
            None if pair.tags is None else pair.tags.as_dict(),
            is_missing_somewhere(pair.extra),
        ]
        digest.update(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]
