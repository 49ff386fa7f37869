"""Languages by code or by name: the English name that a prompt speaks of, and its codes.

Codes are those of ISO 639-1 and 639-3, with a region or script or without: ``de``, ``de_DE``,
``de-AT``, ``deu``, ``deu_Latn``, ``zh_Hans``.
"""

import re
from collections.abc import Collection, Iterable
from functools import cache
from importlib.resources import files

from headwise.errors import PromptError

LANGUAGE_VARIABLES = frozenset({"source_language", "target_language"})
"""The variables of prompts that are languages."""

_CODE = re.compile(r"([a-z]{2,3})(?:[-_](?:[a-z]{2}|[a-z]{4}|[0-9]{3}))*")
# Regions in small letters that are also codes of languages, but rarely ones of a pair
_REGIONS = frozenset({"br", "ca", "ch", "in", "tw"})
_QUALIFIED = re.compile(r"(.+?)\s*\(.+\)|\S+\s+(.+)")


def language_name(value: str) -> str | None:
    """The English name of a language that is given by code or name; ``None`` if it is unknown.

    What a name says more precisely is kept: ``Brazilian Portuguese``, ``Chinese (Traditional)``.
    """
    text = " ".join(value.split())
    folded = text.casefold()
    names, codes = known_languages()
    if folded in names:
        return names[folded]
    if (code := _CODE.fullmatch(folded)) is not None:
        return None if _is_pair(text) else codes.get(code[1])
    if (parts := _QUALIFIED.fullmatch(folded)) is not None and (parts[1] or parts[2]) in names:
        return text
    return None


def language_code(value: str, known: Collection[str]) -> str:
    """The code that a model has for a language, itself if it is not among those that are known.

    Args:
        value: A code or name.
        known: The model's codes, with a region or script or without: ``deu_Latn``, ``de_DE``.

    Raises:
        PromptError: If several codes could be meant.
    """
    spelled = {_spelled(code): code for code in known}
    if (same := spelled.get(_spelled(value))) is not None:
        return same
    name = language_name(value)
    found = sorted(code for code in known if name is not None and language_name(code) == name)
    if len(found) > 1:
        raise PromptError(
            f"{value!r} could be each of {', '.join(found)}, which the tokeniser tells apart; give "
            "one of these codes."
        )
    return found[0] if found else value


def codes_among(tokens: Iterable[str]) -> frozenset[str]:
    """The codes of languages among the tokens of a model."""
    codes = (str(token).strip("_") for token in tokens)
    return frozenset(code for code in codes if language_name(code) is not None)


def _is_pair(text: str) -> bool:
    """Whether a code is rather two languages, such as ``en-de``, than one and its region."""
    first, *rest = re.split("[-_]", text)
    region = rest[0] if len(rest) == 1 else ""
    return region in known_languages()[1] and region not in (first, *_REGIONS)


def _spelled(code: str) -> str:
    return code.casefold().replace("-", "_")


@cache
def known_languages() -> tuple[dict[str, str], dict[str, str]]:
    """English names by all names, which the first one is, and by all codes."""
    names: dict[str, str] = {}
    codes: dict[str, str] = {}
    table = files("headwise").joinpath("languages.tsv")
    for line in table.read_text(encoding="utf-8").splitlines():
        stated, named = line.split("\t")
        given, called = stated.split(), named.split("|")
        codes |= dict.fromkeys(given, called[0])
        names |= dict.fromkeys(map(str.casefold, called), called[0])
    return names, codes
