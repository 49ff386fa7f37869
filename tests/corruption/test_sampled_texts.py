"""The bundled model's own translations, marked by the references of their sources."""

import json
from pathlib import Path

import pytest

from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.bundled.examples import example_pairs
from headwise.corruption import MarkSettings, mark_machine_errors, sampled_errors, sampled_texts
from headwise.corruption.sampled_texts import common_words
from headwise.data.records.pairs import Pair
from headwise.errors import TrainingError

PROMPT = NAMED_PROMPTS["tiny"]
# One a source
PAIRS = list({pair.source: pair for pair in example_pairs()}.values())[:5]
SAME = MarkSettings()


def drawn(tiny: CausalBackbone, pairs: list[Pair] = PAIRS, **options: object) -> list[Pair]:
    return sampled_errors(tiny, pairs, PROMPT, **{"samples": 2, "seed": 3, **options})  # type: ignore[arg-type]


def test_samples_have_the_marks_of_their_references(tiny: CausalBackbone) -> None:
    found = drawn(tiny, settings=SAME)
    by_source = {pair.source: pair.hypothesis for pair in PAIRS}
    assert len(found) > len(PAIRS)
    assert len({(pair.source, pair.hypothesis) for pair in found}) == len(found)
    assert {pair.source for pair in found} <= set(by_source)
    common, _ = common_words(by_source.values())
    for pair in found:
        # Nothing is near in meaning that is not spelled alike here, for all that is marked
        alone = mark_machine_errors(
            pair.hypothesis, [by_source[pair.source]], source=pair.source, common=common
        )
        assert {e.start for e in pair.errors} <= {e.start for e in alone.errors}
        assert pair.tags is None
    assert any(pair.errors for pair in found)
    assert any(pair.unsure for pair in found)


def test_all_texts_of_a_source_are_its_references(tiny: CausalBackbone) -> None:
    (first, *_) = drawn(tiny, PAIRS[:1])
    again = drawn(tiny, [*PAIRS[:1], Pair(PAIRS[0].source, first.hypothesis)])
    assert again[0].hypothesis == first.hypothesis
    assert (again[0].errors, again[0].unsure) == ((), ())


def test_a_killed_call_goes_on(
    tiny: CausalBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampled_texts, "_WINDOW", 2)
    file = tmp_path / "sampled" / "train.jsonl"
    whole = drawn(tiny, file=file)
    lines = file.read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["source"] for line in lines[1:]] == sorted(
        (pair.source for pair in PAIRS), key=lambda source: len(source or "")
    )
    asked = []
    draw = sampled_texts.draw_hypotheses

    def counted(
        backbone: CausalBackbone, sources: list[str], *rest: object, **own: object
    ) -> object:
        asked.append(len(sources))
        return draw(backbone, sources, *rest, **own)  # type: ignore[arg-type]

    monkeypatch.setattr(sampled_texts, "draw_hypotheses", counted)
    # Three sources were done, and of a fourth one half a line stands there
    file.write_bytes(b"".join(lines[:4]) + lines[4][:5])
    assert drawn(tiny, file=file) == whole
    assert asked == [2, 1]
    assert file.read_bytes() == b"".join(lines)
    assert drawn(tiny, file=file) == whole
    assert asked == [2, 1]
    # Other draws take the place of these
    drawn(tiny, file=file, seed=4)
    assert asked == [2, 1, 2, 2, 1]


def test_endless_and_empty_samples_are_left_out(tiny: CausalBackbone) -> None:
    assert drawn(tiny, max_new_tokens=1) == []


def test_texts_that_translate_nothing_are_refused(tiny: CausalBackbone) -> None:
    with pytest.raises(TrainingError, match="none of the 2 does"):
        drawn(
            tiny,
            [
                Pair(None, "Ein Hund."),
                Pair("Hi", "Ja.", history=({"role": "user", "content": "Hi"},)),
            ],
        )


def test_common_words_are_frequent_ones() -> None:
    texts = ["Der Hund und der Ball."] * 2 + ["Der Mann und die Frau, der Ball."]
    common, others = common_words(texts)
    assert common == {"der", "und", "ball"}
    assert others == ["die", "frau", "hund", "mann"]
