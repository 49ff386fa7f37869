"""The metadata at the top of a model card, as hubs read it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from huggingface_hub import EvalResult, ModelCardData
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # it is public

from headwise.backbones.gguf_names import GEMMA, GEMMA_HUB
from headwise.bundled.names import MINILM, QUALITY_FOLDERS
from headwise.training.loop.run_file import TrainingRun

_HUB_IDS = {GEMMA: GEMMA_HUB, MINILM: f"sentence-transformers/{MINILM}"}
_METRICS = {"f1": "macro-F1", "roc_auc": "ROC AUC of tokens"}


def front_matter(
    run: TrainingRun,
    *,
    name: str,
    task: str,
    tags: Sequence[str],
    dev: Sequence[str],
    figures: Mapping[str, float | None],
) -> str:
    """What a hub sorts and shows heads by, between its two lines of dashes.

    Terms and languages are for whoever publishes the heads: no training knows them.

    Args:
        run: Which backbone.
        name: Of the heads.
        task: One of the hub's pipelines.
        tags: Further words that the heads are found by.
        dev: Files that the figures were measured on.
        figures: By the names that the hub has for metrics; undefined ones are left out.
    """
    files = ", ".join(Path(file).name for file in dev) or "given in Python"
    results = [
        EvalResult(
            task_type=task,
            dataset_type="dev",
            dataset_name=files,
            metric_type=metric,
            metric_name=_METRICS.get(metric),
            metric_value=round(value, 4),
        )
        for metric, value in figures.items()
        if value is not None
    ]
    data = ModelCardData(
        library_name="headwise",
        base_model=hub_id(run.backbone),
        pipeline_tag=task,
        tags=list(tags),
        model_name=name,
        eval_results=results or None,
    )
    return f"---\n{data.to_yaml()}\n---\n"


def hub_id(backbone: str | None) -> str | None:
    """The hub's id of a backbone; ``None`` if only this machine or this package knows it."""
    if backbone is None or backbone in QUALITY_FOLDERS or Path(backbone).exists():
        return None
    name = _HUB_IDS.get(backbone, backbone)
    try:
        validate_repo_id(name)
    except HFValidationError:
        return None
    return name
