"""The files that a reader of the pages would have, made of what comes with headwise."""

import json
from pathlib import Path
from typing import Any

from made_pair_tables import write_pairs
from made_triage import made_rows

from headwise.bundled.examples import example_pairs
from headwise.corruption import CorruptionMix, corrupt
from headwise.data.records.pairs import Pair

_REPORT = (
    "A man in a blue shirt plays guitar on a stage. Behind him, a woman sings. The audience is "
    "seated. It is night.\n"
)
_WRONG = (2, 4, 6, 10, 11)
_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2" version="1.2">
  <file original="trip.txt" source-language="en" target-language="de" datatype="plaintext">
    <body>
      <trans-unit id="1">
        <source>A dog runs along the <g id="1">beach</g>.</source>
        <target state="translated">Ein Hund läuft am <g id="1">Bahnhof</g> entlang.</target>
      </trans-unit>
      <trans-unit id="2">
        <source>A dog runs along the beach.</source>
        <target state="translated">Ein Hund läuft am Strand entlang.</target>
      </trans-unit>
      <trans-unit id="3" translate="no">
        <source>headwise</source>
        <target>headwise</target>
      </trans-unit>
      <trans-unit id="4">
        <source>Two dogs play.</source>
      </trans-unit>
    </body>
  </file>
</xliff>
"""


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
    right = [pair for number, pair in enumerate(pairs, start=1) if number not in _WRONG]
    # Few, as pages train on them
    table = _table(pairs[:6])
    marked = [
        {
            "source": copy.pair.source,
            "hypothesis": copy.pair.hypothesis,
            "annotations": [{"start": e.start, "end": e.end} for e in copy.pair.errors or ()],
        }
        for copy in corrupt(pairs, mix=CorruptionMix.default("de"), seed=0)
    ]
    clean = [{"source": p.source, "hypothesis": p.hypothesis, "annotations": []} for p in pairs]
    return {
        **dict.fromkeys(("train.tsv", "dev.tsv", "references.tsv"), table),
        "right_pairs.tsv": _table(right * 3),
        "pairs.tsv": "source\thypothesis\thuman\tfrom\tto\n"
        + "".join(
            f"{pair.source}\t{pair.hypothesis}\t{0.1 if number in _WRONG else 0.9}\ten\tde\n"
            for number, pair in enumerate(pairs, start=1)
        ),
        "job.xlf": _DOCUMENT,
        "marked.jsonl": _lines(marked + clean),
        "labelled-scored.jsonl": _lines(made_rows(300, seed=0)),
        "new.jsonl": _lines(made_rows(300, seed=1)),
        "labelled.tsv": "premise\thypothesis\tlabel\n" + "\n".join(_LABELLED * 10) + "\n",
        "report.txt": _REPORT,
        "answer.txt": "A man plays guitar. Seven women sing.\n",
        "claims.tsv": "id\tclaim\n1\tA man makes music.\n2\tThe audience is dancing.\n",
        "documents.txt": "A dog runs on the beach.\nTwo men play chess.\nA girl plays the violin.\n",
    }


_LABELLED = [
    "A man is playing guitar.\tA man plays an instrument.\tentailment",
    "A man is playing guitar.\tA man is asleep.\tcontradiction",
    "Two dogs run on the beach.\tAnimals are outside.\tentailment",
    "Two dogs run on the beach.\tThe dogs sleep at home.\tcontradiction",
]


def _table(pairs: list[Pair]) -> str:
    return "".join(f"{pair.source}\t{pair.hypothesis}\n" for pair in pairs)


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)
