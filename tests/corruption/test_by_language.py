"""Texts of several languages get errors of their own."""

import pytest

from headwise.backbones import NAMED_PROMPTS, CausalBackbone, SequenceTemplate
from headwise.corruption.by_language import by_language
from headwise.corruption.error_copies import synthetic_errors
from headwise.data.records.pairs import Pair

BILINGUAL = NAMED_PROMPTS["bilingual"]


def _pair(text: str, language: str | None) -> Pair:
    return Pair("source", text, extra={} if language is None else {"lang": language})


def test_groups_are_those_that_the_prompt_reads() -> None:
    pairs = [_pair(text, name) for text, name in (("a", "de"), ("b", "et"), ("c", "German"))]
    groups = by_language([*pairs, _pair("d", None)], BILINGUAL.bind_columns(target_language="lang"))
    assert {name: (group.code, group.texts) for name, group in groups.items()} == {
        "German": ("de", ["a", "c"]),
        "Estonian": (None, ["b"]),
        None: (None, ["d"]),
    }


@pytest.mark.parametrize(
    ("prompt", "name", "code"),
    [
        (BILINGUAL.bind(target_language="English"), "English", "en"),
        (SequenceTemplate(target_language="deu_Latn"), "deu_Latn", "de"),
        (NAMED_PROMPTS["raw"], None, None),
    ],
)
def test_one_language_for_all_rows(prompt: object, name: str | None, code: str | None) -> None:
    (found,) = by_language([_pair("a", "de"), _pair("b", None)], prompt).items()  # type: ignore[arg-type]
    assert (found[0], found[1].code, found[1].texts) == (name, code, ["a", "b"])


def test_words_of_crude_errors_are_of_the_language(tiny: CausalBackbone) -> None:
    pairs = [_pair(f"der Hund sieht Katze {i} hier", "de") for i in range(20)]
    pairs += [_pair(f"some dogs never watch cat {i} there", "en") for i in range(20)]
    prompt = BILINGUAL.bind_columns(target_language="lang").bind(source_language="French")
    made = synthetic_errors(tiny, pairs, prompt, families=["crude"])["crude"]
    assert len(made) == 40
    for one in made:
        other = {"Hund", "sieht"} if one.pair.extra["lang"] == "en" else {"dogs", "watch"}
        assert not other & set(one.pair.hypothesis.split())
