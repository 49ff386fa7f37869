"""What turns a head's scores into probabilities and decisions; it is saved beside the head."""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from headwise.data.records.signals import Aggregation, Signal
from headwise.documents import read_json
from headwise.errors import CalibrationError, DataError
from headwise.files import atomic_path, naming_output
from headwise.heads import card_languages
from headwise.heads.storage.files import CALIBRATION_FILE
from headwise.quality.calibration.blend import Blend, Feature
from headwise.quality.calibration.calibrators import Calibrator
from headwise.quality.calibration.card import write_in_card
from headwise.quality.calibration.provenance import Provenance
from headwise.quality.calibration.thresholds import Threshold
from headwise.quality.calibration.usual_words import UsualWords

Floats = NDArray[np.float64]

OF_QUALITY = Blend.alone(Signal.QUALITY, Aggregation.MEAN)
"""What hypotheses are ranked by where a calibration does not say it."""

_REMEDY = (
    "Write it again with `headwise calibrate`, or remove it to use the head without a calibration."
)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SentenceCalibration(_Record):
    """From the scores of a text's tokens to the probability that it has no error.

    Attributes:
        blend: How the values of the tokens become one.
        calibrator: How that becomes a probability.
    """

    blend: Blend
    calibrator: Calibrator

    @property
    def aggregation(self) -> Aggregation | None:
        """How the values of a single signal become one; ``None`` where several are weighed."""
        return self.blend.aggregations[0] if self.blend.single else None

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_of_texts(self.blend, name="blend")
        return self


class Calibration(_Record):
    """Probabilities and thresholds for one head.

    Attributes:
        version: Of the file's format; 1 is what has one signal for all, and no choice for ranking.
        blend: What the score of a token is made of.
        token: From that score to the probability that the token is right.
        sentence: The same for whole texts, which have a score of their own; ``None`` if the data
            did not suffice.
        ranking: What hypotheses of one source are sorted by, the highest first; ``None`` in files
            of earlier versions, where it is the mean of the tokens' probabilities.
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
        usual_hypotheses: The frequent words of hypotheses, likewise.
    """

    version: Literal[1, 2] = 2
    blend: Blend
    token: Calibrator
    sentence: SentenceCalibration | None = None
    ranking: Blend | None = None
    thresholds: dict[str, Threshold]
    default: str
    segment: Threshold | None = None
    usual_sources: UsualWords | None = None
    usual_hypotheses: UsualWords | None = None
    languages: tuple[str, ...] = Field(default=(), exclude=True)
    provenance: Provenance

    @model_validator(mode="before")
    @classmethod
    def _from_version_1(cls, row: Any) -> Any:
        """One signal, and how texts combine it, as the blends that they are."""
        if not isinstance(row, dict) or row.get("version") != 1:
            return row
        signal, sentence = row.get("signal"), row.get("sentence")
        row = {name: value for name, value in row.items() if name != "signal"}
        if isinstance(sentence, dict) and "aggregation" in sentence:
            blend = {"signals": [signal], "aggregations": [sentence["aggregation"]]}
            row["sentence"] = {"blend": blend, "calibrator": sentence.get("calibrator")}
        return {**row, "version": 2, "blend": {"signals": [signal]}}

    @model_serializer(mode="wrap")
    def _as_version_1(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Readers of earlier versions read what they can; fingerprints stay what they were."""
        row: dict[str, Any] = handler(self)
        alone, sentence = self.blend.single, self.sentence
        if alone is None or self.ranking is not None:
            return row
        if sentence is not None and sentence.blend.single is not alone:
            return row
        del row["ranking"]
        if sentence is not None:
            calibrator = row["sentence"]["calibrator"]
            row["sentence"] = {"aggregation": sentence.aggregation, "calibrator": calibrator}
        renamed = {"blend": ("signal", alone), "version": ("version", 1)}
        return dict(renamed.get(name, (name, value)) for name, value in row.items())

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.blend.of_texts:
            raise ValueError("`blend` is that of tokens: at least one signal must be their own.")
        if self.ranking is not None:
            _check_of_texts(self.ranking, name="ranking")
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

    @property
    def signal(self) -> Signal | None:
        """The signal that tokens are calibrated on; ``None`` where several are weighed."""
        return self.blend.single

    def made_of(self, *, texts: bool = True, ranking: bool = True) -> frozenset[Signal]:
        """The signals that have to be known of a token: for its probability, and for what else.

        Args:
            texts: Whether what texts are made of is wanted, too.
            ranking: Likewise what hypotheses are ranked by.
        """
        of_texts = [self.sentence.blend] if texts and self.sentence is not None else []
        of_texts += [self.ranking] if ranking and self.ranking is not None else []
        found = {signal for blend in (self.blend, *of_texts) for signal in blend.signals}
        return frozenset(found - {Signal.QUALITY})

    @property
    def described(self) -> dict[str, str]:
        """What ``quality`` is made of, in words: of ``tokens``, ``texts`` and for ``ranking``."""
        texts = {} if self.sentence is None else {"texts": self.sentence.blend.name}
        ranked = (self.ranking or OF_QUALITY).name
        return {"tokens": self.blend.name, **texts, "ranking": ranked}

    def token_quality(self, columns: Mapping[Feature, ArrayLike]) -> Floats:
        """Probabilities in (0, 1) that tokens are right, ``(n,)``, by features of :attr:`blend`.

        Args:
            columns: Values of each token, ``(n,)``, by feature.
        """
        return self.token.of_valid(self.blend(columns))

    def sentence_quality(self, values: Mapping[Signal, Sequence[float]]) -> float | None:
        """The probability in (0, 1) that a text has no error, from values of its tokens.

        It is ``None`` if there is no token, or no calibrator for texts.

        Args:
            values: Of all tokens, in order, by signal.
        """
        if self.sentence is None or (value := self.sentence.blend.of_text(values)) is None:
            return None
        return float(self.sentence.calibrator.of_valid(np.array([value]))[0])

    @property
    def fingerprint(self) -> str:
        """Short name of the content: another calibration has another one."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:16]

    def save(self, folder: str | Path) -> Path:
        """Write ``calibration.json`` into a head's folder; returns the file.

        The folder's card, if there is one, says from then on what ``quality`` is made of.

        Raises:
            OutputError: If it cannot be written.
        """
        path = Path(folder) / CALIBRATION_FILE
        with naming_output(path), atomic_path(path) as temporary:
            temporary.write_text(_compact(self.model_dump(mode="json")), encoding="utf-8")
            write_in_card(path.parent, self.described)
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


def _check_of_texts(blend: Blend, *, name: str) -> None:
    if not blend.of_texts:
        raise ValueError(f"`{name}` is that of texts: say how tokens are aggregated.")


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
