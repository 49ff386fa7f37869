"""Error heads for the tables: fitted to cached features, kept in folders."""

import logging
import shutil
import time
from collections.abc import Collection, Sequence
from pathlib import Path

import torch
from error_sets import RIGHT, ErrorSet

from headwise.backbones import Backbone
from headwise.features import SelectedFeatures
from headwise.heads import ErrorHead, load_error_head, save_error_head
from headwise.training.errors import ErrorTraining, fit_error_head

logger = logging.getLogger(__name__)

# Every tenth source decides when to stop
_DEV = 10


def fitted_head(
    backbone: Backbone,
    found: ErrorSet,
    folder: Path,
    *,
    families: Sequence[str],
    seed: int,
    settings: ErrorTraining,
    sources: Collection[str | None] | None = None,
) -> ErrorHead:
    """A head that learned from right texts and copies of some families, or one fitted before.

    Args:
        backbone: The frozen language model.
        found: The texts.
        folder: Of the head.
        families: Which errors it learns from.
        seed: Of its first weights.
        settings: Of the training.
        sources: Those of the texts that it learns from; all of them if left out.
    """
    head = load_error_head(folder)
    if head is not None:
        return head
    torch.manual_seed(seed)
    head = ErrorHead(
        hidden_size=backbone.hidden_size,
        variant=settings.variant,
        inner_size=settings.inner_size,
        statistics=settings.statistics == "on",
    )
    texts = found.texts(RIGHT, *families)
    if sources is not None:
        texts = [i for i in texts if found.groups[i] in sources]
    numbered = {source: number for number, source in enumerate(sorted(set(found.groups)))}
    held = [i for i in texts if numbered[found.groups[i]] % _DEV == 0]
    seen = [i for i in texts if numbered[found.groups[i]] % _DEV != 0]
    checkpoints = folder / "checkpoints"
    shutil.rmtree(checkpoints, ignore_errors=True)
    started = time.monotonic()
    numbers = {found.features.pairs[i]: found.families[i] for i in range(len(found.families))}
    names = [numbers.get(number) for number in range(max(numbers) + 1)]
    fit_error_head(
        head,
        SelectedFeatures(found.features, seen),
        SelectedFeatures(found.features, held),
        settings,
        unembedding=backbone.unembedding.weight,
        checkpoints=checkpoints,
        device=backbone.device,
        families=[None if name == RIGHT else name for name in names],
    )
    save_error_head(head, folder, prompt=None, backbone=None)
    shutil.rmtree(checkpoints)
    logger.info("%s: %d texts, %.0f s", folder.name, len(seen), time.monotonic() - started)
    return head
