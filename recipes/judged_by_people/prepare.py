"""Write every set that people judged as JSON Lines: texts, languages, judgements."""

import argparse
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from sacremoses import MosesTokenizer

from headwise.data.readers import read_mlqe_pe, read_pairs
from headwise.data.records.pairs import Pair
from headwise.data.writers import json_line, pair_row
from headwise.files import atomic_path

PAIRS = ("et-en", "ru-en", "en-zh", "en-de")
# Sources of each set with many systems; what scores them takes hours
SYSTEM_SOURCES = {"mqm-en-de": 25, "mqm-zh-en": 20, "esa-en-cs": 12}
DEV, LABELS, DEV_SOURCES = 250, 500, 6
# Of sources with two references, those whose system's output people scored below
WORSE, WORSE_SOURCES = -0.5, 150


def with_languages(pair: Pair, languages: str) -> Pair:
    source, target = languages.split("-")
    named = {"source_language": source, "target_language": target}
    return replace(pair, extra={**pair.extra, **named, "row": pair.line})


def assessed(
    data: Path, languages: str, part: str, *, tags: Path | None = None, work: Path
) -> list[Pair]:
    """A part of MLQE-PE, with word tags where they fit; tags and their words may be another's."""
    folder = data / f"mlqe-pe-{languages}"
    da = folder / f"{part}.da.tsv.gz"
    own = folder / (f"{part}.tags.gz" if part != "test" else "test20.tags.gz")
    words = folder / f"{part}.mt.gz" if tags is None else tags.with_name(f"{part}.mt.gz")
    if not words.exists():
        words = tokenised(da, languages.split("-")[1], work / f"{languages}-{part}.mt")
    plain = list(read_mlqe_pe(da=da))
    tagged = list(read_mlqe_pe(da=da, tokenised=words, tags=tags or own))
    found = []
    for bare, row in zip(plain, tagged, strict=True):
        pair = row if isinstance(row, Pair) else bare
        assert isinstance(pair, Pair)
        found.append(with_languages(pair, languages))
    return found


def tokenised(da: Path, language: str, path: Path) -> Path:
    """Translations cut into words as the annotators' tool did, where the corpus has none."""
    tokenise = partial(MosesTokenizer(language).tokenize, escape=False)
    pairs = [pair.hypothesis for pair in read_mlqe_pe(da=da) if isinstance(pair, Pair)]
    path.write_text("".join(f"{' '.join(tokenise(text))}\n" for text in pairs), encoding="utf-8")
    return path


def of_some_sources(pairs: list[Pair], count: int, *, skip: int = 0) -> list[Pair]:
    """All rows of sources that are drawn at random, the same ones whatever is drawn besides."""
    texts = Counter(str(pair.source) for pair in pairs)
    # Two texts of a source are two people's, where the systems were not judged
    sources = sorted(source for source, count in texts.items() if count > 2)
    random.Random(0).shuffle(sources)
    chosen = set(sources[skip : skip + count])
    return [pair for pair in pairs if pair.source in chosen]


def systems(path: Path, languages: str, count: int, *, skip: int = 0) -> list[Pair]:
    """Outputs of many systems for some sources."""
    rows = [with_languages(row, languages) for row in read_pairs(path) if isinstance(row, Pair)]
    return of_some_sources(rows, count, skip=skip)


def references(data: Path) -> list[Pair]:
    """Two people's translations of a source and a system's, which people found bad."""
    rows = read_pairs(data / "mlqe-pe-et-en" / "multireference.tsv.gz")
    worse = [r for r in rows if isinstance(r, Pair) and float(r.extra["z_mean"]) < WORSE]
    found = []
    for row in worse[:WORSE_SOURCES]:
        texts = {name: row.extra[name] for name in ("reference_1", "reference_2")}
        for system, text in {**texts, "mt": row.hypothesis}.items():
            gold = float(row.extra["z_mean"]) if system == "mt" else None
            pair = Pair(row.source, text, row.line, {"system": system, "z_mean": gold})
            found.append(with_languages(pair, "et-en"))
    return found


def first(read: Callable[[], list[Pair]], count: int | None) -> list[Pair]:
    return read()[:count]


def all_sets(data: Path, work: Path) -> Iterator[tuple[str, Callable[[], list[Pair]]]]:
    """Names of the sets, and what reads them."""
    for languages in PAIRS:
        dev = partial(assessed, data, languages, "dev", work=work)
        yield f"{languages}-dev", partial(first, dev, DEV)
        yield f"{languages}-test", partial(assessed, data, languages, "test", work=work)
    tags = {part: data / "hjqe-en-de" / f"{part}.tags.gz" for part in ("train", "dev", "test")}
    for part, path in tags.items():
        count = {"train": LABELS, "dev": LABELS, "test": None}[part]
        read = partial(assessed, data, "en-de", part, tags=path, work=work)
        yield f"hjqe-en-de-{part}", partial(first, read, count)
    for name, count in SYSTEM_SOURCES.items():
        kind, languages = name.split("-", 1)
        path = (
            data / f"wmt24-esa-{languages}" / "esa.jsonl.gz"
            if kind == "esa"
            else data / f"wmt-mqm-{languages}" / "newstest-2021.tsv.gz"
        )
        yield name, partial(systems, path, languages, count)
        if kind == "mqm":
            yield f"{name}-dev", partial(systems, path, languages, DEV_SOURCES, skip=count)
    yield "et-en-references", partial(references, data)


def main() -> None:
    """Write the sets, or some of them, and say what they hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder of the sets")
    parser.add_argument("names", nargs="*", help="sets to write; all by default")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, read in all_sets(arguments.data, arguments.output):
        if arguments.names and name not in arguments.names:
            continue
        pairs = read()
        with atomic_path(arguments.output / f"{name}.jsonl") as new, new.open("wb") as output:
            for pair in pairs:
                output.write(json_line(pair_row(pair)))
        marked = sum(pair.errors is not None for pair in pairs)
        sources = len({pair.source for pair in pairs})
        print(f"{name}: {len(pairs)} texts of {sources} sources, {marked} with marks or none")


if __name__ == "__main__":
    main()
