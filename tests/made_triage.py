"""Scored segments made by hand, whose share of errors is known at every score."""

import json
from pathlib import Path
from typing import Any

import numpy as np


def made_rows(count: int, *, seed: int, **columns: Any) -> list[dict[str, Any]]:
    """Segments with a score u, of which ``1 - u`` have an error, every third a minor one."""
    random = np.random.default_rng(seed)
    scores = random.random(count) ** 0.35
    wrong = random.random(count) > scores
    return [
        {
            **columns,
            "source": f"Source {seed}.{number}.",
            "hypothesis": "Ein Satz.",
            "score": score,
            "signals": {"quality": score, "entropy": (1 - score) ** 2},
            "annotations": [_mark("minor" if number % 3 == 0 else "major")] if bad else [],
            "text_quality": score,
            "flagged": False,
            "to_check": [],
            "threshold": 0.5,
            "segment_threshold": None,
        }
        for number, (score, bad) in enumerate(zip(scores.tolist(), wrong.tolist(), strict=True))
    ]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def _mark(severity: str) -> dict[str, Any]:
    return {"start": 0, "end": 3, "severity": severity}
