"""German case, gender, number and person."""

from headwise.training.corruption.inflection import (
    EndingRule,
    Inflection,
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

INFLECTION_DE = Inflection(
    irregular=one_of_a_group((*_DETERMINERS, *_CONTRACTIONS, *_VERBS)),
    rules=(
        # An adjective between what determines a noun, and the noun
        EndingRule(
            ("e", "en", "er", "es", "em"),
            after=word_set(" ".join((*_DETERMINERS, _PREPOSITIONS, _COUNTS))),
        ),
        EndingRule(
            ("t", "en", "st", "e"), vowels=(("a", "ä"), ("au", "äu")), after=None, shortest_stem=2
        ),
    ),
)
