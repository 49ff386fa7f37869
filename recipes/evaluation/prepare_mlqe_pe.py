"""One part of MLQE-PE as JSON Lines: texts, assessments, and word tags on the raw translation."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from headwise.data.readers import read_mlqe_pe
from headwise.data.records.pairs import Pair, Reject
from headwise.data.writers import json_line, pair_row
from headwise.files import atomic_path

# The tags of the test part came a year later, and so did their file's name
TAGS = {"train": "train.tags.gz", "dev": "dev.tags.gz", "test": "test20.tags.gz"}


def moses_words(translations: list[str]) -> list[str]:
    """Cut translations into words by spaces, as the annotators' tool did."""
    from sacremoses import MosesTokenizer

    tokenizer = MosesTokenizer("de")
    return [" ".join(tokenizer.tokenize(text, escape=False)) for text in translations]


@contextmanager
def tokenised(folder: Path, part: str) -> Iterator[Path]:
    """The file of tokenised translations; made here for the part that has none."""
    known = folder / f"{part}.mt.gz"
    if known.exists():
        yield known
        return
    pairs = list(read_mlqe_pe(da=folder / f"{part}.da.tsv.gz"))
    lines = moses_words([pair.hypothesis if isinstance(pair, Pair) else "" for pair in pairs])
    with TemporaryDirectory() as temporary:
        path = Path(temporary) / f"{part}.mt"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
        yield path


def main() -> None:
    """Write the rows, and say how many have no tags, and why."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of one language pair")
    parser.add_argument("--part", choices=list(TAGS), required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument(
        "--only-tagged",
        action="store_true",
        help="leave out rows whose tags do not fit; otherwise they are written without tags",
    )
    arguments = parser.parse_args()
    assessments = arguments.data / f"{arguments.part}.da.tsv.gz"
    hter = arguments.data / f"{arguments.part}.hter.gz"
    with tokenised(arguments.data, arguments.part) as words:
        rows = list(
            read_mlqe_pe(
                da=assessments,
                tokenised=words,
                tags=arguments.data / TAGS[arguments.part],
                hter=hter if hter.exists() else None,
            )
        )
    plain = list(read_mlqe_pe(da=assessments, hter=hter if hter.exists() else None))
    untagged = [row for row in rows if isinstance(row, Reject)]
    if not arguments.only_tagged:
        rows = [plain[i] if isinstance(row, Reject) else row for i, row in enumerate(rows)]
    pairs = [row for row in rows if isinstance(row, Pair)]
    with atomic_path(arguments.output) as temporary, temporary.open("wb") as output:
        for pair in pairs:
            output.write(json_line(pair_row(replace(pair, extra={**pair.extra, "row": pair.line}))))
    tags = [pair.tags for pair in pairs if pair.tags is not None]
    bad, words_in_all = sum(sum(t.bad) for t in tags), sum(len(t.bad) for t in tags)
    print(f"{len(pairs)} rows, {len(tags)} with tags: {words_in_all} words, {bad} of them BAD")
    print(f"{len(untagged)} rows whose tags do not fit the translation:")
    for reject in untagged:
        print(f"  row {reject.line}: {reject.reason}")


if __name__ == "__main__":
    main()
