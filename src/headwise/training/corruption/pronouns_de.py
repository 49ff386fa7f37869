"""German pronouns, and which others are wrong in their place.

The ways to say *you* are no errors for each other: English does not tell them apart. *Es* is left
alone, since it often stands for nothing. *Sie* and *ihr* mean several persons, so that only what
is wrong for all of them takes their place.
"""

_POSSESSIVES = {
    "mein": ("dein", "sein", "unser"),
    "dein": ("mein", "sein", "unser"),
    "sein": ("mein", "dein", "ihr"),
    "ihr": ("mein", "sein", "unser"),
    "unser": ("mein", "sein", "dein"),
}

PRONOUNS_DE = {
    "ich": ("du", "er", "wir"),
    "du": ("ich", "er", "wir"),
    "er": ("sie", "es", "ich"),
    "sie": ("er", "ihn", "ich", "wir"),
    "wir": ("sie", "ich"),
    "ihn": ("sie", "es", "mich"),
    "ihm": ("ihr", "ihnen", "mir"),
    "ihr": ("ihm", "sein"),
    "ihnen": ("ihm", "uns", "mir"),
    "mich": ("dich", "ihn", "uns"),
    "dich": ("mich", "ihn", "uns"),
    "mir": ("dir", "ihm", "uns"),
    "dir": ("mir", "ihm", "uns"),
    "uns": ("mich", "sie", "ihnen"),
    "euch": ("uns", "mich", "ihn"),
} | {
    possessive + ending: tuple(other + ending for other in others)
    for possessive, others in _POSSESSIVES.items()
    for ending in ("e", "en", "em", "er", "es")
}
"""Pronouns in lower case, and what each may become.

*Mein*, *dein* and *sein* without an ending are left out: *sein* is mostly a verb.
"""
