"""German words: numbers, pronouns, case, gender and person, negations."""

from headwise.corruption.languages.lists import (
    EndingRule,
    Inflection,
    LanguageLists,
    NegationWords,
    one_of_a_group,
    word_set,
)

_STEMS = ("ein", "kein", "mein", "dein", "sein", "ihr")

_STRONG = ("dies", "jed", "jen", "welch", "manch")

_DETERMINERS = (
    "der die das den dem des",
    *(f"{stem} {stem}e {stem}en {stem}em {stem}er {stem}es" for stem in _STEMS),
    "unser unsere unseren unserem unserer unseres",
    "euer eure euren eurem eurer eures",
    *(f"{stem}e {stem}en {stem}em {stem}er {stem}es" for stem in _STRONG),
)

_CONTRACTIONS = ("im ins", "am ans", "zum zur", "vom von", "beim bei")

_VERBS = (
    "bin bist ist sind seid",
    "war warst waren wart",
    "habe hast hat haben habt",
    "hatte hattest hatten hattet",
    "werde wirst wird werden werdet",
    "wurde wurdest wurden",
    "würde würdest würden",
    "kann kannst können könnt",
    "konnte konntest konnten",
    "könnte könntest könnten",
    "muss musst müssen müsst",
    "musste musstest mussten",
    "will willst wollen wollt",
    "wollte wolltest wollten",
    "soll sollst sollen sollt",
    "sollte solltest sollten",
    "darf darfst dürfen dürft",
    "mag magst mögen",
    "möchte möchtest möchten",
    "weiß weißt wissen wisst",
    "sieht seht sehen siehst",
    "gibt geben gibst gebt",
    "nimmt nehmen nimmst nehmt",
    "liest lesen lest",
    "isst essen esst",
    "spricht sprechen sprichst sprecht",
    "hilft helfen hilfst helft",
    "wirft werfen wirfst werft",
    "trifft treffen triffst trefft",
    "steht stehen stehst stehe",
    "geht gehen gehst gehe",
    "tut tun tust",
)

_PREPOSITIONS = (
    "mit in auf von vor aus für an bei über unter hinter neben zwischen durch gegen ohne um nach "
    "zu seit während wegen im am zum zur vom beim ins ans"
)

_COUNTS = "zwei drei vier fünf sechs sieben acht neun zehn viele einige mehrere wenige"

_INFLECTION = Inflection(
    irregular=one_of_a_group((*_DETERMINERS, *_CONTRACTIONS, *_VERBS)),
    rules=(
        # An adjective between what determines a noun, and the noun
        EndingRule(
            ("e", "en", "er", "es", "em"),
            after=word_set(" ".join((*_DETERMINERS, _PREPOSITIONS, _COUNTS))),
        ),
        EndingRule(("t", "en", "st", "e"), vowels=(("a", "ä"), ("au", "äu")), shortest_stem=2),
    ),
)

NEGATION_DE = NegationWords(
    negations=word_set(
        "nicht kein keine keinem keinen keiner keines "
        "nie niemals nichts niemand niemandem niemanden"
    ),
    inserted="nicht",
    verbs=word_set(
        "bin bist ist sind seid war warst waren wart "
        "habe hast hat haben habt hatte hattest hatten "
        "werde wirst wird werden werdet wurde wurden würde würden "
        "kann kannst können könnt konnte konnten könnte könnten "
        "muss musst müssen müsst musste mussten soll sollst sollen sollt sollte sollten "
        "will willst wollen wollt wollte wollten darf darfst dürfen dürft durfte durften "
        "möchte möchten"
    ),
    pronouns=word_set("ich du er sie es wir ihr mich dich ihn uns euch mir dir ihm ihnen sich das"),
    opposites={
        "ein": ("kein",),
        "eine": ("keine",),
        "einen": ("keinen",),
        "einem": ("keinem",),
        "einer": ("keiner",),
        "kein": ("ein",),
        "keinen": ("einen",),
        "keinem": ("einem",),
        "keiner": ("einer", "jeder"),
        "nie": ("immer", "oft"),
        "niemals": ("immer", "oft"),
        "immer": ("nie", "niemals"),
        "nichts": ("etwas", "alles"),
        "alles": ("nichts",),
        "etwas": ("nichts",),
        "niemand": ("jemand", "jeder"),
        "jemand": ("niemand",),
        "mit": ("ohne",),
        "ohne": ("mit",),
    },
)

_ORDINALS = ("erst", "zweit", "dritt", "viert", "fünft", "sechst")

_NUMBERS = one_of_a_group(
    (
        "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
        "dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn",
        "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
        "hundert tausend",
        *(" ".join(stem + ending for stem in _ORDINALS) for ending in ("e", "en", "er", "es")),
    )
)

# *Mein*, *dein* and *sein* without an ending are left out: *sein* is mostly a verb
_POSSESSIVES = {
    "mein": ("dein", "sein", "unser"),
    "dein": ("mein", "sein", "unser"),
    "sein": ("mein", "dein", "ihr"),
    "ihr": ("mein", "sein", "unser"),
    "unser": ("mein", "sein", "dein"),
}

_PRONOUNS = {
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

GERMAN = LanguageLists(
    numbers=_NUMBERS,
    pronouns=_PRONOUNS,
    inflection=_INFLECTION,
    negation=NEGATION_DE,
)
