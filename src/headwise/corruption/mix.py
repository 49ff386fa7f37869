"""How often each family of errors is drawn."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import ClassVar, Self

from pydantic import ConfigDict, TypeAdapter

from headwise.corruption.families import ErrorFamily
from headwise.documents import read_yaml
from headwise.errors import DataError
from headwise.plain_values import from_plain_values

_DEFAULT = "mix_default.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorruptionMix:
    """Weights of the families, and what they need to know.

    Attributes:
        proportions: Weight of each family; one that is not named is not drawn. They need not sum
            to 1.
        language: Language code of the hypotheses, ``de`` or ``en``; families that need lists of
            words are drawn for these alone.
        errors_per_text: Weight of each number of errors. A text has at most one for every two
            words, and at least one.

    Raises:
        ValueError: If a weight is not a finite number of at least 0, no weight is more than 0, or
            a text would get no error.
    """

    # Read from YAML, where a name that nobody knows is a slip
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    proportions: Mapping[ErrorFamily, float]
    language: str | None = None
    errors_per_text: Mapping[int, float] = field(default_factory=lambda: {1: 1.0})

    def __post_init__(self) -> None:
        for name in ("proportions", "errors_per_text"):
            weights = getattr(self, name)
            for key, weight in weights.items():
                if not (math.isfinite(weight) and weight >= 0):
                    raise ValueError(
                        f"`{name}` must be finite and at least 0, got {weight} for {key}."
                    )
            if not any(weights.values()):
                raise ValueError(f"`{name}` must have a weight above 0, got {dict(weights)}.")
        if min(self.errors_per_text) < 1:
            raise ValueError(
                f"`errors_per_text` must name at least 1 error, got {min(self.errors_per_text)}."
            )

    @classmethod
    def default(cls, language: str | None = None) -> Self:
        """The mix that ships with the package, for a language.

        Args:
            language: Its code, such as ``de``; ``None`` for no errors that need lists of words.
        """
        path = Path(str(files("headwise.corruption") / _DEFAULT))
        return replace(cls.read(path), language=language)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a mix from YAML.

        Args:
            path: A YAML file as the guide to error heads shows it.

        Raises:
            DataError: If the file is missing, is not YAML, or is no mix.
        """
        try:
            values = read_yaml(Path(path))
        except FileNotFoundError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}.") from None
        except DataError as error:
            raise DataError(f"{path} is not YAML: {error}") from None
        if not isinstance(values, dict):
            raise DataError(f"{path} must have `proportions`, got {values!r:.60}.")
        try:
            return from_plain_values(TypeAdapter(cls), values)
        except ValueError as error:
            raise DataError(f"{path} is no mix of errors: {error}") from None
