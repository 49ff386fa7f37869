"""The stages of training an error head: one head and model, and features beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from headwise.backbones import Backbone, PromptTemplate
from headwise.corruption import ErrorTexts, corrupt, with_error_copies
from headwise.data.records.pairs import Pair
from headwise.errors import TrainingError
from headwise.features import CachedFeatures, FeatureSpec, extract_features
from headwise.heads import ErrorHead
from headwise.training.errors.fitting import FittedErrors, fit_error_head
from headwise.training.errors.loss import ErrorLoss
from headwise.training.errors.output_calibration import (
    OutputQuality,
    fold_gap_calibration,
    measure_outputs,
)
from headwise.training.errors.report import ErrorStage
from headwise.training.errors.settings import ErrorTraining

CHECKPOINTS, FEATURES = "error_checkpoints", "error_features"
# The same dev errors, whatever the seed of the run
_DEV_SEED = 0


@dataclass
class ErrorStages:
    """What the stages share.

    Attributes:
        backbone: The frozen language model.
        head: What is trained.
        prompt: How a pair is laid out.
        settings: Of the run.
        output: Folder of the head.
        progress: Whether to show bars on standard error.
        sources: Features of each part that was read, by name.
        rejected: Texts that the model cannot read.
    """

    backbone: Backbone
    head: ErrorHead
    prompt: PromptTemplate
    settings: ErrorTraining
    output: Path
    progress: bool
    sources: dict[str, CachedFeatures] = field(default_factory=dict)
    rejected: int = 0

    def copies(self, train: Sequence[Pair], dev: Sequence[Pair]) -> dict[str, ErrorTexts]:
        """Correct texts of both parts with their copies; those of dev have one error each.

        Raises:
            TrainingError: If no text of a part allows any error, or no family can be made.
        """
        mix = self.settings.mix
        parts = {
            "train": (train, mix, self.settings.seed),
            "dev": (dev, replace(mix, errors_per_text={1: 1.0}), _DEV_SEED),
        }
        corpus = [pair.hypothesis for pair in train]
        found = {}
        for part, (pairs, own, seed) in parts.items():
            made = corrupt(
                pairs,
                mix=own,
                seed=seed,
                copies=self.settings.copies,
                corpus=corpus,
                backbone=self.backbone,
                prompt=self.prompt,
                progress=self.progress,
            )
            if not made:
                raise TrainingError(
                    f"None of the {len(pairs):,} texts allows an error of the mix; give longer "
                    "texts, or other families."
                )
            found[part] = with_error_copies(pairs, made)
        return found

    def learn(
        self,
        train: tuple[str, Sequence[Pair]],
        dev: tuple[str, Sequence[Pair]],
        settings: ErrorTraining,
        *,
        families: Sequence[str | None] | None,
        fresh: bool,
        gaps_marked: bool,
    ) -> ErrorStage:
        """Train on the texts of one part, and choose by those of another.

        Args:
            train: Name and texts of the part to learn from.
            dev: Name and texts of the part that is held out.
            settings: Of this stage.
            families: What kind of error each dev text has.
            fresh: Whether the head has learned nothing yet.
            gaps_marked: Whether who marked spans also marked gaps.
        """
        learned = self._features(*train, gaps_marked=gaps_marked)
        held_out = self._features(*dev, gaps_marked=gaps_marked)
        gaps = learned.has_missing and held_out.has_missing
        fitted = fit_error_head(
            self.head,
            learned,
            held_out,
            settings,
            unembedding=self.backbone.unembedding.weight,
            checkpoints=self.output / CHECKPOINTS / train[0],
            device=self.backbone.device,
            families=families,
            fresh=fresh,
            gaps=gaps,
            progress=self.progress,
        )
        return _stage(fitted, learned, held_out)

    def after_labels(
        self, part: str, *, gaps_learned: bool
    ) -> tuple[OutputQuality, OutputQuality | None]:
        """How good both outputs are on the dev texts of the first stage, after the second.

        What the second stage did to the hidden layer changed the output of gaps as well. If it
        had no labels for that output, it is calibrated to these texts again.

        Args:
            part: Name of these texts.
            gaps_learned: Whether the second stage had such labels.
        """
        loss = ErrorLoss(self.head, self.backbone.unembedding.weight)
        source, device = self.sources[part], self.backbone.device
        tokens, gaps = measure_outputs(loss, source, device=device)
        if not gaps_learned:
            gaps = fold_gap_calibration(loss, source, device=device)
        return tokens, gaps

    def _features(self, part: str, pairs: Sequence[Pair], *, gaps_marked: bool) -> CachedFeatures:
        folder = Path(self.settings.feature_folder or self.output / FEATURES)
        spec = FeatureSpec(
            dtype=self.settings.feature_dtype,
            candidates=1,
            max_length=self.settings.max_length,
            statistics=self.head.statistics,
            closing_tokens=1,
            gaps_marked=gaps_marked,
        )
        source = extract_features(
            self.backbone,
            pairs,
            self.prompt,
            folder / part,
            spec=spec,
            progress=self.progress,
            instead="put the features elsewhere (`feature_folder`)",
        )
        self.rejected += len(pairs) - len(source.counts)
        self.sources[part] = source
        return source


def _stage(fitted: FittedErrors, train: CachedFeatures, dev: CachedFeatures) -> ErrorStage:
    return ErrorStage(
        texts=len(train.counts),
        targets=sum(train.counts),
        dev_texts=len(dev.counts),
        evaluations=fitted.trained.evaluations,
        best=fitted.best,
        train_losses=fitted.trained.train_losses,
        steps=fitted.trained.steps,
        seconds=fitted.trained.seconds,
        tokens_per_second=fitted.tokens_per_second,
        tokens=fitted.tokens,
        gaps=fitted.gaps,
    )
