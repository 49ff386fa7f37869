"""Rows of checked claims, made by hand."""

from typing import Any

import pytest

SOURCE = "🎸 A man plays.\nThe hall is <b>empty</b>. Two dogs run."


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    """Of one source: from two passages, contradicted twice by one of them, and undecided."""
    return [
        row(1, "He & they move.", "supported", 0.9, [("A man plays.", "Two dogs run.")], True),
        row(2, "The dogs sleep.", "contradicted", 0.8, [("Two dogs run.",)], True),
        row(4, "Dogs lie.", "contradicted", 0.7, [("Two dogs run.",), ("A man plays.",)], True),
        row(5, "It is late.", "uncertain", 0.6, [("The hall is <b>empty</b>.",)], False),
    ]


def row(
    line: int,
    claim: str,
    verdict: str,
    confidence: float,
    premises: list[tuple[str, ...]],
    decides: bool,
) -> dict[str, Any]:
    """A row as the job writes it; its first premise decides, if any does."""
    evidence = []
    for place, texts in enumerate(premises):
        starts = [SOURCE.index(text) for text in texts]
        evidence.append(
            {
                "passages": [
                    {"start": start, "end": start + len(text)}
                    for start, text in zip(starts, texts, strict=True)
                ],
                "similarity": -0.5,
                "label": "entailment" if verdict == "supported" else "contradiction",
                "confidence": confidence,
                "abstain": not decides,
                "decides": decides and place == 0,
            }
        )
    found = {"claim": claim, "verdict": verdict, "confidence": confidence, "evidence": evidence}
    return {"source": SOURCE, "line": line, **found}
