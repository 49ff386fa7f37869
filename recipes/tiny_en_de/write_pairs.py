"""Write the training pairs that stand in no dev file to one TSV file."""

import argparse
import logging
from pathlib import Path

from corpus import read_pairs, without_sources_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, nargs="+", required=True)
    parser.add_argument("--dev", type=Path, nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    pairs = without_sources_of(read_pairs(arguments.train), read_pairs(arguments.dev))
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text("".join(f"{a}\t{b}\n" for a, b in pairs), "utf-8")


if __name__ == "__main__":
    main()
