"""German words: numbers, pronouns, case, gender and person, negations."""

from headwise.corruption.languages.lists import (
    EndingRule,
    Inflection,
    LanguageLists,
    NegationWords,
    becomes,
    one_of_a_group,
    word_set,
)

_CASES = ("", "e", "en", "em", "er", "es")


def _inflected(stems: str, endings: tuple[str, ...]) -> str:
    """A group of forms for each stem."""
    return ", ".join(" ".join(stem + ending for ending in endings) for stem in stems.split())


_DETERMINERS = ", ".join(
    (
        "der die das den dem des",
        _inflected("ein kein mein dein sein ihr", _CASES),
        "unser unsere unseren unserem unserer unseres, euer eure euren eurem eurer eures",
        _inflected("dies jed jen welch manch", _CASES[1:]),
    )
)
_CONTRACTIONS = "im ins, am ans, zum zur, vom von, beim bei"
_VERBS = """
    bin bist ist sind seid, war warst waren wart, habe hast hat haben habt,
    hatte hattest hatten hattet, werde wirst wird werden werdet, wurde wurdest wurden,
    würde würdest würden, kann kannst können könnt, konnte konntest konnten,
    könnte könntest könnten, muss musst müssen müsst, musste musstest mussten,
    will willst wollen wollt, wollte wolltest wollten, soll sollst sollen sollt,
    sollte solltest sollten, darf darfst dürfen dürft, mag magst mögen,
    möchte möchtest möchten, weiß weißt wissen wisst, sieht seht sehen siehst,
    gibt geben gibst gebt, nimmt nehmen nimmst nehmt, liest lesen lest, isst essen esst,
    spricht sprechen sprichst sprecht, hilft helfen hilfst helft, wirft werfen wirfst werft,
    trifft treffen triffst trefft, steht stehen stehst stehe, geht gehen gehst gehe, tut tun tust
"""
_PREPOSITIONS = (
    "mit in auf von vor aus für an bei über unter hinter neben zwischen durch gegen ohne um nach "
    "zu seit während wegen im am zum zur vom beim ins ans"
)
_COUNTS = "zwei drei vier fünf sechs sieben acht neun zehn viele einige mehrere wenige"

# *Mein*, *dein* and *sein* without an ending are left out: *sein* is mostly a verb
_POSSESSIVES = becomes(
    "mein dein sein unser, dein mein sein unser, sein mein dein ihr, ihr mein sein unser, "
    "unser mein sein dein"
)
_PRONOUNS = becomes(
    "ich du er wir, du ich er wir, er sie es ich, sie er ihn ich wir, wir sie ich, ihn sie es mich,"
    "ihm ihr ihnen mir, ihr ihm sein, ihnen ihm uns mir, mich dich ihn uns, dich mich ihn uns,"
    "mir dir ihm uns, dir mir ihm uns, uns mich sie ihnen, euch uns mich ihn"
) | {
    possessive + ending: tuple(other + ending for other in others)
    for possessive, others in _POSSESSIVES.items()
    for ending in _CASES[1:]
}

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
    opposites=becomes(
        "ein kein, eine keine, einen keinen, einem keinem, einer keiner, kein ein, keinen einen, "
        "keinem einem, keiner einer jeder, nie immer oft, niemals immer oft, immer nie niemals, "
        "nichts etwas alles, alles nichts, etwas nichts, niemand jemand jeder, jemand niemand, "
        "mit ohne, ohne mit"
    ),
)
"""German words of negation, and where one may be put in."""

GERMAN = LanguageLists(
    numbers=one_of_a_group(
        "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf, "
        "dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn, "
        "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig, "
        "hundert tausend, erste zweite dritte vierte fünfte sechste, "
        "ersten zweiten dritten vierten fünften sechsten, "
        "erster zweiter dritter vierter fünfter sechster, "
        "erstes zweites drittes viertes fünftes sechstes"
    ),
    pronouns=_PRONOUNS,
    inflection=Inflection(
        irregular=one_of_a_group(", ".join((_DETERMINERS, _CONTRACTIONS, _VERBS))),
        rules=(
            # An adjective between what determines a noun, and the noun
            EndingRule(
                ("e", "en", "er", "es", "em"),
                after=word_set(" ".join((_DETERMINERS, _PREPOSITIONS, _COUNTS))),
            ),
            EndingRule(("t", "en", "st", "e"), vowels=(("a", "ä"), ("au", "äu")), shortest_stem=2),
        ),
    ),
    negation=NEGATION_DE,
    conjunction="und",
)
