"""Text for the heads of Gemma 3 270M: translations both ways, and sets that people judged."""

import csv
import gzip
import html
import io
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sacremoses import MosesDetokenizer

from headwise.data.readers import read_mlqe_pe, read_pairs
from headwise.data.records.pairs import Pair

# Of Wikipedia, with post-edits: what is right there was written by people, not judged by them. Of
# English-Chinese there is no training part: what is learned from are the last rows of dev, and
# choices are made by the first
POST_EDITED = ("en-de", "et-en", "ru-en", "en-zh")
_LAST_OF_DEV = {"en-zh": 500}


def tatoeba(data: Path) -> list[Pair]:
    """English and German sentences of which none stands in the dev file."""
    folder = data / "tatoeba-en-de"
    held_out = {text for pair in _plain(folder / "dev-multireference.tsv.gz") for text in _of(pair)}
    pairs = [pair for pair in _plain(folder / "train.tsv.gz") if not held_out & _of(pair)]
    return [in_languages(pair, "en", "de") for pair in pairs]


def post_edits(data: Path, languages: str) -> list[Pair]:
    """Sources of Wikipedia with what post-editors made of a translation, as running text."""
    folder = data / f"mlqe-pe-{languages}"
    source, target = languages.split("-")
    first = _LAST_OF_DEV.get(languages, 0)
    part = "dev" if first else "train"
    detokenise = MosesDetokenizer(target).detokenize
    with text_lines(folder / f"{part}.da.tsv.gz") as lines:
        sources = [row["original"] for row in csv.DictReader(lines, **_TSV)]
    with text_lines(folder / f"{part}.pe.gz") as lines:
        edited = [detokenise(html.unescape(line).split()) for line in lines]
    if target == "zh":
        edited = [_AROUND_CHINESE.sub("", text) for text in edited]
    texts = list(zip(sources, edited, strict=True))[first:]
    pairs = [Pair(*both) for both in texts if all(both)]
    return [in_languages(pair, source, target) for pair in pairs]


def judged(data: Path, languages: str, part: str, count: int) -> list[Pair]:
    """Translations with their mean assessment as ``z_mean`` and their word tags."""
    folder = data / f"mlqe-pe-{languages}"
    rows = read_mlqe_pe(
        da=folder / f"{part}.da.tsv.gz",
        tokenised=folder / f"{part}.mt.gz",
        tags=folder / f"{part}.tags.gz",
    )
    pairs = [row for row in rows if isinstance(row, Pair)][:count]
    return [in_languages(pair, *languages.split("-")) for pair in pairs]


def tagged_by_translators(data: Path, part: str, count: int) -> list[Pair]:
    """English and German of Wikipedia, with the tags that translators set (HJQE)."""
    folder, assessed = data / "hjqe-en-de", data / "mlqe-pe-en-de" / f"{part}.da.tsv.gz"
    rows = read_mlqe_pe(
        da=assessed, tokenised=folder / f"{part}.mt.gz", tags=folder / f"{part}.tags.gz"
    )
    pairs = [row for row in rows if isinstance(row, Pair)][:count]
    return [in_languages(pair, "en", "de") for pair in pairs]


def in_languages(pair: Pair, source: str, target: str) -> Pair:
    """The pair with its languages in columns, as the prompt takes them."""
    named = {**pair.extra, "source_language": source, "target_language": target}
    return replace(pair, extra=named)


def turned(pair: Pair) -> Pair:
    """The translation as source: two texts that mean the same are right in both directions."""
    languages = pair.extra["target_language"], pair.extra["source_language"]
    return in_languages(Pair(pair.hypothesis, str(pair.source)), *map(str, languages))


def mixture(
    data: Path, *, languages: tuple[str, ...], each: int, short: int, seed: int = 0
) -> tuple[list[Pair], list[Pair]]:
    """Training and dev pairs in both directions, in random order.

    Args:
        data: Folder of the corpora.
        languages: Pairs of Wikipedia's post-edits.
        each: How many of each pair and direction.
        short: How many of Tatoeba's short sentences, each direction.
        seed: Of what is taken and of the order.
    """
    draw = random.Random(seed)
    train: list[Pair] = []
    dev: list[Pair] = []
    corpora = [(post_edits(data, names), each) for names in languages] + [(tatoeba(data), short)]
    for pairs, count in corpora:
        draw.shuffle(pairs)
        for one in (pairs, [turned(pair) for pair in reversed(pairs)]):
            train += one[: min(count, len(pairs) // 2 - _DEV)]
        # Neither direction of a dev pair is trained on: training takes from both ends
        middle = pairs[len(pairs) // 2 - _DEV // 2 :][:_DEV]
        dev += [pair if i % 2 else turned(pair) for i, pair in enumerate(middle)]
    draw.shuffle(train)
    draw.shuffle(dev)
    return train, dev


@contextmanager
def text_lines(path: Path) -> Iterator[io.TextIOWrapper]:
    with gzip.open(path, "rb") as raw, io.TextIOWrapper(raw, "utf-8", newline="\n") as lines:
        yield lines


_DEV = 150
# Spaces that only a tokeniser put there
_SIGN = "[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]"
_AROUND_CHINESE = re.compile(f"(?<={_SIGN}) | (?={_SIGN})")
_TSV = {"delimiter": "\t", "quoting": csv.QUOTE_NONE}


def _plain(path: Path) -> list[Pair]:
    return [row for row in read_pairs(path) if isinstance(row, Pair)]


def _of(pair: Pair) -> set[str]:
    return {str(pair.source).casefold(), pair.hypothesis.casefold()}
