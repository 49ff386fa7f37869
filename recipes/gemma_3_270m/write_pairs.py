"""Write text of several languages in both directions to TSV files that `headwise train` reads."""

import argparse
from pathlib import Path

import texts

from headwise.data.records.pairs import Pair

COLUMNS = ("source", "hypothesis", "source_language", "target_language")


def write(pairs: list[Pair], path: Path) -> None:
    rows = [COLUMNS]
    for pair in pairs:
        languages = (str(pair.extra[name]) for name in COLUMNS[2:])
        rows.append((str(pair.source), pair.hypothesis, *languages))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8", newline="\n")
    print(f"{path}: {len(pairs)} pairs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder of both files")
    parser.add_argument(
        "--languages",
        nargs="+",
        default=["en-de"],
        help="of Wikipedia: " + ", ".join(texts.POST_EDITED),
    )
    parser.add_argument("--each", type=int, required=True, help="of Wikipedia, each direction")
    parser.add_argument("--short", type=int, required=True, help="of Tatoeba, each direction")
    parser.add_argument("--train", type=int, help="of all of these, drawn at random")
    parser.add_argument("--dev", type=int, default=200)
    parser.add_argument("--calibrate", type=int, default=0, help="after those of dev")
    arguments = parser.parse_args()
    train, dev = texts.mixture(
        arguments.data,
        languages=tuple(arguments.languages),
        each=arguments.each,
        short=arguments.short,
    )
    write(train[: arguments.train], arguments.output / "train.tsv")
    write(dev[: arguments.dev], arguments.output / "dev.tsv")
    if arguments.calibrate:
        rest = dev[arguments.dev :][: arguments.calibrate]
        write(rest, arguments.output / "calibrate.tsv")


if __name__ == "__main__":
    main()
