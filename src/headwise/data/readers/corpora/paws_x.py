"""PAWS-X: pairs of sentences, and whether one paraphrases the other.

References:
    Yang et al. 2019, arXiv 1908.11828.
"""

from collections.abc import Iterable

from headwise.data.readers.column_names import folded
from headwise.data.readers.layout import Layout
from headwise.data.readers.rows import Columns

_HEADER = ("id", "label", "sentence1", "sentence2")

# What the corpus has in place of a sentence that its translators could not translate
_NO_SENTENCE = "NS"


def is_paws_x_header(names: Iterable[str]) -> bool:
    """Whether these are all the columns of PAWS-X, in any order, and no other."""
    return sorted(map(folded, names)) == list(_HEADER)


def paws_x_columns(names: Iterable[str], layout: Layout) -> Columns:
    """Columns of the sentences: first the source, if there is to be one, then the hypothesis."""
    by_name = {folded(name): name for name in names}
    source = by_name["sentence1"] if layout.has_source else None
    return Columns(source, by_name["sentence2"], placeholder=_NO_SENTENCE)
