"""Names of months and days of the week, in English and German."""

_MONTHS = """
    january jan januar jänner, february feb februar, march mar märz, april apr, may mai,
    june jun juni, july jul juli, august aug, september sep sept, october oct oktober okt,
    november nov, december dec dezember dez
"""
_WEEKDAYS = """
    monday montag, tuesday dienstag, wednesday mittwoch, thursday donnerstag, friday freitag,
    saturday samstag sonnabend, sunday sonntag
"""


def _numbered(text: str) -> dict[str, int]:
    """All words of each group, which commas part, with the number of the group, from 1."""
    groups = enumerate(text.split(","), start=1)
    return {word: number for number, group in groups for word in group.split()}


MONTHS = _numbered(_MONTHS)
"""Names of months and their abbreviations, in lower case, with their numbers."""

WEEKDAYS = _numbered(_WEEKDAYS)
"""Names of days of the week, in lower case, Monday being 1."""
