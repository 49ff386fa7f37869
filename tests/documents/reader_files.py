"""The files that a reader of the pages would have, made of what comes with headwise."""

import json
from pathlib import Path
from typing import Any

from made_pair_tables import write_pairs
from made_triage import made_rows

from headwise.bundled.examples import example_pairs
from headwise.corruption import CorruptionMix, corrupt


def write_reader_files(folder: Path) -> None:
    """Files of pairs, marked and scored texts, texts with labels, and a document of translators."""
    for name, text in _texts().items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "my-head").mkdir()
    (folder / "pairs").mkdir()
    for name in ("a", "b"):
        write_pairs(folder / "pairs" / f"{name}.parquet", 20)
    write_pairs(folder / "pairs.parquet", 6)


def _texts() -> dict[str, str]:
    pairs = example_pairs()
    # Few, as pages train on them
    table = "".join(f"{pair.source}\t{pair.hypothesis}\n" for pair in pairs[:6])
    marked = [
        {
            "source": copy.pair.source,
            "hypothesis": copy.pair.hypothesis,
            "annotations": [{"start": e.start, "end": e.end} for e in copy.pair.errors or ()],
        }
        for copy in corrupt(pairs, mix=CorruptionMix.default("de"), seed=0)
    ]
    right = [{"source": p.source, "hypothesis": p.hypothesis, "annotations": []} for p in pairs]
    labelled = [
        "A man is playing guitar.\tA man plays an instrument.\tentailment",
        "A man is playing guitar.\tA man is asleep.\tcontradiction",
        "Two dogs run on the beach.\tAnimals are outside.\tentailment",
        "Two dogs run on the beach.\tThe dogs sleep at home.\tcontradiction",
    ]
    return {
        **dict.fromkeys(("train.tsv", "dev.tsv", "references.tsv", "pairs.tsv"), table),
        "marked.jsonl": _lines(marked + right),
        "labelled-scored.jsonl": _lines(made_rows(300, seed=0)),
        "new.jsonl": _lines(made_rows(300, seed=1)),
        "labelled.tsv": "premise\thypothesis\tlabel\n" + "\n".join(labelled * 10) + "\n",
    }


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)
