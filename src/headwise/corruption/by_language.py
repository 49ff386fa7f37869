"""Texts of several languages apart: what is put into a text comes from its own language."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from headwise.backbones import PromptTemplate
from headwise.corruption.languages import LANGUAGES
from headwise.data.records.pairs import Pair
from headwise.errors import InputError
from headwise.languages import language_code

_VARIABLE = "target_language"


@dataclass(slots=True)
class LanguageGroup:
    """Pairs whose hypotheses are in one language, as far as their prompt says.

    Attributes:
        code: Language code, if there are lists of that language.
        pairs: In their order.
    """

    code: str | None
    pairs: list[Pair] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        """The hypotheses."""
        return [pair.hypothesis for pair in self.pairs]


def by_language(pairs: Sequence[Pair], prompt: PromptTemplate) -> dict[str | None, LanguageGroup]:
    """Group pairs by the language that the prompt has them in; ``None`` where it says nothing."""
    groups: dict[str | None, LanguageGroup] = {}
    for pair in pairs:
        name = _language(pair, prompt)
        if name not in groups:
            code = None if name is None else language_code(name, LANGUAGES)
            groups[name] = LanguageGroup(code if code in LANGUAGES else None)
        groups[name].pairs.append(pair)
    return groups


def _language(pair: Pair, prompt: PromptTemplate) -> str | None:
    try:
        own = prompt.for_row(pair.extra)
    except InputError:  # who reads the pair will say so
        return None
    # Encoder-decoder models have it beside their text
    language: str | None = own.variables.get(_VARIABLE) or getattr(own, _VARIABLE, None)
    return language
