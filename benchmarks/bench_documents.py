"""What a document costs: reading XLIFF and writing it with scores, against scoring its segments.

A document of 100,000 segments (by default) is read as `headwise score` does, and copied with
results, without and with marked words. Scoring is measured on a sample of them, with the bundled
model on the very texts, and scaled to all. The bar is that reading and writing cost 5 % of scoring
at most.
"""

import argparse
import json
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

from comparison import device_line, load_pairs, seconds
from headwise import QualityEstimator
from headwise.data.documents import (
    DocumentFormat,
    DocumentOptions,
    Marking,
    Results,
    read_document,
    write_document,
)
from headwise.data.records.pairs import Pair
from headwise.data.writers import json_line, scored_row

MODEL = "tiny-en-de"
BAR = 0.05
OPTIONS = DocumentOptions()
KIND = DocumentFormat.XLIFF


def tagged(text: str) -> str:
    """A text with a pair of inline tags around its second word."""
    first, *rest = text.split(" ")
    return escape(first) + "".join(
        f' <g id="1">{escape(word)}</g>' if place == 0 else f" {escape(word)}"
        for place, word in enumerate(rest)
    )


def write_xliff(path: Path, pairs: list[tuple[str, str]], count: int) -> None:
    """The pairs over and over, as units of XLIFF 1.2."""
    units = [
        f"<source>{tagged(source)}</source>\n    <target>{tagged(hypothesis)}</target>\n"
        for source, hypothesis in pairs
    ]
    with path.open("w", encoding="utf-8") as stream:
        stream.write(
            '<?xml version="1.0" encoding="UTF-8"?>\n<xliff version="1.2" '
            'xmlns="urn:oasis:names:tc:xliff:document:1.2">\n <file original="a" '
            'datatype="plaintext" source-language="en" target-language="de"><body>\n'
        )
        for number in range(count):
            unit = units[number % len(units)]
            stream.write(f'   <trans-unit id="{number}">\n    {unit}   </trans-unit>\n')
        stream.write(" </body></file>\n</xliff>\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, help="TSV of pairs; by default bundled examples")
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--scored", type=int, default=3_000, help="segments that are scored")
    arguments = parser.parse_args()
    pairs = load_pairs(arguments.pairs, min(1_000, arguments.scored))
    estimator = QualityEstimator.from_pretrained(MODEL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        document, lines = folder / "a.xlf", folder / "lines.jsonl"
        write_xliff(document, pairs, arguments.segments)
        sample = [row for row in read_document(document, KIND, OPTIONS) if isinstance(row, Pair)]
        sample = sample[: arguments.scored]
        list(estimator.score_many(sample[:100]))  # warm-up
        scored: list[bytes] = []

        def score() -> None:
            scored.extend(
                json_line(scored_row(one, "sentence"))
                for one in estimator.score_many(sample, errors="raise")
            )

        scoring = seconds(score) * arguments.segments / len(sample)
        with lines.open("wb") as stream:
            for number in range(arguments.segments):
                stream.write(scored[number % len(pairs)])
        reading = seconds(lambda: sum(1 for _ in read_document(document, KIND, OPTIONS)))

        def write(*, spans: bool) -> None:
            write_document(
                document,
                KIND,
                folder / "scored.xlf",
                Results(lines, folder / "none"),
                options=OPTIONS,
                marking=Marking(engine=MODEL, spans=spans),
            )

        writing, marking = (seconds(lambda s=spans: write(spans=s)) for spans in (False, True))
        checked = sum("to_check" in json.loads(line) for line in scored)
        size = document.stat().st_size / 2**20
    assert checked == len(scored)
    share = (reading + writing) / scoring
    print(device_line())
    print(
        f"XLIFF of {arguments.segments:,} segments ({size:.0f} MiB): read {reading:.1f} s, written "
        f"with scores {writing:.1f} s; scored {scoring:.0f} s (from {len(sample):,} of them): "
        f"ratio {share:.1%}, bar {BAR:.0%}"
    )
    print(
        f"With the words to check marked in the text: written {marking:.1f} s, ratio "
        f"{(reading + marking) / scoring:.1%}"
    )
    if share > BAR:
        raise SystemExit("The bar is not met.")


if __name__ == "__main__":
    main()
