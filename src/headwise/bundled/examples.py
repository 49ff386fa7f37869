"""Sentences to try models on: translations, some with an error put in by hand."""

from importlib.resources import files
from pathlib import Path

from headwise.data.readers import Layout, read_pairs
from headwise.data.records.pairs import Pair

_ENGLISH_GERMAN, _LANGUAGES = "examples_en_de.tsv", "examples_languages.tsv"


def example_pairs() -> list[Pair]:
    """English sentences and German translations, written for this purpose."""
    return _pairs(_ENGLISH_GERMAN, Layout(header=False))


def example_pairs_of_languages() -> list[Pair]:
    """Harder ones in several languages, with errors that only the meaning gives away.

    Each row has its ``source_language`` and ``target_language``, as codes, and an ``id`` that says
    what is wrong with it. Of some sources there are several right translations.
    """
    return _pairs(_LANGUAGES, Layout())


def _pairs(file: str, layout: Layout) -> list[Pair]:
    path = Path(str(files("headwise.bundled"))) / file
    return [row for row in read_pairs(str(path), layout) if isinstance(row, Pair)]
