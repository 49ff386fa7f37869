"""What turns a head's scores into probabilities and decisions; it is saved beside the head."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from headwise.data.records.signals import Aggregation, Signal, aggregate
from headwise.documents import read_json
from headwise.errors import CalibrationError, DataError
from headwise.files import atomic_path, naming_output
from headwise.heads import card_languages
from headwise.heads.storage.files import CALIBRATION_FILE
from headwise.quality.calibration.calibrators import Calibrator
from headwise.quality.calibration.thresholds import Threshold
from headwise.quality.calibration.usual_words import UsualWords

Floats = NDArray[np.float64]

NOT_CALIBRATED = (Signal.QUALITY, Signal.OMISSION)
"""Signals that say nothing of their own about whether a token is right."""


_REMEDY = (
    "Write it again with `headwise calibrate`, or remove it to use the head without a calibration."
)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SentenceCalibration(_Record):
    """From the scores of a text's tokens to the probability that it has no error.

    Attributes:
        aggregation: How the values of the tokens become one.
        calibrator: How that becomes a probability.
    """

    aggregation: Aggregation
    calibrator: Calibrator


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


class Calibration(_Record):
    """Probabilities and thresholds for one head.

    Attributes:
        version: Of the file's format.
        signal: What the calibrators take.
        token: From a token's score to the probability that it is right.
        sentence: The same for whole texts; ``None`` if the data did not suffice.
        thresholds: On the probability of a token, by name: ``f1``, ``risk-0.1``, and so on.
        default: Name of the one that is used if nothing else is asked for.
        segment: Where to draw the line on the probability that a text has no error: texts below it
            are flagged. Its shares are of texts, half of them with errors. ``None`` in files of
            earlier versions, and where the data did not suffice.
        usual_sources: The usual words of the sources that it was fitted to, and of the hypotheses,
            by which text in another language is noticed; ``None`` if they are not known.
        languages: Those that the card of the heads or of their model names, for a message; they are
            no part of the file.
        provenance: Where all this comes from.
    """

    version: Literal[1] = 1
    signal: Signal
    token: Calibrator
    sentence: SentenceCalibration | None = None
    thresholds: dict[str, Threshold]
    default: str
    segment: Threshold | None = None
    usual_sources: UsualWords | None = None
    usual_hypotheses: UsualWords | None = None
    languages: tuple[str, ...] = Field(default=(), exclude=True)
    provenance: Provenance

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.signal in NOT_CALIBRATED:
            raise ValueError(f"`signal` must be what `quality` is made of, not `{self.signal}`.")
        chosen = self.thresholds.get(self.default)
        if chosen is None or chosen.value is None:
            usable = [name for name, one in self.thresholds.items() if one.value is not None]
            raise ValueError(
                f"`default` must name a threshold that has a value ({', '.join(usable) or 'none'} "
                f"has), got {self.default!r}"
                + (f": {chosen.reason}" if chosen is not None else ".")
            )
        if self.segment is not None and (self.segment.value is None or self.sentence is None):
            raise ValueError("`segment` needs a value, and a calibrator of texts in `sentence`.")
        return self

    @property
    def threshold(self) -> float:
        """The default threshold: tokens with a probability below it are to be checked."""
        value = self.thresholds[self.default].value
        assert value is not None
        return value

    @property
    def segment_threshold(self) -> float | None:
        """Texts with a probability of no error below it are flagged, if that is known."""
        return None if self.segment is None else self.segment.value

    def token_quality(self, values: ArrayLike) -> Floats:
        """Probabilities in (0, 1) that tokens are right, ``(n,)``, by values of :attr:`signal`."""
        return self.token.of_valid(oriented(values, self.signal))

    def sentence_quality(self, values: Sequence[float]) -> float | None:
        """The probability in (0, 1) that a text has no error, from :attr:`signal` of its tokens.

        It is ``None`` if there is no token, or no calibrator for texts.
        """
        if self.sentence is None:
            return None
        value = aggregate(values, self.sentence.aggregation, signal=self.signal)
        if value is None:
            return None
        return float(self.sentence.calibrator.of_valid(oriented([value], self.signal))[0])

    @property
    def fingerprint(self) -> str:
        """Short name of the content: another calibration has another one."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def save(self, folder: str | Path) -> Path:
        """Write ``calibration.json`` into a head's folder; returns the file.

        Raises:
            OutputError: If it cannot be written.
        """
        path = Path(folder) / CALIBRATION_FILE
        with naming_output(path), atomic_path(path) as temporary:
            temporary.write_text(_compact(self.model_dump(mode="json")), encoding="utf-8")
        return path

    @classmethod
    def load(cls, folder: str | Path, *, model: str | Path = "") -> "Calibration | None":
        """Read the ``calibration.json`` of a head's folder; ``None`` if it has none.

        The card in it, or that in the folder of its ``model``, says the languages.

        Raises:
            CalibrationError: If it is damaged.
        """
        path = Path(folder) / CALIBRATION_FILE
        try:
            found = cls.model_validate(read_json(path))
            return found.model_copy(update={"languages": card_languages((folder, model))})
        except FileNotFoundError:
            return None
        except DataError as error:
            raise CalibrationError(f"{error} {_REMEDY}") from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the whole"
            raise CalibrationError(
                f"{path} is damaged: {place}: {first['msg']}. {_REMEDY}"
            ) from None


def oriented(values: ArrayLike, signal: Signal) -> Floats:
    """Values of a signal as an array, turned such that a higher one speaks for the text."""
    return signal.oriented(np.asarray(values, np.float64))


def _compact(record: dict[str, object]) -> str:
    """JSON with one line an entry, but not one line a knot."""
    lists: dict[str, str] = {}

    def hidden(value: object) -> object:
        if isinstance(value, dict):
            return {key: hidden(item) for key, item in value.items()}
        if isinstance(value, list) and all(isinstance(item, float) for item in value):
            key = f"@list-{len(lists)}@"
            lists[key] = json.dumps(value)
            return key
        return value

    text = json.dumps(hidden(record), indent=2, ensure_ascii=False)
    for key, content in lists.items():
        text = text.replace(f'"{key}"', content)
    return text + "\n"
