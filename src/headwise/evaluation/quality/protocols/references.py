"""Do people's references of a source score alike, and its worse outputs below all of them?

The claim of the ambiguity protocol in people's text: real alternatives in the place of collected
ones, and outputs that people scored low in the place of errors that are put in.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headwise.evaluation.quality.disagreements import rank_disagreements
from headwise.evaluation.quality.judged_texts import JudgedText, group_numbers, source_numbers
from headwise.evaluation.quality.protocols.correlation import columns_of
from headwise.evaluation.quality.protocols.spread import (
    WorseTexts,
    random_range,
    range_of_references,
    spread_per_fall,
)
from headwise.evaluation.quality.reference_rows import is_reference
from headwise.evaluation.statistics.columns import SignalColumn, shares_below
from headwise.evaluation.statistics.figures import histogram
from headwise.evaluation.statistics.measures import Measure
from headwise.evaluation.statistics.results import Evaluation
from headwise.evaluation.statistics.setup import Setup
from headwise.evaluation.statistics.tables import build_table
from headwise.metrics import Statistic, weighted_ratio


def references(texts: Sequence[JudgedText], setup: Setup) -> Evaluation:
    """Compare the scores of references and of outputs whose gold is below the setup's bound.

    References are the texts whose system is called like one; sources with fewer than two, and
    those without an output, are left out.

    Raises:
        ValueError: If there is no bound, no source has two references and an output, or no output
            is below the bound.
    """
    if setup.below is None:
        raise ValueError("Which outputs are worse ones? Say with --below which gold they have not.")
    chosen, sources, outputs = _with_two_references(texts)
    count, left_out = len(chosen), len(set(source_numbers(texts))) - len(set(sources.tolist()))
    bad = [(number, text) for number, text in outputs if (text.gold or 0.0) < setup.below]
    if not bad:
        lowest = min((text.gold or 0.0 for _, text in outputs))
        raise ValueError(
            f"No output has a gold ({setup.gold_name}) below {setup.below:g}, the lowest is "
            f"{lowest:g}; give a higher --below."
        )
    everything = (*chosen, *(text for _, text in bad))
    pairs = [
        (count + place, original)
        for place, (number, _) in enumerate(bad)
        for original in np.flatnonzero(sources == number)
    ]
    places, originals = np.array(pairs, dtype=np.int64).T
    worse = WorseTexts.of(places, originals, sources)
    columns = columns_of(everything, setup)
    sizes = np.bincount(sources)[[number for number, _ in bad]]
    first = np.unique(sources, return_index=True)[1]
    number_of_sources = len(first)
    table = build_table(
        columns,
        (
            spread_per_fall(
                "spread_per_worse_output",
                worse,
                sources,
                by_chance="The worse outputs do not score below the references by more than chance "
                "would explain.",
            ),
            _below_all(worse),
            _fall(worse),
            range_of_references(sources),
        ),
        groups=group_numbers(chosen)[first],
        resampling=setup.resampling,
        name="references",
        title="References of one source against its worse outputs",
        note=f"{count:,} references of {number_of_sources:,} sources; "
        f"{int(worse.has_any.sum()):,} of these have {len(bad):,} worse outputs "
        f"({setup.gold_name} below {setup.below:g}). Spread per worse output: how far the scores "
        "of two references are apart on average, divided by how far a worse output of the same "
        "source scores below a reference; below 1, a choice between two references moves the "
        "score less than a bad translation does. Below all: share of the worse outputs that score "
        f"below every reference of their source; {float((1 / (sizes + 1)).mean()):.0%} for random "
        "scores. Fall and range are in shares of all scored texts, whatever the signal's scale: "
        "from a reference down to a worse output, negative where outputs score better, and between "
        f"the references of a source (for random scores {random_range(sources):.3f}).",
    )
    is_bad = np.arange(len(everything)) >= count
    figure = histogram(columns, is_bad, of="texts")
    caption = "Right: references. Wrong: the worse outputs. "
    return Evaluation(
        protocol="references",
        title=f"References against outputs whose {setup.gold_name} is below {setup.below:g}",
        settings=setup.settings,
        tables=(table,),
        figures=(replace(figure, caption=caption + figure.caption),),
        disagreements=rank_disagreements(
            everything, setup.main_column(columns), (~is_bad).astype(np.float64)
        ),
        notes=(
            *setup.notes,
            *(
                [f"{left_out:,} sources were left out: they lack two references, or an output."]
                if left_out
                else []
            ),
        ),
    )


def _with_two_references(
    texts: Sequence[JudgedText],
) -> tuple[list[JudgedText], NDArray[np.int64], list[tuple[int, JudgedText]]]:
    """The R references with the numbers of their sources, ``(R,)``, and outputs with theirs."""
    of_sources: dict[int, tuple[list[JudgedText], list[JudgedText]]] = {}
    for number, text in zip(source_numbers(texts).tolist(), texts, strict=True):
        of_sources.setdefault(number, ([], []))[not is_reference(text.system)].append(text)
    if not any(of_source for of_source, _ in of_sources.values()):
        raise ValueError(
            "No text is a reference: name the columns that hold them with --reference-column, or "
            "give each text a row and the column that says who wrote it with --system; the names "
            "of references begin with `ref`, such as refA or reference_1."
        )
    kept = [both for both in of_sources.values() if len(both[0]) > 1 and both[1]]
    if not kept:
        raise ValueError(
            "No source has two references and an output; rows of one source must have the very "
            "same text as their source."
        )
    sizes = [len(of_source) for of_source, _ in kept]
    return (
        [text for of_source, _ in kept for text in of_source],
        np.repeat(np.arange(len(kept), dtype=np.int64), sizes),
        [(number, text) for number, (_, outputs) in enumerate(kept) for text in outputs],
    )


def _below_all(worse: WorseTexts) -> Measure:
    """Share of the worse outputs that score below every reference of their source."""

    def of(column: SignalColumn) -> Statistic:
        below = column.values[worse.places] < column.values[worse.originals]
        outputs, first = np.unique(worse.places, return_index=True)
        number = np.searchsorted(outputs, worse.places)
        all_below = np.bincount(number, weights=below) == np.bincount(number)
        size, sources = len(worse.counts), worse.sources[first]
        return Statistic(
            name="below_all",
            values=weighted_ratio(
                np.bincount(sources, weights=all_below, minlength=size),
                np.bincount(sources, minlength=size),
            ),
            count=size,
            counted=len(outputs),
        )

    return Measure(of=of)


def _fall(worse: WorseTexts) -> Measure:
    """Mean fall from a reference to a worse output, in shares of all texts."""

    def of(column: SignalColumn) -> Statistic:
        return Statistic(
            name="fall",
            values=weighted_ratio(worse.falls(shares_below(column.values)), worse.has_any),
            count=len(worse.counts),
            counted=int(worse.has_any.sum()),
        )

    return Measure(of=of)
