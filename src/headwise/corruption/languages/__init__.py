"""Words of each language that corruption edits by; no edits."""

from headwise.corruption.languages.de import GERMAN
from headwise.corruption.languages.en import ENGLISH

LANGUAGES = {"de": GERMAN, "en": ENGLISH}
"""Lists by language code."""


def check_language(language: str | None) -> None:
    """Refuse a code of a language that there are no lists of (`ValueError`); ``None`` is none."""
    if language is not None and language not in LANGUAGES:
        raise ValueError(f"--language must be one of {', '.join(LANGUAGES)}, got {language!r}.")
