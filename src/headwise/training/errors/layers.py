"""The layers of a language model that an error head reads: a head on them, the best of a few."""

import logging
import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from headwise.backbones import Backbone
from headwise.choices import LAST_LAYER, ONLY_LAST
from headwise.data.records.pairs import Pair
from headwise.errors import TrainingError
from headwise.features import FeatureSource
from headwise.features.batch import LayerFeatures
from headwise.heads import ErrorHead
from headwise.training.errors.fitting import fit_error_head
from headwise.training.errors.report import LayerChoice
from headwise.training.errors.settings import ErrorTraining

logger = logging.getLogger(__name__)

SAMPLE = 500
"""Texts of each part that the layers are tried on, at most."""

# Where probes of other models were best, and the last layer, as shares of the depth
_DEPTHS = (1 / 3, 1 / 2, 2 / 3, 5 / 6)


def depths_to_try(backbone: Backbone) -> tuple[int, ...]:
    """A few layers of a model, from the lowest to the last."""
    count = len(backbone.layer_widths) - 1
    middle = {round(share * count) for share in _DEPTHS} - {0, count}
    return (*sorted(middle), LAST_LAYER)


def first_head(
    backbone: Backbone, settings: ErrorTraining, layers: Sequence[int], *, statistics: bool
) -> ErrorHead:
    """A head that reads some layers of a model, with random weights."""
    numbers, widths = backbone.layer_numbers(layers), None
    if numbers != ONLY_LAST:
        widths = [backbone.layer_widths[number] for number in numbers]
    torch.manual_seed(settings.seed)
    return ErrorHead(
        hidden_size=backbone.hidden_size,
        variant=settings.variant,
        inner_size=settings.inner_size,
        rank=settings.rank_for(backbone.hidden_size),
        statistics=statistics,
        dropout=settings.dropout,
        layers=numbers,
        layer_count=None if widths is None else len(backbone.layer_widths) - 1,
        layer_widths=None if set(widths or ()) <= {backbone.hidden_size} else widths,
    )


def sample(pairs: Sequence[Pair]) -> list[Pair]:
    """Some texts, the same ones every time, in their order."""
    chosen = random.Random(0).sample(range(len(pairs)), min(len(pairs), SAMPLE))
    return [pairs[i] for i in sorted(chosen)]


def choose_layer(
    backbone: Backbone,
    whole: ErrorHead,
    sources: Sequence[FeatureSource],
    *,
    settings: ErrorTraining,
    device: torch.device,
) -> LayerChoice:
    """Train a head on each of a few layers, say what they are worth, and choose.

    Args:
        backbone: The language model.
        whole: A head that reads all of these layers.
        sources: Features for it, of a sample of the training texts and of dev.
        settings: Of the run; those of a head of one layer are the same.
        device: Where to train.

    Raises:
        TrainingError: If it is undefined for all layers how well their heads do on dev.
    """
    aurocs: dict[int, float | None] = {}
    for layer in whole.layers:
        train, dev = (
            LayerFeatures(source, backbone, given=whole.layers, wanted=(layer,))
            for source in sources
        )
        with TemporaryDirectory() as folder:
            stage = fit_error_head(
                first_head(backbone, settings, (layer,), statistics=whole.statistics),
                train,
                dev,
                settings,
                unembedding=backbone.unembedding.weight,
                checkpoints=Path(folder),
                device=device,
                gaps=False,
            )
        aurocs[layer] = stage.tokens.auroc
    if all(area is None for area in aurocs.values()):
        raise TrainingError(
            "No layer can be chosen: the sample of dev does not have both right and wrong tokens. "
            "Name the layers (`layers`), or give more dev texts."
        )
    choice = LayerChoice(aurocs, len(backbone.layer_widths) - 1)
    logger.info("%s", choice)
    return choice
