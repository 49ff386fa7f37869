"""Train an error head on a frozen language model."""

import logging
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from headwise.backbones import Backbone, PromptTemplate
from headwise.corruption.error_copies import group_of
from headwise.data.records.pairs import Pair
from headwise.errors import TrainingError
from headwise.heads import (
    ERROR_FILES,
    ErrorHead,
    check_fit,
    check_same_prompt,
    load_error_head,
    save_error_head,
)
from headwise.training.errors.memorisation import Memorisation, measure_memorisation
from headwise.training.errors.report import ErrorReport
from headwise.training.errors.settings import ErrorRun, ErrorTraining, StatisticsChoice
from headwise.training.errors.stages import CHECKPOINTS, ErrorStages
from headwise.training.errors.texts import (
    correct_pairs,
    gaps_are_marked,
    labelled_pairs,
    split_labels,
)
from headwise.training.loop.card import model_card
from headwise.training.loop.curves import Panel, draw_curves
from headwise.training.loop.run import count_leaks, peak_memory, reset_peak_memory
from headwise.training.loop.run_file import claim_output, package_versions

logger = logging.getLogger(__name__)

_PANEL = Panel(
    {
        "auroc": "mean over families",
        "auroc_marked": "tokens that people marked",
        "auroc_plausible": "the language model's own words",
        "auroc_deletion": "after a gap",
    },
    axis="AUROC",
    title="Right dev tokens against wrong ones",
)


def train_error_head(
    backbone: Backbone,
    train: Sequence[Pair],
    dev: Sequence[Pair],
    output: str | Path,
    *,
    prompt: PromptTemplate,
    backbone_name: str,
    settings: ErrorTraining | None = None,
    labels: Sequence[Pair] = (),
    label_dev: Sequence[Pair] = (),
    start: str | Path | None = None,
    data: Sequence[str] = (),
    dev_data: Sequence[str] = (),
    label_data: Sequence[str] = (),
    label_dev_data: Sequence[str] = (),
    progress: bool = False,
) -> ErrorReport:
    """Train an error head and write it, with its card, to a folder.

    Errors are put into copies of correct texts, and the head learns where they are. With labels,
    it goes on from texts that people marked; without correct texts, that is all it learns from.
    Checkpoints go to ``<output>/error_checkpoints``; the same call continues from the newest one.

    Args:
        backbone: The frozen language model.
        train: Correct pairs, or texts without a source. May be empty if there are labels.
        dev: Correct pairs that decide when to stop and which weights to keep.
        output: Folder of the head; may be that of a Sigmoid Head, which stays as it is.
        prompt: How a pair is laid out; saved with the head.
        backbone_name: Name to record, so that the head finds its backbone again.
        settings: Everything else; the defaults if ``None``.
        labels: Pairs with human ``errors`` or ``tags``, for a second stage.
        label_dev: The same, held out; by default some sources of the labels.
        start: Folder of an error head to go on from, which also gives the shape; by default the
            head begins with random weights.
        data: Names of the training files, for the run file.
        dev_data: Names of the dev files, likewise.
        label_data: Names of the files of ``labels``, likewise.
        label_dev_data: Names of the files of ``label_dev``, likewise.
        progress: Whether to show progress bars on standard error.

    Returns:
        What was done.

    Raises:
        TrainingError: If there is nothing to learn from, a label says nothing of errors, the loss
            stops being a number, or the folder holds checkpoints of a run with other settings.
        MismatchError: If the head to start from belongs to another model, the prompt is not that
            of the Sigmoid Head in the folder, or cached features belong to something else.
        OutputError: If the disk is full.
    """
    started = time.monotonic()
    output, settings = Path(output), settings or ErrorTraining()
    reset_peak_memory(backbone.device)
    if not train and not labels:
        raise TrainingError("There are neither training pairs nor labels.")
    correct = {
        part: correct_pairs(pairs, part=part)
        for part, pairs in (("training", train), ("dev", dev))
        if train
    }
    marked, marked_dev = _marked(labels, label_dev, settings)
    first = None if start is None else _head_to_start_from(Path(start), backbone)
    if first is not None:
        settings = settings.shaped_as(first)
    check_same_prompt(output, prompt.model_dump())
    run = ErrorRun(
        backbone=backbone_name,
        dtype=str(backbone.dtype).removeprefix("torch."),
        data=list(data),
        dev=list(dev_data),
        labels=list(label_data),
        label_dev=list(label_dev_data),
        start=None if start is None else str(start),
        no_source=all(pair.given is None for pair in (*train, *dev, *labels, *label_dev)),
        prompt=prompt.model_dump(),
        settings=settings.to_dict(),
        versions=package_versions(),
    )
    claim_output(output, run, checkpoints=output / CHECKPOINTS, name=ERROR_FILES.run)

    memorisation, leaked = None, 0
    if correct:
        leaked = count_leaks(map(_name, correct["training"]), map(_name, correct["dev"]))
        memorisation = measure_memorisation(
            backbone, correct["training"], correct["dev"], prompt, max_length=settings.max_length
        )
    head = _new_head(backbone, settings, memorisation)
    if first is not None:
        head.load_state_dict(first.state_dict())
    stages = ErrorStages(
        backbone=backbone,
        head=head,
        prompt=prompt,
        settings=settings,
        output=output,
        progress=progress,
    )
    synthetic = labelled = after = gaps_after = None
    families: dict[str, int] = {}
    judged: Sequence[Pair] = ()
    groups: Sequence[str] = ()
    if correct:
        texts = stages.copies(correct["training"], correct["dev"])
        families = texts["train"].counts()
        judged, groups = texts["dev"].pairs, texts["dev"].groups
        synthetic = stages.learn(
            ("train", texts["train"].pairs),
            ("dev", judged),
            settings,
            families=texts["dev"].families,
            fresh=first is None,
            gaps_marked=True,
        )
    if marked:
        labelled = stages.learn(
            ("labels", marked),
            ("label_dev", marked_dev),
            settings.for_labels(),
            families=None,
            fresh=first is None and synthetic is None,
            gaps_marked=gaps_are_marked([*marked, *marked_dev]),
        )
        judged = marked_dev
        groups = [group_of(pair, pair.hypothesis) for pair in judged]
        gaps_learned = labelled.gaps is not None
        if not gaps_learned:
            logger.info("The labels do not say where something is missing; that was not trained.")
        if synthetic is not None:
            after, gaps_after = stages.after_labels("dev", gaps_learned=gaps_learned)
        elif first is not None and not gaps_learned:
            logger.warning(
                "Training on the labels changed what the signal omission is made of, so that its "
                "probabilities are no longer calibrated; give correct texts as data as well to "
                "calibrate them again."
            )
    report = ErrorReport(
        train_pairs=len(correct.get("training", ())),
        dev_pairs=len(correct.get("dev", ())),
        dev_in_train=leaked,
        rejected=stages.rejected,
        families=families,
        memorisation=memorisation,
        synthetic=synthetic,
        labelled=labelled,
        synthetic_after=after,
        statistics=head.statistics,
        numbers=sum(parameter.numel() for parameter in head.parameters()),
        seconds=time.monotonic() - started,
        peak_bytes=peak_memory(backbone.device),
        feature_bytes=sum(source.bytes for source in stages.sources.values()),
        judged=tuple(judged),
        judged_groups=tuple(groups),
        gaps_after=gaps_after,
    )
    save_error_head(
        head,
        output,
        prompt=prompt.model_dump(),
        backbone=backbone_name,
        model_card=error_card(report, run, settings, head),
    )
    shown = report.synthetic or report.last
    draw_curves(shown, output / ERROR_FILES.curves, criterion=settings.criterion, panel=_PANEL)
    return report


def error_card(report: ErrorReport, run: ErrorRun, settings: ErrorTraining, head: ErrorHead) -> str:
    """Data, errors, figures, cost and use of a trained error head, as Markdown."""
    return model_card(
        "errors",
        report=report,
        run=run,
        settings=settings,
        head=head,
        curves_file=ERROR_FILES.curves,
        run_file=ERROR_FILES.run,
    )


def _marked(
    labels: Sequence[Pair], label_dev: Sequence[Pair], settings: ErrorTraining
) -> tuple[list[Pair], list[Pair]]:
    """Marked pairs to learn from, and those that are held out."""
    marked = labelled_pairs(labels, part="labelled")
    if label_dev and not labels:
        raise TrainingError("There are labelled dev pairs, but none to learn from; give labels.")
    if not marked or label_dev:
        return marked, labelled_pairs(label_dev, part="labelled dev")
    return split_labels(marked, dev_share=settings.labels.dev_share, seed=settings.seed)


def _head_to_start_from(folder: Path, backbone: Backbone) -> ErrorHead:
    head = load_error_head(folder)
    if head is None:
        raise TrainingError(
            f"{folder} has no error head to start from; name a folder that `train errors` wrote."
        )
    check_fit(head, vocabulary_size=backbone.vocabulary_size, hidden_size=backbone.hidden_size)
    return head


def _new_head(
    backbone: Backbone, settings: ErrorTraining, memorisation: Memorisation | None
) -> ErrorHead:
    known = memorisation is not None and memorisation.found
    torch.manual_seed(settings.seed)
    return ErrorHead(
        hidden_size=backbone.hidden_size,
        variant=settings.variant,
        inner_size=settings.inner_size,
        rank=settings.rank_for(backbone.hidden_size),
        statistics=settings.statistics is StatisticsChoice.ON
        or (settings.statistics is StatisticsChoice.AUTO and not known),
        dropout=settings.dropout,
    )


def _name(pair: Pair) -> str:
    return repr((pair.given, pair.hypothesis))
