"""Texts of several languages get errors of their own."""

import pytest

from headwise.backbones import NAMED_PROMPTS, CausalBackbone, SequenceTemplate
from headwise.corruption.by_language import by_language
from headwise.corruption.error_copies import several_errors, synthetic_errors
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


def test_several_errors_are_few_or_many_and_of_the_language(tiny: CausalBackbone) -> None:
    german = "der Hund sieht eine Katze und die Kinder laufen nicht sehr weit im Regen"
    english = "some dogs never watch the cat while children run not very far in rain"
    pairs = [
        _pair(f"{text} {i}", name)
        for i in range(40)
        for text, name in ((german, "de"), (english, "en"), ("koerad jooksevad", "et"))
    ]
    prompt = BILINGUAL.bind_columns(target_language="lang").bind(source_language="French")
    made = several_errors(tiny, pairs, prompt, seed=1)
    by_name = {
        name: [m for m in made if m.pair.extra["lang"] == name] for name in ("de", "en", "et")
    }
    assert {name: len(found) for name, found in by_name.items()} == dict.fromkeys(by_name, 40)
    for name, foreign in (("de", {"dogs", "watch"}), ("en", {"Hund", "sieht"})):
        counts = [len(one.pair.errors or ()) for one in by_name[name]]
        assert min(counts) == 1
        assert max(counts) >= 6  # fourteen words leave room for seven
        assert not any(foreign & set(one.pair.hypothesis.split()) for one in by_name[name])
        assert all(m.pair.hypothesis != m.original for m in by_name[name])
    # Families that need lists are made where there are some, three words leave room for one error
    families = {
        name: {e.category for m in found for e in m.pair.errors or ()}
        for name, found in by_name.items()
    }
    assert "negation" in families["de"] & families["en"]
    assert "negation" not in families["et"]
    assert all(len(one.pair.errors or ()) == 1 for one in by_name["et"])
