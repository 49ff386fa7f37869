"""Train an abstention head on a frozen encoder and a frozen NLI head."""

import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from pydantic import Field
from torch import Tensor, nn

from headwise.backbones.encoder import EncoderBackbone
from headwise.data.records.inferences import InferencePair
from headwise.errors import TrainingError
from headwise.heads import (
    AbstentionHead,
    TaskHeads,
    check_task_heads_fit,
    load_task_heads,
    save_task_heads,
)
from headwise.heads.storage.files import CURVES_FILE, RUN_FILE
from headwise.training.abstention.labels import (
    HeldVectors,
    abstention_examples,
    mistakes,
    thoughts,
)
from headwise.training.abstention.measures import (
    choose_threshold,
    error_measures,
    signal_quality,
    uncertainties,
)
from headwise.training.abstention.settings import AbstentionReport, AbstentionTraining, Aim
from headwise.training.loop.card import model_card
from headwise.training.loop.run_file import TrainingRun, claim_output, package_versions
from headwise.training.loop.settings import BALANCED
from headwise.training.loop.trainer import fit_classifier
from headwise.training.loop.vectors import ClassifierLoss, balanced_weights
from headwise.training.nli.pairs import read_inference_data
from headwise.training.nli.settings import NLITraining, nli_settings_from_dict

logger = logging.getLogger(__name__)

ABSTENTION_RUN_FILE = "abstention.yaml"
CARD_FILE = "README.md"
_SECTION = "\n## Abstention\n"
_CHECKPOINTS = "abstention_checkpoints"
# Chosen when the head is trained: with others, the same command goes on from there
_OF_THE_THRESHOLD = (
    "calibration",
    "settings.abstain_by",
    "settings.aim",
    "settings.confidence",
    "settings.level",
)
# What abstention is for; the loss rises while the order of the pairs still gets better
_CRITERION = "aurc"


class AbstentionRun(TrainingRun):
    """A whole run as plain values.

    Attributes:
        heads: Folder of the NLI head.
        calibration: Files that the threshold was chosen on; dev if there are none.
    """

    heads: str | None = None
    calibration: list[str] = Field(default_factory=list)


def train_abstention_head(
    backbone: EncoderBackbone,
    train: Sequence[InferencePair],
    dev: Sequence[InferencePair],
    heads_folder: str | Path,
    output: str | Path,
    *,
    settings: AbstentionTraining = AbstentionTraining(),
    calibration: Sequence[InferencePair] = (),
    backbone_name: str | None = None,
    data: Sequence[str] = (),
    dev_data: Sequence[str] = (),
    calibration_data: Sequence[str] = (),
    progress: bool = False,
) -> AbstentionReport:
    """Train an abstention head, choose its threshold, and write it beside the NLI head.

    Args:
        backbone: The frozen encoder.
        train: The pairs that the NLI head was trained on.
        dev: Labelled pairs that decide when to stop and which head to keep.
        heads_folder: Folder of the NLI head. If it holds the run file of its training, the heads
            of the folds are trained with the same settings.
        output: Folder of both heads; may be the same.
        settings: Everything else.
        calibration: Labelled pairs that choose the threshold; dev if there are none.
        backbone_name: Name to record; by default the one that the heads have.
        data: Names of the training files, for the run file.
        dev_data: Names of the dev files, likewise.
        calibration_data: Names of the files of ``calibration``, likewise.
        progress: Whether to show progress bars on standard error.

    Raises:
        TrainingError: If there are no pairs, no pair is answered wrong, no threshold does what is
            asked for, or the folder holds checkpoints of a run with other settings.
        MismatchError: If the heads belong to another encoder, or cached vectors to something else.
        WeightsError: If the heads cannot be loaded.
        OutputError: If the disk is full.

    References:
        Geifman & El-Yaniv 2017, arXiv 1705.08500, for selective classification.
    """
    started = time.monotonic()
    heads_folder, output = Path(heads_folder), Path(output)
    heads = load_task_heads(heads_folder)
    check_task_heads_fit(
        heads, hidden_size=backbone.hidden_size, embedding_size=backbone.embedding_size
    )
    nli_settings = _nli_settings(heads_folder, heads)
    name = backbone_name or heads.config.backbone
    run = AbstentionRun(
        backbone=name,
        dtype=str(backbone.dtype).removeprefix("torch."),
        data=list(data),
        dev=list(dev_data),
        heads=str(heads_folder),
        calibration=list(calibration_data),
        settings=settings.to_dict(),
        versions=package_versions(),
    )
    checkpoints = output / _CHECKPOINTS
    claim_output(
        output, run, checkpoints=checkpoints, name=ABSTENTION_RUN_FILE, may_differ=_OF_THE_THRESHOLD
    )
    parts = {"train": train, "dev": dev} | ({"calibration": calibration} if calibration else {})
    read = read_inference_data(
        backbone,
        parts,
        heads.config.features,
        choice=settings.feature_source,
        dtype=settings.feature_dtype,
        folder=Path(settings.feature_folder or output / "features"),
        progress=progress,
    )
    device = backbone.device
    errors = abstention_examples(
        heads.nli,
        read.features["train"],
        read.features["dev"],
        [pair.premise for pair in read.pairs["train"]],
        labels=settings.labels,
        folds=settings.folds,
        seed=settings.seed,
        settings=nli_settings,
        device=device,
    )
    held: dict[str, HeldVectors] = {"train": errors.examples}
    for part in list(parts)[1:]:
        source = read.features[part]
        thought = thoughts(heads.nli, source, device=device)
        held[part] = HeldVectors(thought, mistakes(thought, source.labels, heads.nli))
    dev_share = held["dev"].labels.float().mean().item()
    for part, share in (("train", errors.share), ("dev", dev_share)):
        if not 0.0 < share < 1.0:
            answered_how = "wrong" if share else "right"
            raise TrainingError(
                f"All {len(read.features[part])} {part} pairs are answered {answered_how}: there "
                "is nothing to tell apart; give more data."
            )
    logger.info("Abstention head:")
    head = _first_head(heads, settings)
    weights = None
    if settings.class_weights == BALANCED:
        weights = balanced_weights(held["train"].labels, classes=2)
    trained = fit_classifier(
        ClassifierLoss(_Reads(head, hidden_dropout=settings.hidden_dropout), class_weights=weights),
        held["train"],
        held["dev"],
        settings,
        checkpoints=checkpoints,
        device=device,
        criterion=_CRITERION,
        measures=error_measures,
        bar=progress,
    )

    found = {part: uncertainties(head, held[part].vectors) for part in held if part != "train"}
    wrong = {part: held[part].labels.bool().numpy() for part in found}
    chosen_on = "calibration" if calibration else "dev"
    signal, errs = found[chosen_on][settings.abstain_by], wrong[chosen_on]
    threshold, basis = choose_threshold(signal, errs, settings, chosen_on=chosen_on)
    if settings.aim is Aim.GUARANTEE and not calibration:
        logger.warning(
            "Dev also chose the heads, so that the guarantee does not quite hold: give pairs of "
            "their own to choose the threshold on (calibration)."
        )
        # Said where the threshold goes, too
        basis += " They also chose the heads, so that this does not quite hold."
    if threshold is None:
        raise TrainingError(
            f"No threshold on {settings.abstain_by} does what is asked for ({basis[:-1]}); allow "
            "more errors, or give more pairs. What was trained stays: the same command with "
            "another threshold goes on from there."
        )
    answered = signal < threshold
    report = AbstentionReport(
        train_pairs=len(read.features["train"]),
        dev_pairs=len(held["dev"]),
        calibration_pairs=len(held["calibration"]) if calibration else 0,
        rejected=read.rejected,
        train_errors=errors.share,
        fold_accuracies=errors.fold_accuracies,
        dev_accuracy=1.0 - float(wrong["dev"].mean()),
        signals={
            name: signal_quality(values, wrong["dev"]) for name, values in found["dev"].items()
        },
        threshold=threshold,
        threshold_basis=basis,
        coverage=float(answered.mean()),
        answered_accuracy=1.0 - float(errs[answered].mean()) if answered.any() else None,
        evaluations=trained.evaluations,
        best=trained.best(_CRITERION, higher_is_better=False),
        train_losses=trained.train_losses,
        seconds=time.monotonic() - started,
        features=read.origin,
    )
    config = replace(
        heads.config,
        backbone=name,
        abstain_by=settings.abstain_by,
        threshold=threshold,
        threshold_basis=basis,
    )
    both = TaskHeads(
        config=config,
        nli=heads.nli,
        abstention=head,
        embedding=heads.embedding,
        late_interaction=heads.late_interaction,
    )
    card = card_with_abstention(_text(heads_folder / CARD_FILE), report, run, settings)
    save_task_heads(both, output, model_card=card)
    if heads_folder.is_dir() and heads_folder.resolve() != output.resolve():
        for file in (RUN_FILE, CURVES_FILE):
            if (heads_folder / file).is_file():
                shutil.copyfile(heads_folder / file, output / file)
    return report


def card_with_abstention(
    before: str | None, report: AbstentionReport, run: AbstentionRun, settings: AbstentionTraining
) -> str:
    """The NLI head's card with a section on abstention: at its end, or in place of an older one."""
    if before is None:
        before = f"# Entailment heads for {run.backbone}\n"
    section = model_card("abstention", report=report, run=run, settings=settings)
    return before.split(_SECTION)[0].rstrip() + "\n" + _SECTION + section


class _Reads(nn.Module):
    """An abstention head that reads hidden layer and logits side by side.

    The hidden layer is read with gaps while training: pairs can be told apart by it, and learned by
    heart.
    """

    def __init__(self, head: AbstentionHead, *, hidden_dropout: float) -> None:
        super().__init__()
        self.head, self._gaps = head, nn.Dropout(hidden_dropout)

    def forward(self, thought: Tensor) -> Tensor:
        size = self.head.hidden_size
        logits: Tensor = self.head(self._gaps(thought[:, :size]), thought[:, size:])
        return logits


def _first_head(heads: TaskHeads, settings: AbstentionTraining) -> AbstentionHead:
    torch.manual_seed(settings.seed)
    head = AbstentionHead(
        hidden_size=heads.nli.hidden_size,
        inner_size=settings.inner_size,
        dropout=settings.dropout,
    )
    head.start_from_logits()
    return head


def _nli_settings(folder: Path, heads: TaskHeads) -> NLITraining:
    """Those that the NLI head was trained with, or the usual ones if nobody knows."""
    path = folder / RUN_FILE
    if path.is_file():
        return nli_settings_from_dict(TrainingRun.read(path).settings)
    logger.info("%s has no %s: folds are trained with the usual settings.", folder, RUN_FILE)
    return NLITraining(features=heads.config.features, hidden_size=heads.nli.hidden_size)


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None
