"""The run of an error head: a stage on errors that were put in, one on what people marked."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from torch import nn

from headwise.backbones import Backbone, PromptTemplate
from headwise.corruption import ErrorTexts
from headwise.corruption.error_copies import group_of
from headwise.data.records.pairs import Pair
from headwise.features import CachedFeatures, FeatureSpec, extract_features
from headwise.heads import ERROR_FILES, ErrorHead, layers_in_words, save_head
from headwise.training.errors.fitting import fit_error_head
from headwise.training.errors.layers import best_layer, first_head
from headwise.training.errors.loss import ErrorLoss
from headwise.training.errors.memorisation import Memorisation, measure_memorisation
from headwise.training.errors.output_calibration import (
    OutputQuality,
    fold_gap_calibration,
    measure_outputs,
)
from headwise.training.errors.report import ErrorReport, ErrorStage
from headwise.training.errors.settings import ErrorTraining, StatisticsChoice
from headwise.training.errors.texts import error_copies, gaps_are_marked
from headwise.training.loop.curves import MeasurePlot
from headwise.training.loop.layers import LayerChoice, depths_to_try, sample
from headwise.training.loop.report import TrainingHistory
from headwise.training.loop.run import Cost, HeadTraining

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Sources:
    """What both stages read, and the head that they train: it says what features are needed."""

    head: ErrorHead
    memorisation: Memorisation | None
    layer_choice: LayerChoice | None
    copies: Mapping[str, ErrorTexts]
    features: Mapping[str, CachedFeatures]


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    """The head with what each stage found, and the final head on the first stage's dev texts."""

    head: ErrorHead
    synthetic: ErrorStage | None = None
    labelled: ErrorStage | None = None
    tokens_after: OutputQuality | None = None
    gaps_after: OutputQuality | None = None


@dataclass(frozen=True, kw_only=True)
class ErrorHeadTraining(HeadTraining[_Sources, _Fitted, ErrorReport]):
    """A run on copies with errors of correct texts, on texts that people marked, or on both.

    ``correct`` has pairs of ``training`` and ``dev``, none for labels alone; ``marked`` those of
    ``labels`` and ``label_dev``, none for correct pairs alone. Without a head to ``start`` from,
    weights are random.
    """

    kind = "errors"
    run_file = ERROR_FILES.run
    curves_file = ERROR_FILES.curves
    weights_file = ERROR_FILES.weights
    # Names of their own: the folder may be that of a Sigmoid Head
    checkpoints_name, features_name = "error_checkpoints", "error_features"
    plot = MeasurePlot(
        {
            "auroc": "mean over families",
            "auroc_marked": "tokens that people marked",
            "auroc_plausible": "the language model's own words",
            "auroc_deletion": "after a gap",
        },
        axis="AUROC",
        title="Right dev tokens against wrong ones",
    )

    settings: ErrorTraining
    backbone: Backbone
    prompt: PromptTemplate
    correct: Mapping[str, Sequence[Pair]]
    marked: Mapping[str, Sequence[Pair]]
    start: ErrorHead | None

    @property
    def content(self) -> Mapping[str, Sequence[object] | nn.Module]:
        """The texts of both stages, and the head to start from."""
        start = {} if self.start is None else {"start": self.start}
        return {**self.correct, **self.marked, **start}

    def read_features(self) -> _Sources:
        """Make the copies and the head, which says what features are needed; extract these."""
        memorisation, copies = None, {}
        if self.correct:
            train, dev = self.correct["training"], self.correct["dev"]
            memorisation = measure_memorisation(
                self.backbone, train, dev, self.prompt, max_length=self.settings.max_length
            )
            copies = error_copies(
                train,
                dev,
                self.settings,
                backbone=self.backbone,
                prompt=self.prompt,
                progress=self.progress,
                folder=self.output / "sampled",
            )
        texts = {part: made.pairs for part, made in copies.items()} | dict(self.marked)
        marked_gaps = gaps_are_marked([pair for pairs in self.marked.values() for pair in pairs])
        gaps_marked = {part: part in copies or marked_gaps for part in texts}
        choice, layers = None, self.settings.layers
        if layers == "auto":
            # What people marked decides, where there is any
            parts = ("labels", "label_dev") if self.marked else ("train", "dev")
            whole = self._made(depths_to_try(self.backbone), memorisation)
            choice = best_layer(
                self.backbone,
                whole,
                [
                    self._extract(
                        f"layers/{part}", sample(texts[part]), whole, gaps_marked=gaps_marked[part]
                    )
                    for part in parts
                ],
                settings=self.settings.for_labels() if self.marked else self.settings,
                device=self.device,
            )
            layers = (choice.best,)
        head = self._made(layers, memorisation)
        features = {
            part: self._extract(part, pairs, head, gaps_marked=gaps_marked[part])
            for part, pairs in texts.items()
        }
        return _Sources(
            head=head,
            memorisation=memorisation,
            layer_choice=choice,
            copies=copies,
            features=features,
        )

    def _made(self, layers: Sequence[int], memorisation: Memorisation | None) -> ErrorHead:
        """A head that reads some layers, as it is before it is trained."""
        known = memorisation is not None and memorisation.found
        choice = self.settings.statistics
        statistics = choice is StatisticsChoice.ON or (
            choice is StatisticsChoice.AUTO and not known
        )
        head = first_head(self.backbone, self.settings, layers, statistics=statistics)
        if self.start is not None:
            head.load_state_dict(self.start.state_dict())
        return head

    def _extract(
        self, part: str, pairs: Sequence[Pair], head: ErrorHead, *, gaps_marked: bool
    ) -> CachedFeatures:
        spec = FeatureSpec(
            dtype=self.settings.feature_dtype,
            # The head reads no other tokens than the text's own
            candidates=0,
            layers=head.layers,
            max_length=self.settings.max_length,
            statistics=head.statistics,
            # Scoring gives the head one, too: what is missing at the end is told by it
            closing_tokens=1,
            gaps_marked=gaps_marked,
        )
        return extract_features(
            self.backbone,
            pairs,
            self.prompt,
            self.feature_folder / part,
            spec=spec,
            progress=self.progress,
            instead="put the features elsewhere (`feature_folder`)",
        )

    def fit(self, sources: _Sources) -> _Fitted:
        """Train on the copies, and go on from there on what people marked."""
        fresh = self.start is None
        synthetic = labelled = None
        if sources.copies:
            synthetic = self._stage(
                sources,
                ("train", "dev"),
                self.settings,
                families=sources.copies["dev"].families,
                fresh=fresh,
            )
        if self.marked:
            fresh = fresh and synthetic is None
            own = self.settings.for_labels()
            labelled = self._stage(sources, ("labels", "label_dev"), own, fresh=fresh)
        found = _Fitted(head=sources.head, synthetic=synthetic, labelled=labelled)
        if labelled is None:
            return found
        if labelled.gaps is None:
            logger.info("The labels do not say where something is missing; that was not trained.")
        if synthetic is not None:
            return self._measured_again(found, sources.features["dev"])
        if self.start is not None and labelled.gaps is None:
            logger.warning(
                "Training on the labels changed what the signal omission is made of, so that its "
                "probabilities are no longer calibrated; give correct texts as data as well to "
                "calibrate them again."
            )
        return found

    def _stage(
        self,
        sources: _Sources,
        parts: tuple[str, str],
        settings: ErrorTraining,
        *,
        families: Sequence[str | None] | None = None,
        fresh: bool,
    ) -> ErrorStage:
        train, dev = (sources.features[part] for part in parts)
        return fit_error_head(
            sources.head,
            train,
            dev,
            settings,
            unembedding=self.backbone.unembedding.weight,
            checkpoints=self.checkpoints / parts[0],
            device=self.device,
            families=families,
            fresh=fresh,
            gaps=train.has_missing and dev.has_missing,
            progress=self.progress,
        )

    def _measured_again(self, found: _Fitted, dev: CachedFeatures) -> _Fitted:
        """With both outputs on the dev texts of the first stage, after the second.

        What the second stage did to the hidden layer changed the output of gaps as well. If it
        had no labels for that output, it is calibrated to these texts again.
        """
        loss = ErrorLoss(found.head, self.backbone.unembedding.weight)
        tokens, gaps = measure_outputs(loss, dev, device=self.device)
        if found.labelled is not None and found.labelled.gaps is None:
            gaps = fold_gap_calibration(loss, dev, device=self.device)
        return replace(found, tokens_after=tokens, gaps_after=gaps)

    def report(self, sources: _Sources, fitted: _Fitted, cost: Cost) -> ErrorReport:
        """What was done."""
        texts = {part: copies.pairs for part, copies in sources.copies.items()} | dict(self.marked)
        if self.marked:
            held_out: Sequence[Pair] = self.marked["label_dev"]
            groups: Sequence[str] = [group_of(pair, pair.hypothesis) for pair in held_out]
        else:
            held_out, groups = sources.copies["dev"].pairs, sources.copies["dev"].groups
        return ErrorReport(
            train_pairs=len(self.correct.get("training", ())),
            dev_pairs=len(self.correct.get("dev", ())),
            dev_in_train=self.leaked,
            rejected=sum(len(texts[part]) - len(s.counts) for part, s in sources.features.items()),
            families=sources.copies["train"].counts() if sources.copies else {},
            memorisation=sources.memorisation,
            synthetic=fitted.synthetic,
            labelled=fitted.labelled,
            synthetic_after=fitted.tokens_after,
            statistics=fitted.head.statistics,
            numbers=sum(parameter.numel() for parameter in fitted.head.parameters()),
            seconds=cost.seconds,
            peak_bytes=cost.peak_bytes,
            feature_bytes=sum(source.bytes for source in sources.features.values()),
            held_out=tuple(held_out),
            held_out_groups=tuple(groups),
            gaps_after=fitted.gaps_after,
            layers=layers_in_words(fitted.head.layers, fitted.head.layer_count),
            layer_choice=sources.layer_choice,
        )

    def save(self, fitted: _Fitted, report: ErrorReport) -> None:
        """Write the head with its card; a Sigmoid Head in the folder stays."""
        save_head(
            fitted.head,
            self.output,
            prompt=self.prompt.model_dump(),
            backbone=self.record.backbone,
            model_card=self.card(report, fitted.head),
        )

    def history(self, report: ErrorReport) -> TrainingHistory:
        """Of the first stage, if there was one: it has the measures of the families."""
        return report.synthetic or report.last
