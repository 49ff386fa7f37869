"""What features depend on, so that features of another model or other data are never taken."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from headwise.backbones import Backbone, PromptTemplate
from headwise.backbones.content import model_digests, tokenizer_digest
from headwise.choices import ONLY_LAST
from headwise.data.records.pairs import Pair
from headwise.data.records.token_marks import is_missing_somewhere
from headwise.errors import MismatchError

FORMAT_VERSION = 3


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """What is extracted.

    Attributes:
        dtype: Of the hidden states on disk: ``bfloat16`` or ``float32``. The log-probabilities
            beside them are float16 or float32.
        layers: Layers of the model whose hidden states are kept, side by side, as one pass up to
            the highest of them gives them.
        candidates: M, how many of the most probable tokens each position keeps. With 0, and
            without statistics, nothing of the vocabulary is computed.
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
    layers: tuple[int, ...] = ONLY_LAST

    def __post_init__(self) -> None:
        if self.dtype not in ("bfloat16", "float32"):
            raise ValueError(f"`dtype` must be bfloat16 or float32, got {self.dtype!r}.")
        if self.candidates < 0:
            raise ValueError(f"`candidates` must not be negative, got {self.candidates}.")
        if self.closing_tokens is not None and self.closing_tokens < 0:
            raise ValueError(f"`closing_tokens` must not be negative, got {self.closing_tokens}.")


def fingerprint(
    backbone: Backbone, pairs: Sequence[Pair], prompt: PromptTemplate, spec: FeatureSpec
) -> dict[str, Any]:
    """Everything that features depend on, each under its own name.

    Texts, weights, configuration and tokeniser stand as digests of all of them.
    """
    asked = asdict(spec)
    # Features of the last layer alone have been known without it
    if (layers := backbone.layer_numbers(asked.pop("layers"))) != ONLY_LAST:
        asked["layers"] = list(layers)
    return {
        "format version": FORMAT_VERSION,
        **model_digests(backbone.model),
        "tokeniser": tokenizer_digest(backbone.tokenizer),
        "prompt": prompt.model_dump(),
        "data": _data_digest(pairs, prompt),
        "pairs": len(pairs),
        **{name.replace("_", " "): value for name, value in asked.items()},
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


def rows_digest(rows: Iterable[object]) -> str:
    """Digest of rows, whatever they are, by what they say of themselves."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def _data_digest(pairs: Sequence[Pair], prompt: PromptTemplate) -> str:
    digest = hashlib.sha256()
    columns = tuple(prompt.columns.values())
    for pair in pairs:
        given = pair.given
        marks = None if pair.errors is None else [(e.start, e.end) for e in pair.errors]
        row: list[object] = [
            [dict(message) for message in given] if isinstance(given, tuple) else given,
            pair.hypothesis,
            marks,
            None if pair.tags is None else pair.tags.as_dict(),
            is_missing_somewhere(pair.extra),
        ]
        if pair.unsure:
            row.append({"unsure": pair.unsure})
        if columns:
            row.append([str(pair.extra.get(column)) for column in columns])
        digest.update(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]
