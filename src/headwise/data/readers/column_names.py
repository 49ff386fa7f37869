"""The names that columns of texts go by, and how a column is found by them."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headwise.data.records.json_values import listed
from headwise.languages import known_languages

_SEPARATORS = re.compile(r"[\s_-]+")
_OF_TEXTS = re.compile("(?<=.)_(text|sentence|segment)$")
_HUMP = re.compile("(?<=[a-z])(?=[A-Z])")
_IN_BRACKETS = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")
# Codes that are words, such as the number in `source_no`
_NO_SUFFIXES = frozenset({"no", "is", "so", "as", "or", "to"})

# Codes that other columns go by: numbers of rows, measures
_NOT_CALLED = frozenset({"id", "in", "mo"})
_REGION = re.compile("[-_]([a-z]{2}|[a-z]{4})$")


@dataclass(frozen=True, slots=True)
class Role:
    """A column that a record is made of, and the names that it is known by, in any case.

    Of its ``ranks`` of names an earlier one wins; two names of one rank are ambiguous. Those of
    ``others``, and then of ``last``, which errors do not list, come last, and a row of cells is no
    header because one of them stands in it. Errors end with ``remedy``, and if no name is there,
    also with ``otherwise``.
    """

    name: str
    ranks: tuple[tuple[str, ...], ...]
    others: tuple[str, ...] = ()
    last: tuple[tuple[str, ...], ...] = ()
    remedy: str = ""
    otherwise: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All known names but the ``others``."""
        return tuple(name for rank in self.ranks for name in rank)

    def look_for(self, present: Sequence[str]) -> str | None:
        """The column that is known by its name, if there is one.

        Raises:
            LookupError: If several are.
        """
        for rank in (*self.ranks, self.others, *self.last):
            for as_known in (folded, _bare):
                found = [name for name in present if as_known(name) in rank]
                if len(found) > 1:
                    raise LookupError(
                        f"{listed(found)} could each be the {self.name}; {self._remedy()}"
                    )
                if found:
                    return found[0]
        return None

    def find(self, present: Sequence[str], chosen: str | None) -> str:
        """The column that was chosen, or is known by its name.

        Raises:
            LookupError: If it is not there, or several could be meant. The message says which
                and what to do.
        """
        if chosen is not None:
            if chosen not in present:
                raise LookupError(f"there is no `{chosen}`; found {listed(present)}")
            return chosen
        found = self.look_for(present)
        if found is None:
            names = ", ".join((*self.names, *self.others))
            raise LookupError(
                f"there is no {self.name} ({names}); found {listed(present)}; "
                f"{self._remedy()}{self.otherwise}"
            )
        return found

    def _remedy(self) -> str:
        return self.remedy or f"name it with --{self.name}-column"


# As spreadsheets of translators have them, in other languages
_SOURCES_ABROAD = """
    quelle quelltext quellsatz ausgangstext ausgangssatz originaltext texte_source phrase_source
    texte_original origen fuente texto_origen texto_fuente texto_original texto_de_origem
    texto_fonte origem testo_sorgente testo_di_partenza testo_originale sorgente bron brontekst
    brontaal źródło tekst_źródłowy oryginał zdroj zdrojový_text originál källa källtext kilde
    kildetekst lähde lähdeteksti forrás kaynak kaynak_metin исходный_текст исходное_предложение
    источник оригинал джерело оригінал 原文 源文 源文本 원문 المصدر
    frage pregunta domanda pergunta вопрос 问题 質問 질문
"""
_HYPOTHESES_ABROAD = """
    übersetzung zieltext zielsatz ziel traduction texte_cible phrase_cible cible traducción
    texto_meta texto_destino destino tradução texto_traduzido texto_de_destino traduzione
    testo_di_arrivo testo_tradotto vertaling doeltekst doel tłumaczenie przekład tekst_docelowy
    překlad cílový_text översättning måltext oversættelse oversettelse måltekst käännös
    kohdeteksti fordítás çeviri hedef hedef_metin перевод переклад 译文 翻译 目标文本 譯文 翻譯 訳文
    翻訳 번역 번역문 الترجمة
    antwort réponse respuesta risposta resposta ответ 回答 答案 답변
"""

SOURCE = Role(
    "source",
    (("original", "source", "src"),),
    others=("prompt", "question", "query", "input", "instruction"),
    last=(tuple(_SOURCES_ABROAD.split()),),
    otherwise=", or add --no-source for text on its own",
)
HYPOTHESIS = Role(
    "hypothesis",
    (("hyp", "hypothesis", "mt", "target", "tgt", "translation"),),
    others=("response", "answer", "output", "completion"),
    last=(
        tuple(_HYPOTHESES_ABROAD.split()),
        ("machine_translation", "mt_output", "model_output", "prediction", "reply"),
        ("text", "sentence"),
    ),
)

CONTEXT = Role(
    "context",
    (("context", "contexts"), ("document", "passage", "source", "premise", "article")),
    last=(("src", "text", "knowledge"), tuple(_SOURCES_ABROAD.split())),
)
ANSWER = Role(
    "answer",
    (("answer",), ("response", "claim", "summary", "output", "hypothesis")),
    last=(("completion", "hyp", "generation", "reply"), tuple(_HYPOTHESES_ABROAD.split())),
)


def knows_any(cells: Iterable[str], *roles: Role) -> bool:
    """Whether a known name of a role is among cells: then they are a header."""
    return any(name in role.names for cell in cells for role in roles for name in _known(cell))


def language_columns(present: Sequence[str]) -> list[str]:
    """Columns among others that are called by a language: ``en``, ``de-AT``, ``zh_Hans``, Deutsch.

    A column that stands alone is none: its first row may well be the word "so".
    """
    return [name for name in present if is_language(folded(name))] if len(present) > 1 else []


def is_language(name: str) -> bool:
    """Whether a folded name is that of a language or its code, with a region or script or not."""
    languages, codes = known_languages()
    code = _REGION.sub("", name)
    return name in languages or (len(code) == 2 and code in codes and code not in _NOT_CALLED)


def folded(name: str) -> str:
    """A column's name without what readers do not tell apart: case, and spaces around it."""
    return unicodedata.normalize("NFC", name.strip().casefold())


_MOST_WORDS_OF_A_NAME = 3


def could_be_names(cells: Sequence[str]) -> bool:
    """Whether cells look like the names of columns as much as like texts: a few words each."""
    words = [_SEPARATORS.split(re.sub(r"[()\[\]/:#]", " ", cell).strip()) for cell in cells]
    return all(
        len(each) <= _MOST_WORDS_OF_A_NAME and re.fullmatch(r"[^\W\d]+", "".join(each))
        for each in words
    )


def _known(name: str) -> tuple[str, str]:
    return folded(name), _bare(name)


def _bare(name: str) -> str:
    """Without what says that it is a text, and in which language.

    ``Source text``, ``sourceText``, ``Source (EN)`` and ``source_en`` are all ``source``.
    """
    parted = _HUMP.sub("_", _IN_BRACKETS.sub("", name.strip()) or name)
    bare = _OF_TEXTS.sub("", _SEPARATORS.sub("_", folded(parted)))
    stem, _, code = bare.rpartition("_")
    return stem if stem and code not in _NO_SUFFIXES and is_language(code) else bare
