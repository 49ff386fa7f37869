"""Questions that all stages answered, with what is right about the answers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from headwise.cascade.answers import CascadeAnswer
from headwise.data.readers.layout import Format
from headwise.data.readers.tables import open_table
from headwise.data.records.pairs import Reject
from headwise.errors import DataError
from headwise.metrics.inputs import Floats
from headwise.metrics.thresholds.cascade import answering_stage
from headwise.plain_values import first_problem

_RIGHT = frozenset({"true", "right", "correct", "yes"})
_WRONG = frozenset({"false", "wrong", "incorrect", "no"})


def _as_label(value: object) -> object:
    """A label as people write it."""
    word = value.strip().lower() if isinstance(value, str) else None
    return True if word in _RIGHT else False if word in _WRONG else value


class _Attempt(BaseModel):
    """What is read of an attempt."""

    model_config = ConfigDict(extra="ignore")

    stage: str
    answer: str | None
    quality: float | None
    accepted: bool
    cost: float = Field(ge=0.0)
    correct: Annotated[bool | None, BeforeValidator(_as_label)] = None


class _Row(BaseModel):
    """What is read of a row."""

    model_config = ConfigDict(extra="ignore")

    source: str
    attempts: tuple[_Attempt, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """N questions and what K stages made of them.

    Attributes:
        stages: Names of the stages, in their order.
        quality: Of each answer, ``(N, K)``; NaN where a stage could not answer or was not asked,
            infinite where nobody rates its answers, which are always given.
        right: Whether each answer is right, ``(N, K)``: 1, 0, or NaN where that is not known. No
            answer is wrong.
        cost: Of each answer, ``(N, K)``; NaN where the stage was not asked.
        given: Index of the stage whose answer was given, ``(N,)``; K where none was.
    """

    stages: tuple[str, ...]
    quality: Floats
    right: Floats
    cost: Floats
    given: NDArray[np.int64]

    @classmethod
    def of(
        cls, answers: Iterable[CascadeAnswer], right: Iterable[Sequence[bool | None]]
    ) -> "Trials":
        """Trials of answers that a cascade gave, with ``ask_all`` to compare its stages.

        Args:
            answers: What it answered.
            right: Of each answer, whether its attempts are right, in their order.

        Raises:
            DataError: If there are none, or their stages differ.
            ValueError: If the labels are not as many as the attempts.
        """
        rows = []
        for answer, labels in zip(answers, right, strict=True):
            attempts = zip(answer.attempts, labels, strict=True)
            rows.append([_Attempt(**one.row(), correct=label) for one, label in attempts])
        return cls._of(rows, name="the answers")

    @classmethod
    def _of(cls, rows: Sequence[Sequence[_Attempt]], *, name: str) -> "Trials":
        if not rows:
            raise DataError(f"`{name}` holds no answers.")
        stages = tuple(one.stage for one in max(rows, key=len))
        shape = len(rows), len(stages)
        quality, right, cost = (np.full(shape, np.nan) for _ in range(3))
        given = np.full(len(rows), len(stages), np.int64)
        for place, row in enumerate(rows):
            names = tuple(one.stage for one in row)
            if names != stages[: len(names)]:
                raise DataError(
                    f"Row {place + 1} of `{name}` has the stages {', '.join(names)}, another one "
                    f"has {', '.join(stages)}; compare answers of one cascade."
                )
            for k, one in enumerate(row):
                cost[place, k] = one.cost
                if one.accepted:
                    given[place] = k
                if one.answer is None:
                    right[place, k] = 0.0
                    continue
                quality[place, k] = np.inf if one.quality is None else one.quality
                right[place, k] = np.nan if one.correct is None else float(one.correct)
        return cls(stages=stages, quality=quality, right=right, cost=cost, given=given)

    def __len__(self) -> int:
        return len(self.given)

    @property
    def asked_all(self) -> bool:
        """Whether all stages were asked about all questions."""
        return not np.isnan(self.cost).any()

    @property
    def labelled(self) -> bool:
        """Whether it is known of all answers whether they are right."""
        return self.asked_all and not np.isnan(self.right).any()

    def at(self, threshold: float) -> NDArray[np.int64]:
        """The stage that answers each question at one threshold for all.

        Args:
            threshold: From which quality on an answer is given.

        Returns:
            Indices of stages, ``(N,)``; K for none.
        """
        return answering_stage(self.quality, threshold=threshold)

    def wrong_of(self, given: NDArray[np.int64]) -> Floats:
        """Whether answers are wrong.

        Args:
            given: Index of the stage whose answer is given, ``(N,)``; K for none.

        Returns:
            1, 0 or NaN for each question that is answered, ``(answered,)``.
        """
        answered = given < len(self.stages)
        wrong: Floats = 1.0 - self.right[answered, given[answered]]
        return wrong

    def costs_of(self, given: NDArray[np.int64]) -> Floats:
        """What each question costs.

        Args:
            given: Index of the stage whose answer is given, ``(N,)``; K for none.

        Returns:
            The costs of that stage and of all before it, ``(N,)``.
        """
        asked = np.arange(len(self.stages)) <= given[:, None]
        costs: Floats = np.where(asked, self.cost, 0.0).sum(axis=1)
        return costs


def read_trials(paths: Sequence[str | Path], *, reference: str | None = None) -> Trials:
    """Read what ``headwise cascade`` wrote, with labels that were added.

    Args:
        paths: JSON lines. An answer is right if its attempt has ``correct`` (true or false).
        reference: Column with the right answer, or a list of right ones, instead of labels: an
            answer is right if it is the same, white space and case aside.

    Raises:
        DataError: If a file cannot be read, or is none that ``headwise cascade`` wrote.
    """
    rows = [row for path in paths for row in _read(Path(path), reference)]
    return Trials._of(rows, name=", ".join(map(str, paths)))


def _read(path: Path, reference: str | None) -> Iterator[list[_Attempt]]:
    with open_table(path, Format.JSONL) as table:
        for row in table.rows:
            if isinstance(row, Reject):
                raise DataError(f"Line {row.line} of `{path}` cannot be read: {row.reason}")
            try:
                found = list(_Row.model_validate(row.values).attempts)
            except ValidationError as error:
                raise DataError(
                    f"Line {row.line} of `{path}` is not one of `headwise cascade`: "
                    f"{first_problem(error)}."
                ) from None
            if reference is not None:
                right = _references(row.values.get(reference), f"{path}:{row.line}", reference)
                found = [
                    one.model_copy(update={"correct": _plain(one.answer or "") in right})
                    for one in found
                ]
            yield found


def _references(value: Any, place: str, column: str) -> set[str]:
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise DataError(
            f"{place} has no right answer in `{column}`: it must be a text, or a list of texts."
        )
    return {_plain(text) for text in texts}


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
