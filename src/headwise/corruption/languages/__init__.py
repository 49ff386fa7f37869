"""Words of each language that corruption edits by; no edits."""

from headwise.corruption.languages.de import GERMAN
from headwise.corruption.languages.en import ENGLISH

LANGUAGES = {"de": GERMAN, "en": ENGLISH}
"""Lists by language code."""
