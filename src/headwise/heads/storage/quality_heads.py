"""Heads of a language model on disk, in the hub layout, beside one another or alone."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from headwise.choices import HEAD_TYPES
from headwise.errors import MismatchError, WeightsError
from headwise.files import atomic_path, naming_output
from headwise.heads.quality.error_head import ErrorHead
from headwise.heads.quality.rescaling_head import TokenLogits
from headwise.heads.quality.sigmoid_head import SigmoidHead
from headwise.heads.storage.files import (
    CALIBRATION_FILE,
    CONFIG_FILE,
    StoredWeights,
    read_config,
    read_weights,
    write_head_files,
)
from headwise.heads.storage.kinds import (
    ERROR_FILES,
    ERROR_KIND,
    HUB_CODE,
    QUALITY_KINDS,
    QualityHead,
    has_error_head,
    load_kind,
)

CODE_FILES = tuple(f"{name}.py" for name in HUB_CODE)


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """What a head's folder says about the head.

    Attributes:
        head_type: One of :data:`headwise.heads.HEAD_TYPES`, or that of an error head.
        prompt: The prompt template in its saved form, or ``None``.
        backbone: Name of the language model that it belongs to, or ``None``.
    """

    head_type: str
    prompt: dict[str, Any] | None
    backbone: str | None


def read_head_info(folder: Path) -> HeadInfo:
    """Read the config of a head's folder; what it leaves open, that of its error head may say.

    Args:
        folder: The folder of the heads.

    Raises:
        WeightsError: If it is missing or is not a head's.
        MismatchError: If the folder's heads read different prompts.
    """
    other = HeadInfo(ErrorHead.head_type, None, None)
    if has_error_head(folder):
        other = read_error_head_info(folder)
        if not (folder / CONFIG_FILE).is_file():
            return other
    config = read_config(folder)
    prompt, backbone = _belongs_to(config, folder / CONFIG_FILE)
    return HeadInfo(
        head_type=config.get("head_type") or SigmoidHead.head_type,
        prompt=prompt or other.prompt,
        backbone=backbone or other.backbone,
    )


def read_error_head_info(folder: str | Path) -> HeadInfo:
    """What a folder says about its error head.

    Raises:
        WeightsError: If it does not say anything.
        MismatchError: If a Sigmoid Head in the same folder reads another prompt.
    """
    folder = Path(folder)
    config = read_config(folder, name=ERROR_FILES.config)
    prompt, backbone = _belongs_to(config, folder / ERROR_FILES.config)
    check_same_prompt(folder, prompt)
    return HeadInfo(ErrorHead.head_type, prompt, backbone)


def _belongs_to(config: dict[str, Any], path: Path) -> tuple[dict[str, Any] | None, str | None]:
    """Prompt and language model that a config names.

    Raises:
        WeightsError: If they are something else.
    """
    prompt, backbone = config.get("prompt"), config.get("backbone")
    for name, value, kind, called in (
        ("prompt", prompt, dict, "an object"),
        ("backbone", backbone, str, "a name"),
    ):
        if value is not None and not isinstance(value, kind):
            raise WeightsError(f"`{name}` in {path} must be {called} or null, got {value!r:.60}.")
    return prompt, backbone


def load_head(folder: Path, *, unembedding: Callable[[], TokenLogits]) -> QualityHead:
    """Load a head that scores tokens from its folder, in float32 and frozen.

    Sizes come from the weights themselves, so that any config of the hub layout will do;
    ``unembedding`` is as for :func:`headwise.heads.build_head`.

    Args:
        folder: The folder of the head.
        unembedding: Gives the language model's own output layer.

    Raises:
        WeightsError: If the weights are missing, damaged, pickled, or not a head's.
    """
    # Weights first: a folder without any may name the pickles that are not read
    weights = read_weights(folder)
    head_type = read_config(folder).get("head_type") or SigmoidHead.head_type
    if head_type not in HEAD_TYPES:
        raise WeightsError(
            f"{folder / CONFIG_FILE} names an unknown head: {head_type!r}; "
            f"known are {', '.join(HEAD_TYPES)}."
        )
    kind = QUALITY_KINDS[head_type]
    given = {"unembedding": unembedding()} if kind.reads_unembedding else {}
    head = load_kind(kind, folder, weights, **given)
    assert isinstance(head, QualityHead)
    return head


def load_error_head(folder: str | Path) -> ErrorHead | None:
    """Load an error head, in float32 and frozen; ``None`` if the folder has none.

    Args:
        folder: The folder of the heads.

    Raises:
        WeightsError: If the files are damaged or do not belong together, or one of them is
            missing.
        MismatchError: If a Sigmoid Head in the same folder reads another prompt.
    """
    folder = Path(folder)
    if not has_error_head(folder):
        return None
    read_error_head_info(folder)  # refuses two prompts
    head = load_kind(ERROR_KIND, folder, read_weights(folder, name=ERROR_FILES.weights))
    assert isinstance(head, ErrorHead)
    return head


def save_head(
    head: QualityHead | ErrorHead,
    folder: str | Path,
    *,
    prompt: dict[str, Any] | None = None,
    backbone: str | None = None,
    dtype: torch.dtype = torch.float32,
    model_card: str | None = None,
) -> Path:
    """Write a head in the hub layout; an error head beside a Sigmoid Head, or the other way round.

    The folder of a Sigmoid Head also loads in plain Transformers, with
    ``trust_remote_code=True``. A calibration that lies there is removed: it fits other weights.

    Args:
        head: The head.
        folder: Where to; made if it is missing.
        prompt: The prompt template in its saved form.
        backbone: Name of the language model that the head belongs to.
        dtype: Floating point type of the file; what inputs are standardised by stays float32.
        model_card: Text of ``README.md`` or ``error_head.md``; none is written if ``None``.

    Returns:
        The folder.

    Raises:
        MismatchError: If the folder's other head reads another prompt.
        OutputError: If a file cannot be written.
    """
    folder = Path(folder)
    check_same_prompt(folder, prompt, of_error_head=isinstance(head, ErrorHead))
    write_head(head, folder, prompt, backbone, dtype=dtype, model_card=model_card)
    return folder


def write_head(
    head: QualityHead | ErrorHead,
    folder: Path,
    prompt: dict[str, Any] | None,
    backbone: str | None,
    *,
    dtype: torch.dtype,
    model_card: str | None,
) -> None:
    """Do what :func:`save_head` does, whatever prompt the folder's other head reads."""
    kind = ERROR_KIND if isinstance(head, ErrorHead) else QUALITY_KINDS[head.head_type]
    tensors = head.state_dict()
    # A constructor's settings stay plain attributes, which `vars` has
    told = kind.arguments(StoredWeights(tensors, folder), vars(head))
    names = {"prompt": prompt, "backbone": backbone}
    with naming_output(folder):
        # Other weights make it wrong
        (folder / CALIBRATION_FILE).unlink(missing_ok=True)
    if kind is ERROR_KIND:
        config = {"head_type": kind.name, **told, **names}
    else:
        model = HUB_CODE[kind.code]
        config = {
            "architectures": [model],
            "auto_map": {
                "AutoConfig": f"{kind.code}.{model}Config",
                "AutoModel": f"{kind.code}.{model}",
            },
            "model_type": kind.code,
            # Plain Transformers wants numbers also where there is no unembedding
            "vocab_size": told.pop("vocabulary_size", 0),
            "hidden_size": told.pop("hidden_size", 0),
            "head_type": kind.name,
            **names,
            **told,
        }
        file = f"{kind.code}.py"
        with naming_output(folder), atomic_path(folder / file) as temporary:
            temporary.write_bytes((files("headwise.heads.storage.hub") / file).read_bytes())
    write_head_files(
        folder,
        tensors,
        config,
        dtype=dtype,
        model_card=model_card,
        names=kind.files,
        exact=kind.exact,
    )


def check_same_prompt(
    folder: Path, prompt: dict[str, Any] | None, *, of_error_head: bool = True
) -> None:
    """Refuse a prompt that differs from that of the other head in a folder, if there is one.

    One pass of the model serves both. Prompts are in their saved form; ``None`` fits any.

    Args:
        folder: A head's folder, there or not.
        prompt: That of a head that is to stand there.
        of_error_head: Whether that is an error head, and the other one a Sigmoid Head.

    Raises:
        MismatchError: If they differ; it says in what.
    """
    name = CONFIG_FILE if of_error_head else ERROR_FILES.config
    other = read_config(folder, name=name).get("prompt") if (folder / name).is_file() else None
    part = differing_part(prompt, other)
    if part is None or prompt is None or other is None:
        return
    error, sigmoid = (prompt, other) if of_error_head else (other, prompt)
    at = f" in {folder}"
    raise MismatchError(
        f"The error head{'' if of_error_head else at} reads another prompt than the Sigmoid Head"
        f"{at if of_error_head else ''} ({part}: {error[part]!r:.100} against "
        f"{sigmoid[part]!r:.100}). Train one of them with the other's prompt, or keep them in "
        "folders of their own."
    )


def differing_part(prompt: dict[str, Any] | None, other: dict[str, Any] | None) -> str | None:
    """Name of a part in which two saved prompts differ; ``None`` if they fit together.

    A prompt that is not known fits any, and so does a part that only one of them says.

    Args:
        prompt: A template in its saved form.
        other: Another one.
    """
    if not isinstance(prompt, dict) or not isinstance(other, dict):
        return None
    return min((n for n in prompt.keys() & other.keys() if prompt[n] != other[n]), default=None)
