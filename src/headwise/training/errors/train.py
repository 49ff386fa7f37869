"""Train an error head on a frozen language model."""

from collections.abc import Callable, Sequence
from pathlib import Path

from headwise.backbones import Backbone, PromptTemplate
from headwise.data.records.pairs import Pair
from headwise.errors import TrainingError
from headwise.heads import ErrorHead, check_fit, check_same_prompt, load_error_head
from headwise.training.errors.report import ErrorReport
from headwise.training.errors.run_file import ErrorRun
from headwise.training.errors.settings import ErrorTraining
from headwise.training.errors.stages import ErrorHeadTraining
from headwise.training.errors.texts import (
    check_sources,
    correct_pairs,
    labelled_pairs,
    split_labels,
)
from headwise.training.loop.run import count_leaks, text_key


def train_uncalibrated_error_head(
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
    keep_checkpoints: bool = False,
    overwrite: bool = False,
    afterwards: Callable[[ErrorReport], None] | None = None,
) -> ErrorReport:
    """Train an error head and write it, with its card, to a folder.

    :func:`headwise.train_error_head` does the same and then calibrates the signals of the folder.

    Errors are put into copies of correct texts, and the head learns where they are. With labels,
    it goes on from texts that people marked; without correct texts, that is all it learns from.
    Checkpoints go to ``<output>/error_checkpoints``; the same call continues from the newest
    whole one. They go when all is done.

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
        keep_checkpoints: Whether checkpoints stay when all is done.
        overwrite: Whether to begin anew, whatever the folder holds.
        afterwards: What is still to be done before the run counts as finished.

    Returns:
        What was done.

    Raises:
        ValueError: If the settings name a layer that the model does not have.
        UnsupportedModelError: If they name others than the last, and those cannot be read.
        TrainingError: If there is nothing to learn from, a label says nothing of errors, samples
            are asked for of texts without a source, the loss stops being a number, or the folder
            holds a run with other settings.
        MismatchError: If the head to start from belongs to another model, the prompt is not that
            of the Sigmoid Head in the folder, or cached features belong to something else.
        FinishedError: If the folder holds this run, finished.
        OutputError: If another process is training into the folder, or the disk is full.
    """
    output, settings = Path(output), settings or ErrorTraining()
    if not train and not labels:
        raise TrainingError("There are neither training pairs nor labels.")
    correct = {
        part: correct_pairs(pairs, part=part)
        for part, pairs in (("training", train), ("dev", dev))
        if train
    }
    for part, pairs in correct.items():
        check_sources(pairs, settings, part=part)
    marked, marked_dev = _marked(labels, label_dev, settings)
    first = None if start is None else _head_to_start_from(Path(start), backbone)
    if first is not None:
        settings = settings.shaped_as(first)
    if settings.layers != "auto":
        backbone.layer_numbers(settings.layers)  # refused before anything is read or written
    check_same_prompt(output, prompt.model_dump())
    return ErrorHeadTraining(
        output=output,
        record=ErrorRun.of(
            backbone_name,
            prompt,
            settings.to_dict(),
            data=data,
            dev=dev_data,
            dtype=backbone.dtype,
            labels=list(label_data),
            label_dev=list(label_dev_data),
            start=None if start is None else str(start),
            no_source=all(pair.given is None for pair in (*train, *dev, *labels, *label_dev)),
        ),
        settings=settings,
        progress=progress,
        keep_checkpoints=keep_checkpoints,
        overwrite=overwrite,
        afterwards=afterwards,
        backbone=backbone,
        prompt=prompt,
        correct=correct,
        leaked=count_leaks(*(map(text_key, correct.get(part, ())) for part in ("training", "dev"))),
        marked={"labels": marked, "label_dev": marked_dev} if marked else {},
        start=first,
    ).run()


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
    check_fit(
        head,
        vocabulary_size=backbone.vocabulary_size,
        hidden_size=backbone.hidden_size,
        layer_widths=lambda: backbone.layer_widths,
    )
    return head
