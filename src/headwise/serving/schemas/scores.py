"""What is to be scored, and how."""

from typing import Any, Self

from pydantic import Field, model_validator

from headwise.data.readers.nested_rows import as_pair
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import Level
from headwise.errors import InputError
from headwise.serving.schemas.base import Schema

_EXAMPLE = {"source": "A dog runs on the beach.", "hypothesis": "Ein Hund läuft am Bahnhof."}


class ScoreOptions(Schema):
    """What is computed, and what a row holds.

    Attributes:
        model: The model's name, if the client wants to be sure.
        signals: Names of signals, the main one first; the model's best by default.
        level: What a row holds beside its sentence score.
        alternatives: How many of the language model's own choices a token has; at level ``token``.
        threshold: Words of a lower confidence are to be checked; by default the calibration's.
        segment_threshold: Texts with a lower probability of no error are flagged, likewise.
        variables: Values for variables of the prompt, such as ``target_language``.
    """

    model: str | None = None
    signals: list[str] | None = Field(default=None, examples=[["quality", "error"]])
    level: Level = "word"
    alternatives: int = Field(default=0, ge=0, le=100)
    threshold: float | None = None
    segment_threshold: float | None = None
    variables: dict[str, str] = Field(default_factory=dict)

    def wishes(self) -> dict[str, Any]:
        """The options of :meth:`~headwise.serving.quality_service.QualityService.score`."""
        return self.model_dump(include={"signals", "alternatives", "threshold", "variables"}) | {
            "segment_threshold": self.segment_threshold
        }


class ScoreRequest(ScoreOptions):
    """One pair, several pairs, or texts without a source.

    Attributes:
        source: What the hypothesis answers to or translates.
        hypothesis: The text to score.
        pairs: Rows as files of JSON Lines hold them: objects with ``source`` and ``hypothesis``
            (other columns are handed through), ``messages``, or lists of two texts.
        texts: Texts on their own, read without a prompt.
    """

    source: str | None = Field(default=None, examples=[_EXAMPLE["source"]])
    hypothesis: str | None = Field(default=None, examples=[_EXAMPLE["hypothesis"]])
    pairs: list[dict[str, Any] | list[Any]] | None = None
    texts: list[str] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        given = [
            name for name in ("hypothesis", "pairs", "texts") if getattr(self, name) is not None
        ]
        if len(given) != 1 or (self.source is not None and given != ["hypothesis"]):
            raise ValueError(
                "give `source` and `hypothesis`, or `pairs`, or `texts`; one of the three"
            )
        return self

    @property
    def place(self) -> str:
        """The field that holds the items, as errors name it."""
        return "pairs" if self.pairs is not None else "texts" if self.texts is not None else ""

    def items(self) -> list[Any]:
        """What is to be scored, each as `as_pair` takes it."""
        if self.texts is not None:
            return [Pair(None, text) for text in self.texts]
        if self.pairs is not None:
            return [tuple(one) if isinstance(one, list) else one for one in self.pairs]
        return [Pair(self.source, self.hypothesis or "")]


def pair_or_error(item: Any) -> Pair | InputError:
    """An item of a request as a pair, or what is wrong with it."""
    try:
        return as_pair(item)
    except InputError as error:
        return error
    except TypeError as error:
        return InputError(str(error))
