"""An error head on the layers that are named, and what such heads are worth on a few of them."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from headwise.backbones import Backbone
from headwise.features import FeatureSource
from headwise.features.batch import LayerFeatures
from headwise.heads import ErrorHead
from headwise.training.errors.fitting import fit_error_head
from headwise.training.errors.settings import ErrorTraining
from headwise.training.loop.layers import LayerChoice, choose_layer, layer_arguments


def first_head(
    backbone: Backbone, settings: ErrorTraining, layers: Sequence[int], *, statistics: bool
) -> ErrorHead:
    """A head that reads some layers of a model, with random weights."""
    torch.manual_seed(settings.seed)
    return ErrorHead(
        hidden_size=backbone.hidden_size,
        variant=settings.variant,
        inner_size=settings.inner_size,
        rank=settings.rank_for(backbone.hidden_size),
        statistics=statistics,
        dropout=settings.dropout,
        **layer_arguments(backbone, layers),
    )


def best_layer(
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

    def auroc(layer: int) -> float | None:
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
        return stage.tokens.auroc

    return choose_layer(backbone, auroc)
