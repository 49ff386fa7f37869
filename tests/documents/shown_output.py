"""Whether a page shows what was printed: numbers to the digits shown, `...` for anything."""

import re

ANYTHING = "..."
# A number stands apart from letters: digests and names are compared as they are
_TOKEN = re.compile(r"\.\.\.|(?<![\w.])\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])|\s+|\w+|[^\w\s]")
_NUMBER = re.compile(r"\d+(?:\.(\d+))?(e[-+]?\d+)?")


def is_shown(shown: str, printed: str) -> bool:
    """Whether a page shows what was printed.

    Runs of blanks and line breaks are one blank; a number with a point or an exponent may be
    rounded; ``...`` stands for anything.
    """
    return _match(_tokens(shown), _tokens(printed))


def _tokens(text: str) -> list[str]:
    found: list[str] = _TOKEN.findall(text.strip())
    tokens = [" " if token.isspace() else token for token in found]
    # Blanks beside what stands for anything belong to it
    return [
        token
        for place, token in enumerate(tokens)
        if token != " " or ANYTHING not in (tokens[place - 1 : place] + tokens[place + 1 :][:1])
    ]


def _match(shown: list[str], printed: list[str]) -> bool:
    """Whether tokens match; what stands for anything takes as little as it can."""
    place = at = 0
    last: tuple[int, int] | None = None
    while at < len(printed):
        if place < len(shown) and shown[place] == ANYTHING:
            last = (place, at)
            place += 1
        elif place < len(shown) and _same(shown[place], printed[at]):
            place, at = place + 1, at + 1
        elif last is not None:
            place, at = last[0] + 1, last[1] + 1
            last = (last[0], at)
        else:
            return False
    return all(token == ANYTHING for token in shown[place:])


def _same(shown: str, printed: str) -> bool:
    if shown == printed:
        return True
    parts, other = _NUMBER.fullmatch(shown), _NUMBER.fullmatch(printed)
    if parts is None or other is None or not (parts[1] or parts[2]):
        return False
    digits = len(parts[1] or "")
    if len(other[1] or "") < digits:
        return False
    half = 0.5 * 10.0 ** (int((parts[2] or "e0")[1:]) - digits)
    return abs(float(shown) - float(printed)) <= half * (1 + 1e-9)
