"""What can be asked of scores, and what cannot be asked together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headwise.choices import ERROR_SETS, Unit
from headwise.data.records.signals import Aggregation, Signal
from headwise.evaluation.quality.evaluated_rows import Source
from headwise.evaluation.quality.protocol_choice import EvaluationProtocol
from headwise.evaluation.statistics.columns import DEFAULT_AGGREGATIONS, LENGTH, RANDOM
from headwise.evaluation.statistics.setup import Resampling, Setup

MONTE_CARLO = "monte-carlo"

FileColumn = tuple[str, str | None]
"""A file and the name of a column in it; ``None`` for the only one that holds numbers."""

_OWN_NAMES = frozenset({*(signal.value for signal in Signal), LENGTH, RANDOM, MONTE_CARLO})
_OF_TEXTS = (EvaluationProtocol.CORRELATION, EvaluationProtocol.BINARY)
_OF_MARKS = (EvaluationProtocol.ERROR_DETECTION, EvaluationProtocol.SPANS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to evaluate, and how.

    Attributes:
        source: Where the texts come from.
        protocol: What to ask; by default what the gold suggests.
        gold: Column of the texts' rows that holds the gold; ``error-free``, if there is no such
            column, for whether people marked nothing and gave an ``esa`` of 85 or more.
        gold_file: File that holds the gold, one number a row.
        below: Gold that the worse outputs are below, which references are compared with.
        reference_columns: Columns that hold references of a row's source; by default those called
            like references.
        rank_references: Whether translations by people are ranked as systems.
        by: Column whose values slice the texts, or ``length``.
        lower_is_better: Names of the gold column or of other scores that are to be turned round,
            and then have a minus before their names; a gold from a file without a name for its
            column is called ``gold``.
        group: Column that says which texts belong together; the source by default.
        system: Column that says who wrote a text; by default ``system``, if there is one.
        scores: Other systems' scores from files, by the systems' names.
        columns: Columns of the texts' rows that hold other systems' scores.
        signals: What to compute, or to look at in scored texts; by default all that there is, but
            nothing where rows bring a ``score`` of somebody else, or no texts. ``()`` for none.
        aggregations: How token values become one.
        units: What is right or wrong; by default what the gold marks.
        threshold: Decisions flag what has a lower confidence, in [0, 1]; by default each signal has
            the threshold that is best on other texts.
        monte_carlo: How many hypotheses to sample a source; 0 for none.
        families: Errors to put into correct texts: ``crude``, ``plausible`` and ``independent``,
            which no head was trained with; empty to use the gold that there is.
        corpus: Pairs whose words are put in by crude and independent errors.
        language: Language code of the texts; with one, crude errors change negations, too.
        model: Name of the model, for a reader.
        head: Name of its head, for a reader, if it is not the model's own.
        resampling: How intervals and tests are made.

    Raises:
        ValueError: If two things are asked that do not go together, or one without what it needs.
    """

    source: Source
    protocol: EvaluationProtocol | None = None
    gold: str | None = None
    gold_file: FileColumn | None = None
    below: float | None = None
    reference_columns: tuple[str, ...] = ()
    rank_references: bool = False
    by: str | None = None
    lower_is_better: tuple[str, ...] = ()
    group: str | None = None
    system: str | None = None
    scores: Mapping[str, FileColumn] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    signals: tuple[Signal, ...] | None = None
    aggregations: tuple[Aggregation, ...] = DEFAULT_AGGREGATIONS
    units: tuple[Unit, ...] = ()
    threshold: float | None = None
    monte_carlo: int = 0
    families: tuple[str, ...] = ()
    corpus: str | None = None
    language: str | None = None
    resampling: Resampling = Resampling()
    model: str = ""
    head: str | None = None

    def __post_init__(self) -> None:
        for found in (
            *self._wrong_names(),
            *self._wrong_beside_errors(),
            *self._wrong_for_protocol(),
        ):
            raise ValueError(found)

    @property
    def puts_errors(self) -> bool:
        """Whether errors are put into correct texts, and are the gold."""
        return bool(self.families) or self.protocol is EvaluationProtocol.AMBIGUITY

    def setup(
        self,
        *,
        gold_name: str,
        settings: Mapping[str, str | int | float | bool],
        notes: Sequence[str],
    ) -> Setup:
        """How to run the protocol.

        Args:
            gold_name: What tables call the gold.
            settings: What the report says about the run.
            notes: What a reader has to know.
        """
        return Setup(
            gold_name=gold_name,
            units=self.units,
            aggregations=self.aggregations,
            resampling=self.resampling,
            main=self.signals[0] if self.signals else None,
            threshold=self.threshold,
            below=self.below,
            rank_references=self.rank_references,
            by=self.by,
            settings=settings,
            notes=tuple(notes),
        )

    def _wrong_names(self) -> Iterator[str]:
        if self.gold is not None and self.gold_file is not None:
            yield "The gold is a column or a file, not both."
        if unknown := [name for name in self.families if name not in ERROR_SETS]:
            yield f"Errors must be {', '.join(ERROR_SETS)}, got {unknown[0]!r}."
        names = [*self.scores, *self.columns]
        for name in names:
            if name.removeprefix("-") in _OWN_NAMES:
                yield f"`{name}` is the name of a signal of ours; give the other scores another."
            if names.count(name) > 1:
                yield f"Two other scores are called `{name}`; give one of them another name."

    def _wrong_beside_errors(self) -> Iterator[str]:
        if not self.puts_errors:
            for name, value in {"corpus": self.corpus, "negation": self.language}.items():
                if value is not None:
                    yield f"`{name}` is for errors that are put into texts, and none are."
            return
        beside = {
            "gold": self.gold or self.gold_file,
            "lower_is_better": self.lower_is_better,
            "group": self.group,
            "system": self.system,
            "by": self.by,
            "scores": self.scores,
            "column": self.columns,
            "monte_carlo": self.monte_carlo,
            "tags": self.source.tags,
        }
        for name, given in beside.items():
            if given:
                yield (
                    f"`{name}` does not go with errors that are put into texts: these errors are "
                    "the gold, and nobody else has scored them."
                )

    def _wrong_for_protocol(self) -> Iterator[str]:
        if self.threshold is not None and self.protocol in _OF_TEXTS:
            yield (
                f"`threshold` is about words and tokens, and `{self.protocol}` judges whole texts; "
                "leave it out."
            )
        has_gold = self.gold is not None or self.gold_file is not None
        if self.protocol is EvaluationProtocol.REFERENCES:
            if self.below is None or not has_gold:
                yield (
                    "`references` needs the gold of the outputs, and the gold that the worse ones "
                    "are below, such as --gold z_mean --below -0.5."
                )
            for name, given in {
                "by": self.by,
                "units": self.units,
                "threshold": self.threshold is not None,
                "synthetic": self.families,
            }.items():
                if given:
                    yield f"`{name}` does not go with `references`."
        elif self.below is not None or self.reference_columns:
            which = "reference_column" if self.below is None else "below"
            yield f"`{which}` is for the protocol `references`; name that, or leave it out."
        if self.rank_references and self.protocol not in (None, EvaluationProtocol.CORRELATION):
            yield "`rank_references` is for systems, which `correlation` ranks; leave it out."
        if self.protocol in _OF_TEXTS:
            if self.families:
                yield f"Errors that are put into texts do not go with `{self.protocol}`."
            elif not has_gold:
                yield f"`{self.protocol}` needs the gold of each text: a column, or a file."
        if self.protocol in _OF_MARKS and has_gold:
            yield (
                f"`{self.protocol}` needs errors that are marked in the texts, not a gold number "
                "of each text; leave out the gold, or take `correlation` or `binary`."
            )
        if self.units and self.protocol in (*_OF_TEXTS, EvaluationProtocol.AMBIGUITY):
            yield f"`units` does not go with `{self.protocol}`."
        if self.protocol is EvaluationProtocol.SPANS and (
            len(self.units) > 1 or Unit.GAP in self.units
        ):
            yield f"`spans` needs one unit, token or word, got {', '.join(self.units)}."
