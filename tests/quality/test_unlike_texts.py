"""Text in another language than a calibration knows is noticed, and ours is not."""

from itertools import product
from pathlib import Path

import pytest
from test_calibration import made

from headwise import QualityEstimator
from headwise.data.records.pairs import Pair
from headwise.data.records.signals import Signal
from headwise.heads import card_languages
from headwise.quality.calibration.usual_words import UsualWords
from headwise.quality.labelled_texts import label_signals
from headwise.quality.unlike_texts import UnlikeTexts

SUBJECTS = ("Der Hund", "Die Katze", "Ein Mann", "Eine Frau", "Das Kind", "Ein Junge")
ENDS = ("läuft auf der Straße", "sitzt in dem Garten", "schläft auf einer Bank", "ist in dem Haus")
GERMAN = [f"{s} {e} und {n} ist nicht da." for s in SUBJECTS for e in ENDS for n in "abcdefgh"]
FRENCH = ["Un chien court sur la plage.", "La femme lit un journal.", "Je ne sais pas pourquoi."]


@pytest.fixture(scope="module")
def german() -> UsualWords:
    usual = UsualWords.of(GERMAN)
    assert usual is not None
    return usual


def test_few_texts_teach_nothing() -> None:
    assert UsualWords.of(GERMAN[:20]) is None
    assert UsualWords.of([f"{a}{b}{c} " * 4 for a, b, c in product("abcdefgh", repeat=3)]) is None


def test_texts_are_known_by_their_usual_words(german: UsualWords) -> None:
    assert german.is_unlike("Die Frau und der Mann sind auf einer Bank in dem Garten.") is False
    assert [german.is_unlike(text) for text in FRENCH] == [True] * 3
    assert german.is_unlike("Guten Tag {name}") is None  # too short to say


def warning(german: UsualWords, hypotheses: list[str]) -> str | None:
    unlike = UnlikeTexts(made().model_copy(update={"usual_hypotheses": german}))
    for text in hypotheses:
        unlike.add("A source of some words.", text)
    return unlike.warning


def test_a_job_is_warned_once_with_counts(german: UsualWords) -> None:
    said = warning(german, FRENCH + GERMAN[:3])
    assert said is not None
    assert "3 of 6 hypotheses seem to be in another language" in said
    assert warning(german, FRENCH[:1]) is not None
    assert warning(german, [*GERMAN[:30], FRENCH[0]]) is None  # one odd text is in every file
    assert UnlikeTexts(None).warning is None


def test_the_languages_of_the_card_are_named(german: UsualWords, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert card_languages((tmp_path / "a", "some/hub-id")) == ()
    for text in ("no front matter", "---\nlanguage: [\n---\n", "---\ntags: [x]\n---\n"):
        (tmp_path / "a" / "README.md").write_text(text)
        assert card_languages((tmp_path / "a",)) == ()
    (tmp_path / "b" / "README.md").write_text("---\nlanguage: [en, de]\n---\n# A head\n")
    languages = card_languages((tmp_path / "a", tmp_path / "b"))
    assert languages == ("en", "de")
    known = made().model_copy(update={"usual_hypotheses": german, "languages": languages})
    unlike = UnlikeTexts(known)
    for text in FRENCH:
        unlike.add("A source.", text)
    assert "than the heads were trained for (en, de)" in (unlike.warning or "")
    assert "languages" not in known.model_dump()  # the file stays as it is


def test_swapped_columns_are_named(german: UsualWords) -> None:
    french = UsualWords(words="un la je ne sur pas chien femme", lowest=0.1)
    known = made().model_copy(update={"usual_sources": german, "usual_hypotheses": french})
    unlike = UnlikeTexts(known)
    for source, hypothesis in zip(FRENCH, GERMAN, strict=False):
        unlike.add(source, hypothesis)
    assert unlike.warning is not None
    assert "look swapped" in unlike.warning


def test_a_new_calibration_is_not_warned_by_the_old_one(
    estimator: QualityEstimator, german: UsualWords, caplog: pytest.LogCaptureFixture
) -> None:
    known = made().model_copy(update={"usual_hypotheses": german})
    calibrated = QualityEstimator(
        estimator.backbone, estimator.head, prompt=estimator.prompt, calibration=known
    )
    pairs = [Pair("A source of some words.", text, errors=()) for text in FRENCH]
    label_signals(calibrated, pairs, (Signal.SOFTMAX,))
    assert not caplog.messages
    list(calibrated.score_many(pairs, signals=["softmax"]))
    assert "seem to be in another language" in caplog.text
