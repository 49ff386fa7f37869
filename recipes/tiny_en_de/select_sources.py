"""Keep the rows of one half of the sources: data to calibrate on, and data to check with."""

import argparse
import gzip
from hashlib import sha256
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("input", type=Path, help="gzip-compressed TSV, the source first")
parser.add_argument("output", type=Path, help="TSV to write")
parser.add_argument(
    "--half", choices=["even", "odd"], required=True, help="first byte of the source's SHA-256"
)
arguments = parser.parse_args()

wanted = ["even", "odd"].index(arguments.half)
with (
    gzip.open(arguments.input, "rt", encoding="utf-8", newline="\n") as rows,
    arguments.output.open("w", encoding="utf-8", newline="\n") as kept,
):
    for row in rows:
        if sha256(row.split("\t")[0].encode()).digest()[0] % 2 == wanted:
            kept.write(row)
