"""What an abstention head learns from: outputs of an NLI head, and whether its label is wrong."""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from headwise.errors import TrainingError
from headwise.heads import InferenceInputs, NLIHead
from headwise.training.abstention.settings import ErrorLabels
from headwise.training.loop.vectors import LabelledInputs, Subset, input_batches
from headwise.training.nli.settings import NLITraining
from headwise.training.nli.train import first_nli_head, fit_nli_head

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InMemoryVectors:
    """Vectors in memory, with their classes: what :class:`LabelledInputs` says of shapes."""

    vectors: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor) -> Tensor:
        """Vectors by their numbers."""
        return self.vectors[indices]


@dataclass(frozen=True, slots=True)
class ErrorExamples:
    """What :func:`nli_outputs` gives with class 1 for an error, and the share of errors.

    With folds, also the accuracy of each fold's head on what it did not see.
    """

    examples: InMemoryVectors
    share: float
    fold_accuracies: list[float]


@torch.no_grad()
def nli_outputs(
    head: NLIHead, source: LabelledInputs[InferenceInputs], *, device: torch.device
) -> Tensor:
    """Hidden layer and logits side by side, ``(N, hidden_size + 3)``, float32, on the CPU."""
    head = head.to(device).eval()
    rows = [
        torch.cat(head.with_hidden(inputs.to(device)), dim=-1).cpu()
        for inputs in input_batches(source)
    ]
    head.cpu()
    return torch.cat(rows)


def wrong_labels(outputs: Tensor, labels: Tensor, head: NLIHead) -> Tensor:
    """Whether the most probable label is wrong, ``(N,)``, int64, from :func:`nli_outputs`."""
    return (outputs[:, head.hidden_size :].argmax(-1) != labels).long()


def premise_folds(premises: Sequence[str], *, folds: int, seed: int) -> Tensor:
    """Deal premises to folds at random: number of each pair's fold, from 0, ``(N,)``, int64.

    All pairs of one premise stand in one fold.

    Raises:
        TrainingError: If there are fewer premises than folds.
    """
    # No NumPy array of texts: each would be as wide as the longest
    names = {name: number for number, name in enumerate(sorted(set(premises)))}
    if len(names) < folds:
        raise TrainingError(
            f"{folds} folds need as many different premises, the training data hold {len(names)}; "
            "take fewer folds, or more data."
        )
    dealt = np.random.default_rng(seed).permutation(len(names)) % folds
    return torch.from_numpy(dealt[[names[premise] for premise in premises]]).long()


def abstention_examples(
    head: NLIHead,
    train: LabelledInputs[InferenceInputs],
    dev: LabelledInputs[InferenceInputs],
    premises: Sequence[str],
    *,
    labels: ErrorLabels,
    folds: int,
    seed: int,
    settings: NLITraining,
    device: torch.device,
) -> ErrorExamples:
    """What the abstention head learns from.

    An NLI head errs less on pairs that it was trained on than on others, so that its own errors
    there say little. Out-of-fold errors come from heads that were trained like it, but without the
    premise; dev decides when they stop, as it did for the NLI head. Each of them stands there
    twice: beside the outputs of the NLI head, which will be read later on, and beside those of the
    other head, which had not seen the pair.
    """
    own = nli_outputs(head, train, device=device)
    if labels is ErrorLabels.OWN_ERRORS:
        wrong = wrong_labels(own, train.labels, head)
        return ErrorExamples(InMemoryVectors(own, wrong), wrong.float().mean().item(), [])
    place = premise_folds(premises, folds=folds, seed=seed)
    wrong = torch.empty(len(own), dtype=torch.int64)
    error_probability = torch.empty(len(own))
    found = torch.empty_like(own)
    # Heads of the folds are thrown away: no tracker is to show them
    settings = replace(settings, report_to=(), hidden_size=head.hidden_size)
    sizes: tuple[int, int | None] = (head.input_size, None)
    if (interaction := head.interaction) is not None:
        sizes = head.input_size - interaction.output_size, interaction.token_size
        settings = replace(settings, interaction_size=interaction.inner_size)
    accuracies = []
    for fold in range(folds):
        logger.info("NLI head without fold %d of %d:", fold + 1, folds)
        held_out = (place == fold).nonzero().squeeze(1)
        rest = Subset(train, (place != fold).nonzero().squeeze(1))
        # The same first weights as the NLI head's, so that hidden units keep something in common
        other = first_nli_head(*sizes, settings)
        with tempfile.TemporaryDirectory(prefix="headwise-fold-") as folder:
            fit_nli_head(other, rest, dev, settings, checkpoints=Path(folder), device=device)
        unseen = Subset(train, held_out)
        found[held_out] = nli_outputs(other, unseen, device=device)
        wrong[held_out] = wrong_labels(found[held_out], unseen.labels, other)
        probabilities = found[held_out, other.hidden_size :].softmax(dim=-1)
        error_probability[held_out] = 1.0 - probabilities.gather(
            1, unseen.labels.unsqueeze(1)
        ).squeeze(1)
        accuracies.append(1.0 - wrong[held_out].float().mean().item())
    both = torch.cat([own, found])
    if labels is ErrorLabels.OUT_OF_FOLD:
        return ErrorExamples(
            InMemoryVectors(both, wrong.repeat(2)), wrong.float().mean().item(), accuracies
        )
    shares = torch.stack([1.0 - error_probability, error_probability], dim=1)
    return ErrorExamples(
        InMemoryVectors(both, shares.repeat(2, 1)), error_probability.mean().item(), accuracies
    )
