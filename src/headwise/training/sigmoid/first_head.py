"""The head that a run begins with: a new one, or one that was trained before."""

import torch

from headwise.backbones import Backbone
from headwise.choices import LAST_LAYER, ONLY_LAST
from headwise.errors import TrainingError
from headwise.features import FeatureSource
from headwise.heads import (
    QualityHead,
    SharedUnembeddingHead,
    SigmoidHead,
    build_head,
    check_fit,
    head_folder,
    load_head,
)
from headwise.training.loop.layers import layer_arguments
from headwise.training.loop.tokens import sampled_batches
from headwise.training.sigmoid.settings import SigmoidTraining

# What a head that no run trained before starts from
_NEW = ("lm_head", "random")
# Positions whose mean and spread are within a few percent of those of all
_STANDARDISED_BY = 4096


def first_head(backbone: Backbone, settings: SigmoidTraining) -> QualityHead:
    """The head in its first state, on the backbone's device.

    Before the best layer is found, it reads the last.

    Raises:
        ValueError: If the model has no such layer, or the head reads the last one alone.
        TrainingError: If a head of another type, or of another layer, is to be gone on from.
        MismatchError: If that head belongs to another language model.
        UnknownModelError: If there is no such head.
    """
    torch.manual_seed(settings.seed)
    start = settings.initialise
    named = ONLY_LAST if settings.layers == "auto" else settings.layers
    # What enters the output layer comes first
    layers = layer_arguments(backbone, (LAST_LAYER, *named))
    if start not in _NEW:
        head = load_head(head_folder(start), unembedding=lambda: backbone.unembedding)
        if head.head_type != settings.head_type:
            raise TrainingError(
                f"The head at {start} is a {head.head_type}, but a {settings.head_type} is to be "
                "trained; give its type."
            )
        check_fit(
            head,
            vocabulary_size=backbone.vocabulary_size,
            hidden_size=backbone.hidden_size,
            layer_widths=lambda: backbone.layer_widths,
        )
        if settings.layers != ONLY_LAST and layers["layers"] != backbone.layer_numbers(head.layers):
            raise TrainingError(
                f"The head at {start} reads the layers {list(head.layers)}, and others cannot take "
                "their place; leave `layers` out to go on from it."
            )
        return head.requires_grad_(True).to(backbone.device)
    head = build_head(
        settings.head_type,
        vocabulary_size=backbone.vocabulary_size,
        hidden_size=backbone.hidden_size,
        unembedding=lambda: backbone.unembedding,
        context_size=settings.context_size,
        rank=settings.rank,
        **layers,
    )
    if start == "lm_head" and isinstance(head, SigmoidHead):
        head.initialise_from(backbone.unembedding.weight)
    return head.to(backbone.device)


def standardise(head: QualityHead, train: FeatureSource, settings: SigmoidTraining) -> None:
    """Measure on training text what a new head reads of another layer than the last."""
    if not isinstance(head, SharedUnembeddingHead) or head.layers == ONLY_LAST:
        return
    if settings.initialise in _NEW:
        sample = sampled_batches(train, positions=_STANDARDISED_BY, seed=settings.seed)
        head.standardise(torch.cat([batch.hidden.to(head.scale.device) for batch in sample]))
