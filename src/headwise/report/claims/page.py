"""A report of checked claims as one HTML file that works offline, without scripts and on paper.

Every source stands beside its claims, with the passages that decide marked and numbered by claim.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from headwise.entailment import Verdict
from headwise.files import atomic_path, naming_output
from headwise.report.page import PageFolder
from headwise.report.text import number

_PAGE = PageFolder("headwise.report.claims", "template")
_SIDES = {Verdict.SUPPORTED.value: "backs", Verdict.CONTRADICTED.value: "denies"}
# Numbers of claims behind a passage; the others are counted
_NUMBERS = 3

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Mark:
    """A passage, and which claim it decides; ``None`` if it was only asked about."""

    start: int
    end: int
    claim: int | None
    side: str


def write_claims_report(
    rows: Iterable[Row],
    path: str | os.PathLike[str],
    *,
    source: str | None = None,
    title: str = "What the source says",
    model: str = "",
    details: Mapping[str, str] | None = None,
) -> None:
    """Write a self-contained HTML report of checked claims.

    Args:
        rows: Of checked claims, as ``headwise check`` writes them, each with its ``line``.
        path: The file to write. It appears, or is replaced, only when it is complete.
        source: The source of all claims; by default each row has its own.
        title: Heading of the report.
        model: Name of the model that checked, shown under the title.
        details: What else to say of the run, such as its input, its command, its date.

    Raises:
        OutputError: If nothing can be written.
    """
    path = Path(path)
    by_source: dict[str, list[tuple[int, Row]]] = {}
    counts = dict.fromkeys([verdict.value for verdict in Verdict], 0)
    for place, row in enumerate(rows, start=1):
        text = row["source"] if source is None else source
        by_source.setdefault(text, []).append((place, row))
        counts[row["verdict"]] += 1
    page = _PAGE.template("page.html").render(
        title=title,
        model=model,
        details=details or {},
        total=sum(counts.values()),
        counts=[(name, _words(name), count) for name, count in counts.items()],
        groups=[
            _group_view(place, text, claims)
            for place, (text, claims) in enumerate(by_source.items(), start=1)
        ],
        **_PAGE.head(styles=("summary.css", "report.css"), scripts=("claims.js",)),
    )
    with naming_output(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            temporary.write_text(page, encoding="utf-8")


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _group_view(place: int, source: str, claims: Sequence[tuple[int, Row]]) -> dict[str, Any]:
    """What the page shows of a source and of the claims about it."""
    marks = [
        # Of premises that decide, the first needs the fewest passages
        _Mark(
            part["start"],
            part["end"],
            claim if one["decides"] and one is row["evidence"][0] else None,
            _SIDES.get(row["verdict"], ""),
        )
        for claim, row in claims
        for one in row["evidence"]
        for part in one["passages"]
    ]
    return {
        "number": place,
        "pieces": _pieces(source, marks),
        "claims": [_claim_view(claim, row, source) for claim, row in claims],
    }


def _claim_view(claim: int, row: Row, source: str) -> dict[str, Any]:
    first, *others = [
        {
            "passages": [
                (part["start"], part["end"], source[part["start"] : part["end"]])
                for part in one["passages"]
            ],
            "label": one["label"],
            "confidence": number(one["confidence"], 2),
            "abstain": one["abstain"],
            "similarity": number(one["similarity"], 2),
        }
        for one in row["evidence"]
    ]
    return {
        "number": claim,
        "line": row["line"],
        "text": row["claim"],
        "verdict": row["verdict"],
        "words": _words(row["verdict"]),
        "level": row["confidence"],
        "confidence": number(row["confidence"], 2),
        "first": first,
        "others": others,
    }


def _pieces(source: str, marks: Sequence[_Mark]) -> list[dict[str, Any]]:
    """The source cut where passages begin and end."""
    edges = sorted({0, len(source), *(place for one in marks for place in (one.start, one.end))})
    starts = {one.start for one in marks}
    opening: dict[int, list[_Mark]] = {}
    for one in marks:
        if one.claim is not None:
            opening.setdefault(one.start, []).append(one)
    found: list[dict[str, Any]] = []
    over: list[_Mark] = []
    for start, end in pairwise(edges):
        over = [one for one in over if one.end > start] + opening.get(start, [])
        ending = [(one.claim, one.side) for one in over if one.end == end]
        found.append(
            {
                "text": source[start:end],
                "start": start if start in starts else None,
                "side": " ".join(sorted({one.side for one in over})),
                "claims": " ".join(str(one.claim) for one in over),
                "numbers": ending[:_NUMBERS],
                "more": max(len(ending) - _NUMBERS, 0),
            }
        )
    return found
