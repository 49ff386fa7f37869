"""Scored rows of token level made by hand, with errors that people marked."""

import json
from pathlib import Path
from typing import Any

import numpy as np


def token_row(
    words: list[str], values: list[float], *, marks: Any = None, **columns: Any
) -> dict[str, Any]:
    """A row of token level; each word is a token."""
    tokens, start = [], 0
    for number, (word, value) in enumerate(zip(words, values, strict=True)):
        place = {"text": word, "start": start, "end": start + len(word)}
        tokens.append({**place, "id": number, "special": False, "quality": value})
        start += len(word) + 1
    return {
        **columns,
        "source": columns.get("source", "A source."),
        "hypothesis": " ".join(words),
        "score": float(np.mean(values)),
        "signals": {"quality": float(np.mean(values))},
        **({} if marks is None else {"annotations": marks}),
        "text_quality": 0.25,
        "flagged": False,
        "to_check": [],
        "threshold": 0.5,
        "segment_threshold": None,
        "tokens": tokens,
    }


def marked_rows(count: int, *, seed: int) -> list[dict[str, Any]]:
    """Words of which those below 0.2 are major errors and those below 0.6 minor ones."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        values = random.random(6).round(4).tolist()
        marks = [
            {"start": 3 * place, "end": 3 * place + 2, "severity": "major" if v < 0.2 else "minor"}
            for place, v in enumerate(values)
            if v < 0.6
        ]
        rows.append(token_row(["ab"] * 6, values, marks=marks, source=f"Source {number}"))
    return rows


def write_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
