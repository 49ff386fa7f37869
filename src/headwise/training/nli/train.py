"""Train an NLI head on a frozen encoder."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from headwise.backbones import EncoderBackbone
from headwise.choices import ONLY_LAST
from headwise.corruption.inferences.lessons import lesson_of
from headwise.data.readers.inferences import Inferencelike, as_inferences
from headwise.data.records.inferences import InferencePair
from headwise.functional.class_uncertainty import Uncertainty
from headwise.heads import (
    NLI_LABELS,
    InferenceInputs,
    InteractionNetwork,
    NLIHead,
    TaskHeads,
    TaskHeadsConfig,
    save_task_heads,
)
from headwise.training.loop.curves import MeasurePlot
from headwise.training.loop.fit import Trained
from headwise.training.loop.run import Cost, HeadTraining, count_leaks
from headwise.training.loop.run_file import TrainingRun
from headwise.training.loop.settings import BALANCED
from headwise.training.loop.vectors import (
    ClassifierLoss,
    LabelledInputs,
    balanced_weights,
    classification_measures,
    fit_classifier,
)
from headwise.training.nli.pairs import InferenceData, read_inference_data, with_lessons
from headwise.training.nli.settings import NLIReport, NLITraining

# No threshold was chosen: the head always answers
_NEVER = 1.0

_Fitted = tuple[NLIHead, Trained]


def train_nli_head(
    backbone: EncoderBackbone,
    train: Sequence[Inferencelike],
    dev: Sequence[Inferencelike],
    output: str | Path,
    *,
    backbone_name: str,
    settings: NLITraining = NLITraining(),
    data: Sequence[str] = (),
    dev_data: Sequence[str] = (),
    progress: bool = False,
    keep_checkpoints: bool = False,
    overwrite: bool = False,
) -> NLIReport:
    """Train an NLI head and write it, with its card, to a folder.

    Checkpoints go to ``<output>/checkpoints``; the same call continues from the newest
    whole one. They go when all is done.

    Args:
        backbone: The frozen encoder.
        train: Labelled pairs to learn from; also as tuples and rows
            (:func:`~headwise.data.readers.inferences.as_inference`).
        dev: Labelled pairs that decide when to stop and which head to keep.
        output: Folder of the head.
        backbone_name: Name to record, so that the head finds its encoder again.
        settings: Everything else.
        data: Names of the training files, for the run file.
        dev_data: Names of the dev files, likewise.
        progress: Whether to show progress bars on standard error.
        keep_checkpoints: Whether checkpoints stay when all is done.
        overwrite: Whether to begin anew, whatever the folder holds.

    Returns:
        What was done.

    Raises:
        TrainingError: If there are no pairs, a label does not occur in ``train``, the loss stops
            being a number, or the folder holds a run with other settings.
        MismatchError: If cached vectors belong to something else.
        FinishedError: If the folder holds this run, finished.
        OutputError: If another process is training into the folder, or the disk is full.
    """
    pairs: dict[str, Sequence[InferencePair]] = {
        "train": with_lessons(as_inferences(train), settings),
        "dev": as_inferences(dev),
    }
    return _NLIHeadTraining(
        output=Path(output),
        record=TrainingRun.of(
            backbone_name, None, settings.to_dict(), data=data, dev=dev_data, dtype=backbone.dtype
        ),
        progress=progress,
        keep_checkpoints=keep_checkpoints,
        overwrite=overwrite,
        backbone=backbone,
        settings=settings,
        data=pairs,
        leaked=count_leaks(*((pair.texts for pair in part) for part in pairs.values())),
    ).run()


@dataclass(frozen=True, kw_only=True)
class _NLIHeadTraining(HeadTraining[InferenceData, _Fitted, NLIReport]):
    kind = "nli"
    plot = MeasurePlot(
        {"accuracy": "accuracy", "macro_f1": "macro-F1"}, axis="share", title="Labels of dev pairs"
    )

    backbone: EncoderBackbone
    settings: NLITraining
    data: Mapping[str, Sequence[InferencePair]]

    @property
    def content(self) -> Mapping[str, Sequence[InferencePair]]:
        return self.data

    @property
    def _layers(self) -> tuple[int, ...]:
        """Layers whose tokens are compared, by their numbers; the last stands for none."""
        if not self.settings.features.needs_tokens:
            return ONLY_LAST
        return self.backbone.layer_numbers(self.settings.layers)

    def read_features(self) -> InferenceData:
        return read_inference_data(
            self.backbone,
            self.data,
            self.settings.features,
            layers=self._layers,
            choice=self.settings.feature_source,
            dtype=self.settings.feature_dtype,
            folder=self.feature_folder,
            progress=self.progress,
        )

    def fit(self, sources: InferenceData) -> _Fitted:
        train = sources.features["train"]
        head = first_nli_head(train.pooled_size, train.token_size, self.settings)
        trained = fit_nli_head(
            head,
            train,
            sources.features["dev"],
            self.settings,
            checkpoints=self.checkpoints,
            device=self.device,
            bar=self.progress,
        )
        return head, trained

    def report(self, sources: InferenceData, fitted: _Fitted, cost: Cost) -> NLIReport:
        train, trained = sources.features["train"], fitted[1]
        counts = torch.bincount(train.labels, minlength=len(NLI_LABELS)).tolist()
        return NLIReport(
            train_pairs=len(train),
            dev_pairs=len(sources.features["dev"]),
            rejected=sources.rejected,
            class_counts={str(label): n for label, n in zip(NLI_LABELS, counts, strict=True)},
            lesson_counts=Counter(
                lesson for pair in sources.pairs["train"] if (lesson := lesson_of(pair))
            ),
            **self.figures(trained, cost),
            pairs_per_second=trained.read_per_second,
            features=sources.origin,
        )

    def save(self, fitted: _Fitted, report: NLIReport) -> None:
        heads = TaskHeads(
            config=TaskHeadsConfig(
                features=self.settings.features,
                hidden_size=self.backbone.hidden_size,
                embedding_size=self.backbone.embedding_size,
                backbone=self.record.backbone,
                abstain_by=Uncertainty.MAX_PROBABILITY,
                threshold=_NEVER,
                layers=self._layers,
            ),
            nli=fitted[0],
        )
        save_task_heads(heads, self.output, model_card=self.card(report, fitted[0]))


def first_nli_head(pooled_size: int, token_size: int | None, settings: NLITraining) -> NLIHead:
    """A head for pooled features and, if there are some, tokens of a width, drawn from the seed."""
    torch.manual_seed(settings.seed)
    interaction = None
    if token_size is not None:
        interaction = InteractionNetwork(
            token_size=token_size,
            inner_size=settings.interaction_size,
            dropout=settings.interaction_dropout,
            token_dropout=settings.token_dropout,
        )
    return NLIHead(
        input_size=pooled_size + (0 if interaction is None else interaction.output_size),
        hidden_size=settings.hidden_size,
        dropout=settings.dropout,
        input_dropout=settings.input_dropout,
        interaction=interaction,
    )


def fit_nli_head(
    head: NLIHead,
    train: LabelledInputs[InferenceInputs],
    dev: LabelledInputs[InferenceInputs],
    settings: NLITraining,
    *,
    checkpoints: Path,
    device: torch.device,
    bar: bool = False,
) -> Trained:
    """Train a head as the settings say; the weights of its best epoch stay."""
    weights = None
    if settings.class_weights == BALANCED:
        weights = balanced_weights(train.labels, classes=len(NLI_LABELS))
    loss = ClassifierLoss(
        head,
        class_weights=weights,
        label_smoothing=settings.label_smoothing,
        consistency=settings.consistency,
    )
    return fit_classifier(
        loss,
        train,
        dev,
        settings,
        checkpoints=checkpoints,
        device=device,
        measures=classification_measures,
        criterion=settings.criterion,
        higher_is_better=settings.criterion.higher_is_better,
        bar=bar,
    )
