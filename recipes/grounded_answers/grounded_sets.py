"""Contexts with answers that they support, copies that say something else, and SNLI's labels."""

import csv
import gzip
import io
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from headwise.corruption.grounded import GroundedFamily, unsupported_answers
from headwise.data.records.pairs import Pair

RIGHT = "right"
PEOPLE = ("entailment", "neutral", "contradiction")
"""What SNLI's annotators say of a hypothesis."""

# In words: about 40 to 80 tokens and 10 to 25
_CONTEXT_WORDS = (28, 60)
_ANSWER_WORDS = (7, 20)
_CAPTIONS = 4


def rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a compressed table with a header."""
    with gzip.open(path) as raw:
        lines = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        yield from csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def running_text(tokenised: str) -> str:
    """A caption of SNLI as it is written: no space before a mark, one mark at the end."""
    text = re.sub(r"\s+([.,!?;:])", r"\1", tokenised.strip())
    text = re.sub(r"\s*(n't|'s|'re|'m|'ll)\b", r"\1", text)
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


def captions(path: Path) -> dict[str, dict[str, list[str]]]:
    """For each premise of SNLI its hypotheses by label, as running text."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in rows(path):
        if row["label"] in PEOPLE:
            premise, hypothesis = running_text(row["premise"]), running_text(row["hypothesis"])
            found[premise][row["label"]].append(hypothesis)
    return found


def caption_context(premises: Sequence[str], premise: str, rng: random.Random) -> str:
    """A premise among others, in any order."""
    others = [other for other in rng.sample(premises, _CAPTIONS) if other != premise]
    chosen = [premise, *others[: _CAPTIONS - 1]]
    rng.shuffle(chosen)
    return " ".join(chosen)


def caption_pairs(path: Path, count: int, *, seed: int) -> list[Pair]:
    """Captions put together, and what people say follows from one of them, or from two."""
    known, rng = captions(path), random.Random(seed)
    premises = [premise for premise, labels in known.items() if labels["entailment"]]
    pairs = []
    for premise in rng.sample(premises, count):
        context = caption_context(premises, premise, rng)
        answer = rng.choice(known[premise]["entailment"])
        inside = [other for other in premises if other != premise and other in context]
        if len(answer.split()) < _ANSWER_WORDS[0] and inside:
            answer += " " + rng.choice(known[rng.choice(inside)]["entailment"])
        pairs.append(Pair(context, answer, errors=(), extra={"kind": "captions"}))
    return pairs


def judged_captions(path: Path, count: int, *, seed: int) -> list[Pair]:
    """The same with one hypothesis, whatever people say of it; so many of each label."""
    known, rng = captions(path), random.Random(seed)
    premises = list(known)
    pairs = []
    for label in PEOPLE:
        labelled = [premise for premise in premises if known[premise][label]]
        for premise in rng.sample(labelled, count):
            context = caption_context(premises, premise, rng)
            answer = rng.choice(known[premise][label])
            pairs.append(Pair(context, answer, extra={"kind": "people", "label": label}))
    return pairs


def shortened(sentence: str, rng: random.Random) -> str | None:
    """A sentence that is short, or its beginning up to a comma; without what stands in brackets."""
    text = re.sub(r"\s*\([^()]*\)", "", sentence).strip()
    if not text.endswith((".", "!", "?")) or '"' in text:
        return None
    cuts = [text[:-1], *(text[: m.start()] for m in re.finditer(r", (?=and|but|who|which)", text))]
    fitting = [c for c in cuts if _ANSWER_WORDS[0] <= len(c.split()) <= _ANSWER_WORDS[1]]
    return rng.choice(fitting) + "." if fitting else None


def document_pairs(documents: Sequence[Sequence[str]], count: int, *, seed: int) -> list[Pair]:
    """Runs of a document's sentences, and one of them, shortened."""
    rng = random.Random(seed)
    pairs = []
    for document in rng.sample(documents, len(documents)):
        first = 0
        while first < len(document):
            last, words = first, 0
            while last < len(document) and words < _CONTEXT_WORDS[0]:
                words += len(document[last].split())
                last += 1
            part = document[first:last]
            answers = [a for s in part if (a := shortened(s, rng)) is not None]
            if _CONTEXT_WORDS[0] <= words <= _CONTEXT_WORDS[1] and answers:
                pairs.append(Pair(" ".join(part), rng.choice(answers), errors=()))
            first = last
    return rng.sample(pairs, min(count, len(pairs)))


def news(data: Path) -> list[list[str]]:
    """English news of WMT: the source sentences of its documents, in order."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    with gzip.open(
        data / "wmt-mqm-en-de" / "newstest-2021.tsv.gz", "rt", encoding="utf-8"
    ) as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if len(cells) > 4 and cells[2].isdigit():
                found[cells[1]][int(cells[2])] = cells[4]
    return [[by[i] for i in sorted(by)] for by in found.values()]


def wikipedia(data: Path, part: str) -> list[list[str]]:
    """Sentences of Wikipedia, three unrelated ones a document."""
    sentences = [row["original"] for row in rows(data / "mlqe-pe-en-de" / f"{part}.da.tsv.gz")]
    sentences = [s for s in sentences if 8 <= len(s.split()) <= 24]
    return [sentences[i : i + 3] for i in range(0, len(sentences) - 2, 3)]


def supported(data: Path, part: str, count: int, *, seed: int) -> list[Pair]:
    """Answers that their contexts support: half of captions, a quarter each of the others."""
    documents = news(data)
    random.Random(0).shuffle(documents)
    held = len(documents) // 5
    own = documents[:held] if part == "test" else documents[held:]
    other = "dev" if part == "test" else "train"
    parts = {
        "news": document_pairs(own, count // 4, seed=seed),
        "wikipedia": document_pairs(wikipedia(data, other), count // 4, seed=seed),
    }
    path = data / "snli" / ("dev.tsv.gz" if part == "test" else "train.tsv.gz")
    pairs = caption_pairs(path, count - sum(map(len, parts.values())), seed=seed)
    for kind, found in parts.items():
        pairs += [replace(pair, extra={"kind": kind}) for pair in found]
    return pairs


def answers_with(family: GroundedFamily, data: Path, count: int, *, seed: int) -> list[Pair]:
    """Answers of held-out Wikipedia that allow a family, for those that few answers allow."""
    pairs = document_pairs(wikipedia(data, "test"), 2000, seed=seed)
    pairs = [replace(pair, extra={"kind": "wikipedia"}) for pair in pairs]
    allowed = [copy.number for copy in unsupported_answers(pairs, families=(family,))]
    return [pairs[number] for number in allowed[:count]]


def with_copies(
    pairs: Sequence[Pair], families: Sequence[Sequence[GroundedFamily]], *, seed: int
) -> list[tuple[str, int, Pair]]:
    """Texts with their family and the number of their pair: right ones, then copies.

    Args:
        pairs: Contexts with answers that they support.
        families: For each copy of an answer, the families that it may be of.
        seed: Of the copies.
    """
    found = [(RIGHT, number, pair) for number, pair in enumerate(pairs)]
    # Captions among captions: the style of what is put in must not give it away
    kinds = [pair.extra["kind"] == "captions" for pair in pairs]
    for chosen in families:
        for captions_alone in (True, False):
            own = [number for number, kind in enumerate(kinds) if kind is captions_alone]
            copies = unsupported_answers(
                [pairs[number] for number in own], families=chosen, seed=seed
            )
            found += [(copy.family.value, own[copy.number], copy.pair) for copy in copies]
    return found
