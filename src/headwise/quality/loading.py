"""Find and load a language model, its heads, their prompt and their calibration."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headwise.backbones import (
    Backbone,
    PromptTemplate,
    default_prompt,
    load_backbone,
    parse_prompt,
)
from headwise.bundled import locate
from headwise.heads import has_sigmoid_head, load_error_head, load_head, read_head_info
from headwise.quality.calibration.record import Calibration
from headwise.quality.signal_request import QualityHeads


@dataclass(frozen=True, slots=True)
class LoadedParts:
    """What an estimator is made of.

    Attributes:
        backbone: The frozen language model.
        heads: Its heads, those that there are.
        prompt: How a pair is laid out.
        calibration: What makes the signal ``quality``, or ``None``.
    """

    backbone: Backbone
    heads: QualityHeads
    prompt: PromptTemplate
    calibration: Calibration | None


def load_parts(
    name: str | Path,
    head: str | Path | None,
    *,
    prompt: str | dict[str, Any] | PromptTemplate | None,
    prompt_variables: dict[str, str] | None,
    **options: Any,
) -> LoadedParts:
    """Load what names stand for.

    Args:
        name: A bundled name, a folder or hub id of a language model, or the folder of heads that
            know their backbone.
        head: A folder or hub id of heads.
        prompt: A template, or the name of one; by default the one saved with the heads.
        prompt_variables: Values for the prompt's variables.
        options: How to load the model, see :func:`headwise.backbones.load_backbone`.

    Raises:
        UnknownModelError: If a name leads nowhere.
        WeightsError: If weights are damaged, unsafe or missing.
        CalibrationError: If the calibration in the heads' folder is damaged.
        PromptError: If the prompt is unknown.
    """
    location = locate(name, head)
    backbone = load_backbone(location.backbone, **options)
    heads, calibration = QualityHeads(), None
    if (folder := location.head) is not None:
        error = load_error_head(folder)
        # A folder without any head is an error, which the Sigmoid Head's loader describes
        loads_sigmoid = error is None or has_sigmoid_head(folder)
        heads = QualityHeads(
            load_head(folder, unembedding=lambda: backbone.unembedding) if loads_sigmoid else None,
            error,
        )
        prompt = read_head_info(folder).prompt if prompt is None else prompt
        calibration = Calibration.load(folder)
    template = default_prompt(backbone) if prompt is None else parse_prompt(prompt)
    if prompt_variables:
        template = template.bind(**prompt_variables)
    return LoadedParts(backbone, heads, template, calibration)
