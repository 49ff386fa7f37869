"""What an abstention head learns from: outputs of an NLI head, and whether its label is wrong."""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from headwise.corruption.inferences.lessons import lesson_of, source_premises
from headwise.data.records.inferences import InferencePair
from headwise.errors import TrainingError
from headwise.heads import NLI_LABELS, InferenceInputs, NLIHead, PairReading, TaskHeads, read_pairs
from headwise.heads.storage.files import RUN_FILE
from headwise.training.abstention.settings import ErrorLabels
from headwise.training.loop.run_file import TrainingRun
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
    """What :func:`nli_outputs` gives with class 1 for an error, of how many pairs.

    Also the share of errors and, with folds, the accuracy of each fold's head on what it did not
    see.
    """

    examples: InMemoryVectors
    pairs: int
    share: float
    fold_accuracies: list[float]


@torch.no_grad()
def nli_outputs(
    head: NLIHead,
    second: NLIHead | None,
    source: LabelledInputs[InferenceInputs],
    *,
    device: torch.device,
) -> Tensor:
    """Hidden layer, logits and evidence side by side, ``(N, hidden_size + 3 + E)``.

    They are float32, on the CPU; see :func:`headwise.heads.read_pairs`.
    """
    heads = [one.to(device).eval() for one in (head, second) if one is not None]
    rows = [
        torch.cat(read_pairs(head, second, inputs.to(device)), dim=-1).cpu()
        for inputs in input_batches(source)
    ]
    for one in heads:
        one.cpu()
    return torch.cat(rows)


def split_outputs(outputs: Tensor, hidden_size: int) -> PairReading:
    """Hidden layer, logits and evidence in what :func:`nli_outputs` gives."""
    evidence = outputs.shape[1] - hidden_size - len(NLI_LABELS)
    return PairReading(*outputs.split((hidden_size, len(NLI_LABELS), evidence), dim=1))


def wrong_labels(outputs: Tensor, labels: Tensor, head: NLIHead) -> Tensor:
    """Whether the most probable label is wrong, ``(N,)``, int64, from :func:`nli_outputs`."""
    return (split_outputs(outputs, head.hidden_size).logits.argmax(-1) != labels).long()


def nli_settings_of(folder: Path, heads: TaskHeads) -> NLITraining:
    """Those that the NLI head was trained with, or the usual ones if nobody knows."""
    path = folder / RUN_FILE
    if path.is_file():
        return NLITraining.from_dict(TrainingRun.read(path).settings)
    logger.info("%s has no %s: folds are trained with the usual settings.", folder, RUN_FILE)
    return NLITraining(features=heads.config.features)


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


def second_nli_head(
    head: NLIHead,
    train: LabelledInputs[InferenceInputs],
    dev: LabelledInputs[InferenceInputs],
    settings: NLITraining,
    *,
    device: torch.device,
) -> NLIHead:
    """A second NLI head of the same shape, trained alike from another start."""
    logger.info("Second NLI head:")
    return _trained(head, train, dev, replace(settings, seed=settings.seed + 1), device=device)


def _trained(
    head: NLIHead,
    train: LabelledInputs[InferenceInputs],
    dev: LabelledInputs[InferenceInputs],
    settings: NLITraining,
    *,
    device: torch.device,
) -> NLIHead:
    """An NLI head of the shape of another, trained by some settings."""
    sizes: tuple[int, int | None] = (head.input_size, None)
    # Heads that no folder keeps: no tracker is to show them
    settings = replace(settings, report_to=(), hidden_size=head.hidden_size)
    if (interaction := head.interaction) is not None:
        sizes = head.input_size - interaction.output_size, interaction.token_size
        settings = replace(settings, interaction_size=interaction.inner_size)
    found = first_nli_head(*sizes, settings)
    with tempfile.TemporaryDirectory(prefix="headwise-fold-") as folder:
        fit_nli_head(found, train, dev, settings, checkpoints=Path(folder), device=device)
    return found


def abstention_examples(
    head: NLIHead,
    second: NLIHead | None,
    train: LabelledInputs[InferenceInputs],
    dev: LabelledInputs[InferenceInputs],
    pairs: Sequence[InferencePair],
    *,
    labels: ErrorLabels,
    folds: int,
    seed: int,
    settings: NLITraining,
    reads_hidden: bool,
    device: torch.device,
) -> ErrorExamples:
    """What the abstention head learns from: ``pairs``, those of ``train``, that were not made.

    An NLI head errs less on pairs that it was trained on than on others, so that its own errors
    there say little. Out-of-fold errors come from heads that were trained like it, but without the
    premise; dev decides when they stop, as it did for the NLI head. Each of them stands there
    beside the outputs of the other head, which had not seen the pair; and, if hidden layers are
    read, once more beside those of the NLI head, which will be read later on.

    Lessons are easier than pairs that people wrote, and would let a head seem more certain than it
    is. They are learned from in the folds that hold none of the premises they were made of.
    """
    written = torch.tensor([i for i, pair in enumerate(pairs) if lesson_of(pair) is None])
    source = Subset(train, written)
    own = nli_outputs(head, second, source, device=device)
    if labels is ErrorLabels.OWN_ERRORS:
        wrong = wrong_labels(own, source.labels, head)
        share = wrong.float().mean().item()
        return ErrorExamples(InMemoryVectors(own, wrong), len(wrong), share, [])
    premises = [pairs[i].premise for i in written.tolist()]
    place = premise_folds(premises, folds=folds, seed=seed)
    fold_of = dict(zip(premises, place.tolist(), strict=True))
    touched = [{fold_of.get(premise) for premise in source_premises(pair)} for pair in pairs]
    wrong = torch.empty(len(own), dtype=torch.int64)
    error_probability = torch.empty(len(own))
    found = torch.empty_like(own)
    accuracies = []
    for fold in range(folds):
        held_out = (place == fold).nonzero().squeeze(1)
        kept = [i for i, numbers in enumerate(touched) if fold not in numbers]
        rest, unseen = Subset(train, torch.tensor(kept)), Subset(source, held_out)
        logger.info("NLI head without fold %d of %d:", fold + 1, folds)
        # The same first weights as the NLI head's, so that hidden units keep something in common
        other = _trained(head, rest, dev, settings, device=device)
        others = None
        if second is not None:
            others = second_nli_head(head, rest, dev, settings, device=device)
        found[held_out] = nli_outputs(other, others, unseen, device=device)
        wrong[held_out] = wrong_labels(found[held_out], unseen.labels, other)
        logits = split_outputs(found[held_out], other.hidden_size).logits
        probabilities = logits.softmax(dim=-1)
        error_probability[held_out] = 1.0 - probabilities.gather(
            1, unseen.labels.unsqueeze(1)
        ).squeeze(1)
        accuracies.append(1.0 - wrong[held_out].float().mean().item())
    read = torch.cat([own, found]) if reads_hidden else found
    times = len(read) // len(found)
    if labels is ErrorLabels.OUT_OF_FOLD:
        share = wrong.float().mean().item()
        return ErrorExamples(
            InMemoryVectors(read, wrong.repeat(times)), len(own), share, accuracies
        )
    shares = torch.stack([1.0 - error_probability, error_probability], dim=1)
    share = error_probability.mean().item()
    return ErrorExamples(
        InMemoryVectors(read, shares.repeat(times, 1)), len(own), share, accuracies
    )
