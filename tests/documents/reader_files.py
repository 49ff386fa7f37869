"""The files that a reader of the pages would have, made of what comes with headwise."""

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from made_pair_tables import write_pairs
from made_triage import made_rows

from headwise.bundled.examples import example_pairs
from headwise.corruption import CorruptionMix, corrupt
from headwise.data.records.pairs import Pair

_REPORT = (
    "A man in a blue shirt plays guitar on a stage. Behind him, a woman sings. The audience is "
    "seated. It is night.\n"
)
_ANSWER = "A man plays guitar. Seven women sing.\n"
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
    _leave_out(folder / "pairs" / "b.parquet", row=4)
    write_pairs(folder / "pairs.parquet", 6)


def _leave_out(path: Path, *, row: int) -> None:
    """Take a hypothesis away."""
    table = pyarrow.parquet.read_table(path)
    column = table["hypothesis"].to_pylist()
    column[row] = ""
    place = table.column_names.index("hypothesis")
    changed = table.set_column(place, "hypothesis", pyarrow.array(column))
    pyarrow.parquet.write_table(changed, path)


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
    judged = [
        {
            "source": pair.source,
            "hypothesis": pair.hypothesis,
            "z_mean": (-1.0 if number in _WRONG else 0.7) + number / 100,
            "esa": (40 if number in _WRONG else 90) + number,
            "system": ("one", "two")[number % 2],
            "domain": ("news", "literary")[number > 6],
        }
        for number, pair in enumerate(pairs, start=1)
    ]
    clean = [{"source": p.source, "hypothesis": p.hypothesis, "annotations": []} for p in pairs]
    return {
        **dict.fromkeys(("train.tsv", "dev.tsv", "references.tsv"), table),
        "right_pairs.tsv": _table(right * 3),
        "pairs.tsv": "source\thypothesis\tz_mean\tfrom\tto\n"
        + "".join(
            f"{row['source']}\t{row['hypothesis']}\t{row['z_mean']}\ten\tde\n" for row in judged
        ),
        "esa.jsonl": _lines(judged),
        "scores.csv": "human,comet\n"
        + "".join(f"{row['esa']},{0.6 + row['z_mean'] / 10:.2f}\n" for row in judged),
        "answers.jsonl": _lines([{"context": _REPORT, "answer": _ANSWER}]),
        "job.xlf": _DOCUMENT,
        "marked.jsonl": _lines(marked + clean),
        "labelled-scored.jsonl": _lines(made_rows(300, seed=0)),
        "new.jsonl": _lines(made_rows(300, seed=1)),
        "labelled.tsv": _HEADER + "\n".join(_LABELLED * 10) + "\n",
        "labelled-dev.tsv": _HEADER + "\n".join(_LABELLED_DEV * 10) + "\n",
        "report.txt": _REPORT,
        "answer.txt": _ANSWER,
        "claims.tsv": "id\tclaim\n1\tA man makes music.\n2\tThe audience is dancing.\n",
        "documents.txt": "A dog runs on the beach.\nTwo men play chess.\n"
        "A girl plays the violin.\n",
    }


_HEADER = "premise\thypothesis\tlabel\n"
_LABELLED = [
    "A man is playing guitar.\tA man plays an instrument.\tentailment",
    "A man is playing guitar.\tA man is asleep.\tcontradiction",
    "Two dogs run on the beach.\tAnimals are outside.\tentailment",
    "Two dogs run on the beach.\tThe dogs sleep at home.\tcontradiction",
    "Two dogs run on the beach.\tThe dogs are young.\tneutral",
    "A girl plays the violin.\tA girl makes music.\tentailment",
    "A cook cuts onions.\tSomebody prepares food.\tentailment",
    "The children sit in a bus.\tThe children are at home.\tcontradiction",
]

_LABELLED_DEV = [
    "A woman reads a book.\tA woman is reading.\tentailment",
    "A woman reads a book.\tA woman is swimming.\tcontradiction",
    "Three boys kick a ball.\tThe boys are brothers.\tneutral",
    "Three boys kick a ball.\tBoys play with a ball.\tentailment",
]


def _table(pairs: list[Pair]) -> str:
    return "".join(f"{pair.source}\t{pair.hypothesis}\n" for pair in pairs)


def _lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)
