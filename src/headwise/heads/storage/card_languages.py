"""The languages that the card of a model or head names."""

from collections.abc import Iterable
from pathlib import Path

from headwise.documents import MAX_BYTES, parse_yaml
from headwise.errors import DataError

_CARD = "README.md"
_FENCE = "---\n"


def card_languages(folders: Iterable[str | Path]) -> tuple[str, ...]:
    """The languages of the first folder whose card names some; none if no card does.

    Args:
        folders: Folders of heads and models, the most telling first.
    """
    for folder in folders:
        path = Path(folder) / _CARD
        try:
            if path.stat().st_size > MAX_BYTES:
                continue
            text = path.read_text("utf-8")
            parts = text.split(_FENCE, 2)
            facts = parse_yaml(parts[1]) if text.startswith(_FENCE) and len(parts) > 2 else {}
        except (OSError, UnicodeDecodeError, DataError):
            continue  # what a card says is for people; nothing depends on it
        named = facts.get("language") if isinstance(facts, dict) else None
        languages = [named] if isinstance(named, str) else named
        if isinstance(languages, list) and languages:
            return tuple(map(str, languages))
    return ()
