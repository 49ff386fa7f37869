"""The head that training starts from."""

from headwise.backbones import Backbone
from headwise.errors import TrainingError
from headwise.heads import (
    QualityHead,
    SigmoidHead,
    build_head,
    check_fit,
    head_folder,
    load_head,
)
from headwise.training.settings import SigmoidTraining


def first_head(backbone: Backbone, settings: SigmoidTraining) -> QualityHead:
    """The head in its first state, on the backbone's device.

    Raises:
        TrainingError: If a head of another type is to be gone on from.
        MismatchError: If that head belongs to another language model.
        UnknownModelError: If there is no such head.
    """
    start = settings.initialise
    if start not in ("lm_head", "random"):
        head = load_head(head_folder(start), unembedding=lambda: backbone.unembedding)
        if head.head_type != settings.head_type:
            raise TrainingError(
                f"The head at {start} is a {head.head_type}, but a {settings.head_type} is to be "
                "trained; give its type."
            )
        check_fit(head, vocabulary_size=backbone.vocabulary_size, hidden_size=backbone.hidden_size)
        return head.requires_grad_(True).to(backbone.device)
    head = build_head(
        settings.head_type,
        vocabulary_size=backbone.vocabulary_size,
        hidden_size=backbone.hidden_size,
        unembedding=lambda: backbone.unembedding,
        context_size=settings.context_size,
    )
    if start == "lm_head" and isinstance(head, SigmoidHead):
        head.initialise_from(backbone.unembedding.weight)
    return head.to(backbone.device)
