"""Sentences to try the bundled model on: translations, some with an error put in by hand."""

from importlib.resources import files

from headwise.data.records.pairs import Pair

_FILE = "examples_en_de.tsv"


def example_pairs() -> list[Pair]:
    """English sentences and German translations, written for this purpose."""
    text = (files("headwise.bundled") / _FILE).read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines())
    return [Pair(source, hypothesis) for source, hypothesis in rows]
