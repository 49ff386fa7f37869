"""Error heads of grounded answers: fitted to cached features, kept in folders."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from features import LAYERS, MODEL, PROMPT, GroundedSet
from grounded_sets import RIGHT

from headwise.backbones import NAMED_PROMPTS, Backbone
from headwise.features import SelectedFeatures
from headwise.features.batch import LayerFeatures
from headwise.heads import ErrorHead, load_error_head, save_head
from headwise.training.errors import ErrorTraining, fit_error_head

# Every tenth answer decides when to stop
_DEV = 10
SETTINGS = ErrorTraining(epochs=12, learning_rate=1e-3, dropout=0.3, patience=4, batch_tokens=2048)


@dataclass(frozen=True)
class Variant:
    """What a head reads."""

    layers: tuple[int, ...]
    rank: int | None = 64
    inner_size: int = 64
    statistics: bool = False


# The best of layers 6, 9, 12, 15 and the last on held-out answers of the training set
CHOSEN = Variant((9,))


def fitted_head(
    backbone: Backbone,
    found: GroundedSet,
    folder: Path,
    *,
    families: Sequence[str],
    variant: Variant = CHOSEN,
    seed: int = 0,
) -> ErrorHead:
    """A head that learned from right texts and copies of some families, or one fitted before."""
    head = load_error_head(folder)
    if head is not None:
        return head
    torch.manual_seed(seed)
    head = ErrorHead(
        hidden_size=backbone.hidden_size,
        inner_size=variant.inner_size,
        rank=variant.rank,
        statistics=variant.statistics,
        dropout=SETTINGS.dropout,
        layers=variant.layers,
        layer_count=len(backbone.layer_widths) - 1,
    )
    texts = found.texts(RIGHT, *families)
    held = [i for i in texts if found.groups[i] % _DEV == 0]
    seen = [i for i in texts if found.groups[i] % _DEV != 0]
    source = LayerFeatures(
        found.features,
        backbone,
        backbone.layer_numbers(LAYERS),
        backbone.layer_numbers(variant.layers),
    )
    checkpoints = folder / "checkpoints"
    shutil.rmtree(checkpoints, ignore_errors=True)
    named = dict(zip(found.features.pairs, found.families, strict=True))
    fit_error_head(
        head,
        SelectedFeatures(source, seen),
        SelectedFeatures(source, held),
        SETTINGS,
        unembedding=backbone.unembedding.weight,
        checkpoints=checkpoints,
        device=backbone.device,
        families=[
            None if named.get(n, RIGHT) == RIGHT else named[n] for n in range(max(named) + 1)
        ],
        gaps=False,
    )
    save_head(
        head,
        folder,
        prompt=NAMED_PROMPTS[PROMPT].model_dump(),
        backbone=MODEL,
        dtype=torch.float16,
    )
    shutil.rmtree(checkpoints)
    return head
