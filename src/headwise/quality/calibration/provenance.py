"""Where a calibration comes from, and how well it fits."""

from pydantic import BaseModel, ConfigDict, Field


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Counts(_Record):
    """How much data there was.

    Attributes:
        sources: Different sources; texts on their own count as one each.
        texts: Scored texts.
        texts_with_errors: Those with a mark, wherever it is.
        tokens: Their tokens, special ones left out.
        wrong_tokens: Those that overlap an error, or stand right after a gap.
    """

    sources: int = Field(ge=0)
    texts: int = Field(ge=0)
    texts_with_errors: int = Field(ge=0)
    tokens: int = Field(ge=0)
    wrong_tokens: int = Field(ge=0)


class Fit(_Record):
    """How far probabilities are from what happens, on data that they were not fitted to.

    Attributes:
        ece_before: Expected calibration error of the score itself; ``None`` if that is no
            probability, or is undefined.
        ece_after: That of the calibrated probability.
        brier_before: Mean squared error of the score as a probability, likewise.
        brier_after: That of the calibrated probability.
        roc_auc: How well the probability tells right from wrong, which calibration cannot mend.
        share_correct: Share of the items that is right.
    """

    ece_before: float | None
    ece_after: float | None
    brier_before: float | None
    brier_after: float | None
    roc_auc: float | None
    share_correct: float | None


class Provenance(_Record):
    """Where a calibration comes from.

    Attributes:
        data: Names of the data.
        errors: How many texts have an error of each category; marks without one count as
            ``unnamed``.
        fitted_on: The half of the sources that the calibrators were fitted to.
        chosen_on: The other half, on which thresholds were chosen and the fit was checked.
        left_out: Texts that could not be scored.
        tokens: The check at token level.
        sentences: The check at sentence level, if texts have a calibrator.
        notes: What else a reader has to know.
    """

    data: tuple[str, ...] = ()
    errors: dict[str, int]
    fitted_on: Counts
    chosen_on: Counts
    left_out: int = Field(default=0, ge=0)
    tokens: Fit
    sentences: Fit | None = None
    notes: tuple[str, ...] = ()
