"""Train a Sigmoid Head on a frozen language model."""

from collections.abc import Sequence
from pathlib import Path

from headwise.backbones import Backbone, PromptTemplate
from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.pairs import Pairlike
from headwise.errors import TrainingError
from headwise.heads import check_same_prompt
from headwise.training.loop.fit import refuse_processes
from headwise.training.loop.processes import Processes
from headwise.training.loop.run import CHECKPOINTS, count_leaks, text_key
from headwise.training.loop.run_file import TrainingRun
from headwise.training.sigmoid.first_head import first_head
from headwise.training.sigmoid.report import TrainingReport
from headwise.training.sigmoid.settings import SigmoidTraining, default_settings
from headwise.training.sigmoid.steps import SigmoidHeadTraining, sigmoid_arguments


def train_sigmoid_head(
    backbone: Backbone,
    train: Sequence[Pairlike],
    dev: Sequence[Pairlike],
    output: str | Path,
    *,
    prompt: PromptTemplate,
    backbone_name: str,
    settings: SigmoidTraining | None = None,
    data: Sequence[str] = (),
    dev_data: Sequence[str] = (),
    progress: bool = False,
    keep_checkpoints: bool = False,
    overwrite: bool = False,
) -> TrainingReport:
    """Train a Sigmoid Head and write it, with its card, to a folder.

    Checkpoints go to ``<output>/checkpoints``; the same call continues from the newest
    whole one. They go when all is done. Under
    ``torchrun``, several processes share every batch; only the first writes.

    Args:
        backbone: The frozen language model.
        train: Pairs of a source and a correct hypothesis, or hypotheses with human error marks;
            also as tuples, rows and conversations
            (:func:`~headwise.data.readers.nested_rows.as_pair`).
        dev: Pairs that decide when to stop and which head to keep.
        output: Folder of the head.
        prompt: How a pair is laid out; saved with the head.
        backbone_name: Name to record, so that the head finds its backbone again.
        settings: Everything else; by default what suits the model
            (:func:`~headwise.training.default_settings`).
        data: Names of the training files, for the run file.
        dev_data: Names of the dev files, likewise.
        progress: Whether to show progress bars on standard error.
        keep_checkpoints: Whether checkpoints stay when all is done.
        overwrite: Whether to begin anew, whatever the folder holds.

    Returns:
        What was done.

    Raises:
        ValueError: If the settings name a layer that the model does not have, or another than the
            last for a head that reads that one alone.
        UnsupportedModelError: If they name another than the last, and those cannot be read.
        TrainingError: If no pair can be read, the loss stops being a number, or the folder holds
            a run with other settings.
        MismatchError: If cached features or the head to start from belong to something else, or an
            error head in the folder reads another prompt.
        FinishedError: If the folder holds this run, finished.
        OutputError: If another process is training into the folder, or the disk is full.

    References:
        Dinh & Niehues 2026, arXiv 2601.00680, section 3.
    """
    output = Path(output)
    usual = default_settings(backbone.hidden_size, backbone.vocabulary_size)
    settings = settings or usual
    data_of = {"train": as_pairs(train), "dev": as_pairs(dev)}
    for name, pairs in (("training", train), ("dev", dev)):
        if not pairs:
            raise TrainingError(f"There are no {name} pairs.")
    check_same_prompt(output, prompt.model_dump(), of_error_head=False)
    head = first_head(backbone, settings)
    rate = settings.learning_rate or usual.learning_rate
    assert rate is not None
    # They also set up the communication of several processes
    arguments = sigmoid_arguments(output / CHECKPOINTS, backbone.device, settings, rate)
    if settings.layers == "auto":
        refuse_processes(arguments, "A head whose layer is to be found (`layers`)")
    return SigmoidHeadTraining(
        output=output,
        record=TrainingRun.of(
            backbone_name, prompt, settings.to_dict(), data=data, dev=dev_data, dtype=backbone.dtype
        ),
        progress=progress,
        keep_checkpoints=keep_checkpoints,
        overwrite=overwrite,
        processes=Processes.of(arguments),
        backbone=backbone,
        head=head,
        prompt=prompt,
        settings=settings,
        data=data_of,
        leaked=count_leaks(*(map(text_key, pairs) for pairs in data_of.values())),
        arguments=arguments,
    ).run()
