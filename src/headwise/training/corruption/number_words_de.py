"""German number words; *ein* is left out, since it is mostly an article."""

from headwise.training.corruption.inflection import one_of_a_group

_ORDINALS = ("erst", "zweit", "dritt", "viert", "fünft", "sechst")

NUMBER_WORDS_DE = one_of_a_group(
    (
        "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
        "dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
        "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
        "hundert tausend",
        *(" ".join(stem + ending for stem in _ORDINALS) for ending in ("e", "en", "er", "es")),
    )
)
"""Number words in lower case, and what each may become."""
