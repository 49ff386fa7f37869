"""What training an error head found."""

from dataclasses import dataclass

from headwise.choices import ONLY_LAST
from headwise.data.records.pairs import Pair
from headwise.heads import layers_in_words
from headwise.training.errors.memorisation import Memorisation
from headwise.training.errors.output_calibration import OutputQuality
from headwise.training.loop.layers import LayerChoice
from headwise.training.loop.report import TrainingHistory


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorStage(TrainingHistory):
    """One stage of the training.

    Attributes:
        texts: Texts trained on.
        targets: Target tokens an epoch.
        dev_texts: Texts evaluated on.
        seconds: Wall time of this call's steps and evaluations.
        tokens_per_second: Target tokens trained on in a second.
        tokens: How good the probabilities of tokens are on dev.
        gaps: The same of gaps; ``None`` if dev does not know them.
    """

    texts: int
    targets: int
    dev_texts: int
    seconds: float
    tokens_per_second: float
    tokens: OutputQuality
    gaps: OutputQuality | None

    def families(self) -> dict[str, float]:
        """AUROC on dev of each kind of error, by name."""
        metrics = self.evaluations[self.best].metrics
        prefix = "auroc_"
        return {n.removeprefix(prefix): v for n, v in metrics.items() if n.startswith(prefix)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """What a run did.

    Attributes:
        train_pairs: Correct pairs that copies were made of.
        dev_pairs: The same of dev.
        dev_in_train: Dev pairs that stand in the training data as well.
        rejected: Texts of all parts left out because the model cannot read them.
        families: How many training texts have errors of each family; a text with several errors
            counts once, for the one that was drawn first.
        memorisation: Whether the language model knows the training texts by heart; ``None`` if
            it was not measured.
        synthetic: The stage on copies with errors; ``None`` if there was none.
        labelled: The stage on texts that people marked, likewise.
        synthetic_after: The final head on the dev texts of the first stage, where there were two.
        statistics: Whether the head reads statistics of the vocabulary.
        numbers: Parameters of the head.
        seconds: Wall time of this call, features included.
        peak_bytes: Most memory that was held: the process's own, or the accelerator's.
        feature_bytes: Size of the features on disk.
        held_out: The dev texts of the last stage, with their errors.
        held_out_groups: What each of them is a version of: texts of a group belong together.
        layers: Layers of the language model that the head reads, in words.
        layer_choice: What other layers are worth, if the choice was left to dev.
        gaps_after: As ``synthetic_after``, of gaps. If the second stage had no labels of gaps,
            their output was calibrated to these texts again.
    """

    train_pairs: int
    dev_pairs: int
    dev_in_train: int
    rejected: int
    families: dict[str, int]
    memorisation: Memorisation | None
    synthetic: ErrorStage | None
    labelled: ErrorStage | None
    synthetic_after: OutputQuality | None
    statistics: bool
    numbers: int
    seconds: float
    peak_bytes: int
    feature_bytes: int
    held_out: tuple[Pair, ...]
    held_out_groups: tuple[str, ...]
    layers: str = layers_in_words(ONLY_LAST, None)
    layer_choice: LayerChoice | None = None
    gaps_after: OutputQuality | None = None

    @property
    def last(self) -> ErrorStage:
        """The stage that the head comes from."""
        stage = self.labelled or self.synthetic
        assert stage is not None
        return stage
