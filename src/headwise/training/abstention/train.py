"""Train an abstention head on a frozen encoder and a frozen NLI head."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from headwise.backbones import EncoderBackbone
from headwise.data.readers.inferences import Inferencelike, as_inferences
from headwise.data.records.inferences import InferencePair
from headwise.errors import TrainingError
from headwise.heads import (
    AbstentionHead,
    NLIHead,
    TaskHeads,
    check_task_heads_fit,
    load_task_heads,
    save_task_heads,
)
from headwise.heads.storage.files import CURVES_FILE, RUN_FILE
from headwise.training.abstention.fitting import fit_abstention_head
from headwise.training.abstention.labels import (
    ErrorExamples,
    InMemoryVectors,
    abstention_examples,
    nli_outputs,
    nli_settings_of,
    second_nli_head,
    split_outputs,
    wrong_labels,
)
from headwise.training.abstention.measures import choose_threshold, signal_quality, uncertainties
from headwise.training.abstention.run_file import AbstentionRun, card_with_section
from headwise.training.abstention.settings import (
    AbstentionReport,
    AbstentionTarget,
    AbstentionTraining,
)
from headwise.training.loop.fit import Trained
from headwise.training.loop.run import Cost, HeadTraining, count_leaks
from headwise.training.nli.pairs import InferenceData, read_inference_data, with_lessons

logger = logging.getLogger(__name__)

ABSTENTION_RUN_FILE = "abstention.yaml"
CARD_FILE = "README.md"


def train_abstention_head(
    backbone: EncoderBackbone,
    train: Sequence[Inferencelike],
    dev: Sequence[Inferencelike],
    heads_folder: str | Path,
    output: str | Path,
    *,
    settings: AbstentionTraining = AbstentionTraining(),
    calibration: Sequence[Inferencelike] = (),
    backbone_name: str | None = None,
    data: Sequence[str] = (),
    dev_data: Sequence[str] = (),
    calibration_data: Sequence[str] = (),
    progress: bool = False,
    keep_checkpoints: bool = False,
    overwrite: bool = False,
) -> AbstentionReport:
    """Train an abstention head, choose its threshold, and write it beside the NLI head.

    Args:
        backbone: The frozen encoder.
        train: The pairs that the NLI head was trained on; tuples and rows do, too.
        dev: Labelled pairs that decide when to stop and which head to keep.
        heads_folder: Folder of the NLI head; with its run file, folds are trained as it was.
        output: Folder of both heads; may be the same.
        settings: Everything else.
        calibration: Labelled pairs that choose the threshold; dev if there are none.
        backbone_name: Name to record; by default the one that the heads have.
        data: Names of the training files, for the run file.
        dev_data: Names of the dev files, likewise.
        calibration_data: Names of the files of ``calibration``, likewise.
        progress: Whether to show progress bars on standard error.
        keep_checkpoints: Whether checkpoints stay when all is done.
        overwrite: Whether to begin anew, whatever the folder holds.

    Raises:
        TrainingError: If there are no pairs, no pair is answered wrong, no threshold does what is
            asked for, or the folder holds a run with other settings.
        MismatchError: If the heads belong to another encoder, or cached vectors to something else.
        WeightsError: If the heads cannot be loaded.
        FinishedError: If the folder holds this run, finished.
        OutputError: If another process is training into the folder, or the disk is full.

    References:
        Geifman & El-Yaniv 2017, arXiv 1705.08500, for selective classification.
    """
    heads_folder, output = Path(heads_folder), Path(output)
    heads = load_task_heads(heads_folder)
    check_task_heads_fit(heads, backbone)
    given = {"train": train, "dev": dev} | ({"calibration": calibration} if calibration else {})
    pairs: dict[str, Sequence[InferencePair]] = {
        part: as_inferences(values) for part, values in given.items()
    }
    pairs["train"] = with_lessons(pairs["train"], nli_settings_of(heads_folder, heads))
    return _AbstentionHeadTraining(
        output=output,
        record=AbstentionRun.of(
            backbone_name or heads.config.backbone,
            None,
            settings.to_dict(),
            data=data,
            dev=dev_data,
            dtype=backbone.dtype,
            heads=str(heads_folder),
            calibration=list(calibration_data),
        ),
        settings=settings,
        progress=progress,
        keep_checkpoints=keep_checkpoints,
        overwrite=overwrite,
        backbone=backbone,
        heads=heads,
        heads_folder=heads_folder,
        leaked=count_leaks(*((one.texts for one in pairs[part]) for part in ("train", "dev"))),
        data=pairs,
    ).run()


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    head: AbstentionHead
    second: NLIHead | None
    errors: ErrorExamples
    trained: Trained
    # Of dev and calibration pairs: outputs of the NLI head and whether its labels are wrong
    held_out: Mapping[str, InMemoryVectors]


@dataclass(frozen=True, kw_only=True)
class _AbstentionHeadTraining(HeadTraining[InferenceData, _Fitted, AbstentionReport]):
    kind = "abstention"
    run_file = ABSTENTION_RUN_FILE
    # A name of its own: the folder may be that of the NLI head
    checkpoints_name = "abstention_checkpoints"
    # Chosen when the head is trained: with others, the same command goes on from there
    may_differ = (
        "calibration",
        "digests.calibration",
        "settings.abstain_by",
        "settings.aim",
        "settings.confidence",
        "settings.level",
    )

    settings: AbstentionTraining
    backbone: EncoderBackbone
    heads: TaskHeads
    heads_folder: Path
    data: Mapping[str, Sequence[InferencePair]]

    @property
    def content(self) -> Mapping[str, Sequence[object] | nn.Module]:
        heads = {"heads": self.heads.nli, "second": self._second}
        return {**self.data, **{name: one for name, one in heads.items() if one is not None}}

    @property
    def _second(self) -> NLIHead | None:
        """The second NLI head that the folder of heads holds, if one is asked for."""
        return self.heads.second if self.settings.second else None

    def read_features(self) -> InferenceData:
        return read_inference_data(
            self.backbone,
            self.data,
            self.heads.config.features,
            layers=self.heads.config.layers,
            choice=self.settings.feature_source,
            dtype=self.settings.feature_dtype,
            folder=self.feature_folder,
            progress=self.progress,
        )

    def fit(self, sources: InferenceData) -> _Fitted:
        nli, settings = self.heads.nli, self.settings
        nli_settings = nli_settings_of(self.heads_folder, self.heads)
        train, dev = sources.features["train"], sources.features["dev"]
        second = self._second
        if settings.second and second is None:
            second = second_nli_head(nli, train, dev, nli_settings, device=self.device)
        errors = abstention_examples(
            nli,
            second,
            train,
            dev,
            sources.pairs["train"],
            labels=settings.labels,
            folds=settings.folds,
            seed=settings.seed,
            settings=nli_settings,
            reads_hidden=settings.reads_hidden,
            device=self.device,
        )
        held_out: dict[str, InMemoryVectors] = {}
        for part, source in sources.features.items():
            if part != "train":
                outputs = nli_outputs(nli, second, source, device=self.device)
                wrong = wrong_labels(outputs, source.labels, nli)
                held_out[part] = InMemoryVectors(outputs, wrong)
        dev_share = held_out["dev"].labels.float().mean().item()
        for part, share in (("train", errors.share), ("dev", dev_share)):
            if not 0.0 < share < 1.0:
                raise TrainingError(
                    f"All {len(sources.features[part])} {part} pairs are answered "
                    f"{'wrong' if share else 'right'}: there is nothing to tell apart; give more "
                    "data."
                )
        logger.info("Abstention head:")
        head, trained = fit_abstention_head(
            nli,
            second,
            errors.examples,
            held_out["dev"],
            settings,
            checkpoints=self.checkpoints,
            device=self.device,
            bar=self.progress,
        )
        return _Fitted(head=head, second=second, errors=errors, trained=trained, held_out=held_out)

    def report(self, sources: InferenceData, fitted: _Fitted, cost: Cost) -> AbstentionReport:
        found = {
            part: uncertainties(
                fitted.head, split_outputs(held.vectors, self.heads.nli.hidden_size)
            )
            for part, held in fitted.held_out.items()
        }
        wrong = {part: held.labels.bool().numpy() for part, held in fitted.held_out.items()}
        chosen_on = "calibration" if "calibration" in found else "dev"
        signal, errs = found[chosen_on][self.settings.abstain_by], wrong[chosen_on]
        threshold, basis = choose_threshold(signal, errs, self.settings, chosen_on=chosen_on)
        if self.settings.aim is AbstentionTarget.GUARANTEE and chosen_on == "dev":
            logger.warning(
                "Dev also chose the heads, so that the guarantee does not quite hold: give pairs "
                "of their own to choose the threshold on (calibration)."
            )
            # Said where the threshold goes, too
            basis += " They also chose the heads, so that this does not quite hold."
        if threshold is None:
            raise TrainingError(
                f"No threshold on {self.settings.abstain_by} does what is asked for "
                f"({basis[:-1]}); allow more errors, or give more pairs. What was trained stays: "
                "the same command with another threshold goes on from there."
            )
        answered = signal < threshold
        return AbstentionReport(
            train_pairs=fitted.errors.pairs,
            dev_pairs=len(wrong["dev"]),
            calibration_pairs=len(wrong.get("calibration", ())),
            rejected=sources.rejected,
            train_errors=fitted.errors.share,
            fold_accuracies=fitted.errors.fold_accuracies,
            dev_accuracy=1.0 - float(wrong["dev"].mean()),
            signals={
                name: signal_quality(values, wrong["dev"]) for name, values in found["dev"].items()
            },
            threshold=threshold,
            threshold_basis=basis,
            coverage=float(answered.mean()),
            answered_accuracy=1.0 - float(errs[answered].mean()) if answered.any() else None,
            **self.figures(fitted.trained, cost),
            features=sources.origin,
        )

    def save(self, fitted: _Fitted, report: AbstentionReport) -> None:
        heads = TaskHeads(
            config=replace(
                self.heads.config,
                backbone=self.record.backbone,
                abstain_by=self.settings.abstain_by,
                threshold=report.threshold,
                threshold_basis=report.threshold_basis,
            ),
            nli=self.heads.nli,
            abstention=fitted.head,
            second=fitted.second,
            embedding=self.heads.embedding,
            late_interaction=self.heads.late_interaction,
        )
        section = self.card(report, fitted.head)
        card = card_with_section(self.heads_folder / CARD_FILE, section, self.record)
        save_task_heads(heads, self.output, model_card=card)
        if self.heads_folder.is_dir() and self.heads_folder.resolve() != self.output.resolve():
            for file in (RUN_FILE, CURVES_FILE):
                if (self.heads_folder / file).is_file():
                    shutil.copyfile(self.heads_folder / file, self.output / file)
