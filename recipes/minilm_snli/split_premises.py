"""Hold out the pairs of some premises: data that choose the heads and their threshold."""

import argparse
import gzip
from hashlib import sha256
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("input", type=Path, help="gzip-compressed TSV with a header, premise first")
parser.add_argument("rest", type=Path, help="TSV to write: what is left to train on")
parser.add_argument("held_out", type=Path, help="TSV to write: what is held out")
parser.add_argument("--share", type=float, default=0.1, help="of the premises to hold out")
arguments = parser.parse_args()

with (
    gzip.open(arguments.input, "rt", encoding="utf-8", newline="\n") as rows,
    arguments.rest.open("w", encoding="utf-8", newline="\n") as rest,
    arguments.held_out.open("w", encoding="utf-8", newline="\n") as held_out,
):
    header = next(rows)
    rest.write(header)
    held_out.write(header)
    for row in rows:
        place = int.from_bytes(sha256(row.split("\t")[0].encode()).digest()[:4]) / 2**32
        (held_out if place < arguments.share else rest).write(row)
