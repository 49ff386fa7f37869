"""A calibration: fitted on one half, saved with the head, used by every way to score."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.data.readers import read_scored
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.data.writers import json_line, scored_row
from headwise.errors import CalibrationError
from headwise.heads import copy_head, save_head
from headwise.heads.storage.files import CALIBRATION_FILE
from headwise.metrics.probability import brier, expected_calibration_error
from headwise.quality.calibrate import calibrate
from headwise.quality.calibration.blend import Blend
from headwise.quality.calibration.calibrators import IsotonicCalibrator, PlattCalibrator
from headwise.quality.calibration.provenance import Counts, Fit, Provenance
from headwise.quality.calibration.record import Calibration, SentenceCalibration
from headwise.quality.calibration.thresholds import Aim, Rule, Threshold
from headwise.quality.job import score_file
from headwise.quality.labelled_texts import label_texts

NOUNS = ("Hund", "Mann", "Ball", "Baum", "Tee", "Park", "Strand", "Abend", "Junge", "Vogel")
ENGLISH = ("dog", "man", "ball", "tree", "tea", "park", "beach", "evening", "boy", "bird")


def test_what_nobody_knows_counts_nowhere(estimator: QualityEstimator) -> None:
    wrong = Pair("A.", "Ein Hund rennt.", errors=(ErrorSpan(4, 8),), unsure=((9, 14),))
    doubtful = Pair("B.", "Ein Hund rennt.", errors=(), unsure=((0, 3),))
    right = Pair("C.", "Ein Hund rennt.", errors=())
    found = label_texts(estimator, [wrong, doubtful, right], Signal.SOFTMAX)
    plain = label_texts(estimator, [replace(wrong, unsure=()), right, right], Signal.SOFTMAX)
    assert len(found.tokens()) == len(found.wrong()) == len(found.token_groups())
    assert len(found.tokens()) < len(plain.tokens())
    assert found.wrong().sum() == plain.wrong().sum() > 0
    assert found.settled().flawless().tolist() == [False, True]
    assert found.counts().texts_with_errors == 1
    assert found.counts().tokens == len(found.tokens())


def texts(count: int = 160) -> list[Pair]:
    """Pairs, every other one with a marked word; what is marked has nothing to do with scores."""
    rng = np.random.default_rng(0)
    pairs = []
    for number in range(count):
        a, b = rng.choice(10, 2, replace=False)
        hypothesis = f"Ein {NOUNS[a]} und ein {NOUNS[b]} {number}."
        at = hypothesis.index(NOUNS[b])
        error = ErrorSpan(at, at + len(NOUNS[b]), category="noun" if number % 4 else None)
        pairs.append(
            Pair(
                f"A {ENGLISH[a]} and a {ENGLISH[b]} {number}.",
                hypothesis,
                errors=(error,) if number % 2 else (),
            )
        )
    return pairs


def made(signal: Signal = Signal.SIGMOID, *, sentence: bool = True) -> Calibration:
    """A calibration whose numbers can be followed by hand."""
    token = (
        IsotonicCalibrator(knots=(0.0, 1.0), values=(0.25, 0.75))
        if signal.is_probability
        else PlattCalibrator(slope=0.5, intercept=1.0, on_logit=False)
    )
    nothing = Counts(sources=0, texts=0, texts_with_errors=0, tokens=0, wrong_tokens=0)
    fit = Fit(
        ece_before=None,
        ece_after=None,
        brier_before=None,
        brier_after=None,
        roc_auc=None,
        share_correct=None,
    )
    return Calibration(
        blend=Blend.alone(signal),
        token=token,
        sentence=SentenceCalibration(
            blend=Blend.alone(signal, "mean"),
            calibrator=PlattCalibrator(slope=2.0, intercept=-1.0, on_logit=False),
        )
        if sentence
        else None,
        thresholds={"f1": Threshold(aim=Aim.F1, value=0.55005, units=3)},
        default="f1",
        provenance=Provenance(errors={}, fitted_on=nothing, chosen_on=nothing, tokens=fit),
    )


@pytest.fixture
def calibrated(estimator: QualityEstimator) -> QualityEstimator:
    return QualityEstimator(
        estimator.backbone, estimator.head, prompt=estimator.prompt, calibration=made()
    )


@pytest.fixture(scope="module")
def fitted(estimator: QualityEstimator) -> Calibration:
    return calibrate(estimator, texts(), data=["made.tsv"], default="f1")


# The signal


def test_quality_comes_with_the_pass_of_its_signal(
    calibrated: QualityEstimator, estimator: QualityEstimator
) -> None:
    pair = ("A dog runs on the beach.", "Ein Hund läuft am Strand.")
    plain = estimator.score(*pair)
    scored = calibrated.score(*pair, signals=["quality"])
    assert scored.signals == (Signal.QUALITY,)
    expected = [0.25 + 0.5 * token.sigmoid for token in plain.tokens if token.sigmoid is not None]
    assert [token.quality for token in scored.tokens] == pytest.approx(expected, abs=1e-6)
    assert all(token.sigmoid is None for token in scored.tokens)
    assert all(token.quality is not None for token in scored.special_tokens)
    assert plain.score is not None
    assert scored.quality == pytest.approx(1 / (1 + np.exp(1 - 2 * plain.score)), abs=1e-6)
    assert scored.threshold == 0.55005
    both = calibrated.score(*pair, signals=["sigmoid", "quality"])
    assert both.score == pytest.approx(plain.score, abs=1e-7)
    assert both.quality == scored.quality


@pytest.mark.parametrize("base", ["softmax", "logprob", "entropy", "boosted", "rank"])
def test_every_signal_can_be_calibrated(estimator: QualityEstimator, base: str) -> None:
    calibration = made(Signal(base))
    own = QualityEstimator(
        estimator.backbone, None, prompt=estimator.prompt, calibration=calibration
    )
    pair = ("A dog runs on the beach.", "Ein Strand läuft am Hund.")
    plain = own.score(*pair, signals=[base])
    scored = own.score(*pair, signals=["quality"])
    values = [getattr(token, base) for token in plain.tokens]
    qualities = [token.quality for token in scored.tokens]
    sign = 1 if Signal(base).higher_is_better else -1
    order = np.argsort([sign * v for v in values], kind="stable")
    assert (np.diff(np.array(qualities)[order]) >= -1e-9).all()
    assert scored.aggregate("product") is not None


def test_quality_without_a_calibration(estimator: QualityEstimator) -> None:
    assert estimator.calibration is None
    with pytest.raises(ValueError, match="headwise calibrate"):
        estimator.score("A dog.", "Ein Hund.", signals=["quality"])


def test_quality_of_a_head_that_is_not_there(estimator: QualityEstimator) -> None:
    bare = QualityEstimator(estimator.backbone, prompt=estimator.prompt, calibration=made())
    with pytest.raises(ValueError, match="'sigmoid' needs a head"):
        bare.score("A dog.", "Ein Hund.", signals=["quality"])


def test_the_calibration_may_be_set(estimator: QualityEstimator) -> None:
    own = QualityEstimator(estimator.backbone, estimator.head, prompt=estimator.prompt)
    own.calibration = made(sentence=False)
    scored = own.score("A dog.", "Ein Hund.", signals=["quality"])
    assert scored.quality is None
    assert scored.threshold == 0.55005


def test_generated_streamed_and_reranked_text_has_quality(calibrated: QualityEstimator) -> None:
    source = "A dog runs on the beach."
    generated = calibrated.generate(source, signals=["quality"])
    scored = calibrated.score(source, generated.hypothesis, signals=["quality"])
    assert generated.quality == pytest.approx(scored.quality, abs=1e-5)
    assert generated.threshold == scored.threshold
    streamed = [token.quality for token in calibrated.stream(source, signals=["quality"])]
    known = [token.quality for token in generated.tokens + generated.special_tokens]
    assert streamed == pytest.approx(known, abs=1e-5)
    ranked = calibrated.rerank(
        source, ["Die Katze saß.", generated.hypothesis], signals=["quality"]
    )
    assert ranked[0].quality is not None
    assert ranked[0].score is not None
    assert ranked[1].score is not None
    assert ranked[0].score >= ranked[1].score


def test_spans_use_the_threshold_of_the_calibration(calibrated: QualityEstimator) -> None:
    pair = ("A dog runs on the beach.", "Ein Strand läuft am Hund.")
    scored = calibrated.score(*pair, signals=["quality", "sigmoid"])
    assert scored.spans() == scored.spans(below=0.55005)
    assert scored.spans(signal="quality", level="token") == scored.spans(
        below=0.55005, level="token"
    )
    with pytest.warns(UserWarning, match="`sigmoid`: 0.5 is taken"):
        assert scored.spans(signal="sigmoid") == scored.spans(below=0.5, signal="sigmoid")
    with pytest.raises(ValueError, match="not both"):
        scored.spans(below=0.5, above=0.5)
    assert scored.spans(below=0.99) != scored.spans()


def test_spans_without_a_calibration_lie_below_a_half(estimator: QualityEstimator) -> None:
    scored = estimator.score("A dog runs on the beach.", "Ein Strand läuft am Hund.")
    assert scored.threshold == 0.5
    with pytest.warns(UserWarning, match="No calibration draws .* 0.5 is taken"):
        found = scored.spans()
    assert found == scored.spans(below=0.5) == scored.to_check
    assert found


def test_rows_carry_what_the_calibration_says(calibrated: QualityEstimator, tmp_path: Path) -> None:
    scored = calibrated.score("A dog.", "Ein Hund.", signals=["quality"])
    row = scored.as_dict("token")
    assert row["text_quality"] == scored.quality
    assert row["signals"] == {"quality": scored.score}
    path = tmp_path / "scored.jsonl"
    path.write_bytes(json_line(scored_row(scored, "token")))
    (again,) = read_scored(path)
    assert again == scored
    assert again.spans() == scored.spans()


def test_columns_of_the_input_are_not_taken_for_ours(
    estimator: QualityEstimator, calibrated: QualityEstimator
) -> None:
    pair = Pair("A dog.", "Ein Hund.", extra={"threshold": "high", "text_quality": "good"})
    (plain,) = estimator.score_many([pair])
    assert isinstance(plain, ScoredHypothesis)
    again = ScoredHypothesis.from_dict(plain.as_dict("token"))
    assert again == replace(plain, extra={"text_quality": "good"})
    (scored,) = calibrated.score_many([pair], signals=["quality"])
    assert isinstance(scored, ScoredHypothesis)
    row = scored_row(scored, "token")
    assert row["input_threshold"] == "high"
    assert ScoredHypothesis.from_dict(row).threshold == 0.55005


@pytest.mark.parametrize("level", ["sentence", "token"])
def test_tables_have_the_columns(calibrated: QualityEstimator, tmp_path: Path, level: Any) -> None:
    source = tmp_path / "pairs.tsv"
    source.write_text("A dog.\tEin Hund.\nThe cat.\tDie Katze.\n", encoding="utf-8")
    for suffix in ("tsv", "parquet"):
        output = tmp_path / f"scored.{suffix}"
        score_file(
            calibrated, source, output, model="parrot", level=level, signals=["quality", "sigmoid"]
        )
    header, first, _ = (tmp_path / "scored.tsv").read_text("utf-8").splitlines()
    columns = header.split("\t")
    assert columns[:9] == [
        *("source", "hypothesis", "score", "sigmoid"),
        *("text_quality", "threshold", "segment_threshold", "flagged", "to_check"),
    ]
    assert float(first.split("\t")[5]) == 0.55005


# Fitting


def test_fitted_on_one_half_and_checked_on_the_other(
    estimator: QualityEstimator, fitted: Calibration
) -> None:
    known = fitted.provenance
    assert known.data == ("made.tsv",)
    assert known.fitted_on.sources + known.chosen_on.sources == 160
    assert known.fitted_on.texts_with_errors + known.chosen_on.texts_with_errors == 80
    assert known.errors == {"noun": 80}
    judged = label_texts(estimator, texts(), Signal.SIGMOID)
    one, other = judged.halves()
    assert one.counts() == known.fitted_on
    assert not {t.group for t in one.texts} & {t.group for t in other.texts}
    assert fitted.token == IsotonicCalibrator.fit(one.tokens(), ~one.wrong())
    after = fitted.token(other.tokens())
    assert known.tokens.ece_after == expected_calibration_error(after, ~other.wrong()).value
    assert (
        known.tokens.ece_before == expected_calibration_error(other.tokens(), ~other.wrong()).value
    )
    assert known.tokens.brier_after == brier(after, ~other.wrong()).value


def test_labels_are_the_tokens_that_overlap_an_error(estimator: QualityEstimator) -> None:
    (text,) = label_texts(
        estimator,
        [Pair("A dog.", "Ein Hund läuft.", errors=(ErrorSpan(4, 8), ErrorSpan(6, 9)))],
        Signal.SIGMOID,
    ).texts
    scored = estimator.score("A dog.", "Ein Hund läuft.")
    expected = tuple(t.start < 9 and t.end > 4 for t in scored.tokens if t.text)
    assert text.wrong == expected
    assert any(expected)
    assert not all(expected)


def test_why_no_text_can_be_scored_is_said(estimator: QualityEstimator) -> None:
    pairs = [Pair("A dog.", " ", errors=()), Pair("A cat.", "", errors=())]
    with pytest.raises(CalibrationError, match=r"None of the 2 texts can be scored: .*empty"):
        calibrate(estimator, pairs)


def test_thresholds_are_measured_on_the_second_half(
    estimator: QualityEstimator, fitted: Calibration
) -> None:
    _, other = label_texts(estimator, texts(), Signal.SIGMOID).halves()
    p, wrong = fitted.token(other.tokens()), other.wrong()
    for one in fitted.thresholds.values():
        if one.value is None:
            continue
        flags = p < one.value
        assert one.flagged == pytest.approx(flags.mean())
        assert one.recall == pytest.approx(flags[wrong].mean())


def test_texts_of_a_group_stay_together(estimator: QualityEstimator) -> None:
    pairs = texts(40)
    groups = [str(index // 4) for index in range(40)]
    one, other = label_texts(estimator, pairs, Signal.SIGMOID, groups=groups).halves()
    assert not {t.group for t in one.texts} & {t.group for t in other.texts}
    assert one.counts().sources + other.counts().sources == 10
    assert len(set(other.decisions(made().token).units.tolist())) == other.counts().sources


@pytest.mark.parametrize("method", ["isotonic", "platt"])
@pytest.mark.parametrize("signal", ["softmax", "entropy"])
def test_other_signals_and_methods(estimator: QualityEstimator, method: Any, signal: str) -> None:
    pairs = []
    for number in range(150):
        source, hypothesis = PAIRS[number % 6]
        first, rest = hypothesis.split(" ", 1)
        error = ErrorSpan(0, len(first))
        # What the model knows by heart is right, its first word turned round is wrong
        pairs.append(
            Pair(source, f"{first[::-1]} {rest}", errors=(error,))
            if number % 4 == 3
            else Pair(source, hypothesis, errors=())
        )
    calibration = calibrate(
        estimator,
        pairs,
        method=method,
        signal=signal,
        default="f1",
        groups=list(map(str, range(150))),
    )
    assert calibration.signal == signal
    assert (calibration.provenance.tokens.ece_before is None) == (signal == "entropy")
    assert calibration.provenance.tokens.roc_auc > 0.6
    estimator = QualityEstimator(
        estimator.backbone, estimator.head, prompt=estimator.prompt, calibration=calibration
    )
    assert estimator.score("A dog.", "Ein Hund.", signals=["quality"]).score is not None


def test_texts_all_with_errors_have_no_probability_of_texts(estimator: QualityEstimator) -> None:
    pairs = [pair for pair in texts() if pair.errors]
    calibration = calibrate(estimator, pairs, default="f1", force=True)  # few tokens, much chance
    assert calibration.sentence is None
    assert "No probabilities of texts" in calibration.provenance.notes[-1]


def test_pairs_that_cannot_be_scored_are_counted(estimator: QualityEstimator) -> None:
    bad = Pair("A dog.", "Ein </s> Hund.", errors=())
    calibration = calibrate(estimator, [*texts(), bad], default="f1")
    assert calibration.provenance.left_out == 1


def test_unknown_errors_are_refused(estimator: QualityEstimator) -> None:
    with pytest.raises(CalibrationError, match="line 7 does not say"):
        calibrate(estimator, [Pair("A dog.", "Ein Hund.", line=7)])


def test_too_little_data(estimator: QualityEstimator) -> None:
    with pytest.raises(CalibrationError, match="at least 10 right and 10 wrong"):
        calibrate(estimator, texts(6))


def test_a_default_without_a_value_says_why(estimator: QualityEstimator) -> None:
    rule = Rule.of("risk-0.001")
    with pytest.raises(CalibrationError, match="needs 999 or more sources"):
        calibrate(estimator, texts(), rules=[rule], default="risk-0.001")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "beta"}, "`method` must be one of"),
        ({"signal": "quality"}, "`signal` must be"),
        ({"signal": "loudness"}, "loudness"),
        ({"default": "risk-0.3"}, "`default` must be one of"),
        ({"groups": ["a"]}, "one a pair"),
        ({"aggregation": "sum"}, "sum"),
    ],
)
def test_wrong_options(estimator: QualityEstimator, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        calibrate(estimator, texts(40), **options)


# On disk


def test_round_trip(fitted: Calibration, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    assert Calibration.load(tmp_path) == fitted
    assert json.loads((tmp_path / CALIBRATION_FILE).read_text("utf-8"))["version"] == 2
    old = fitted.model_copy(update={"ranking": None})
    old.save(tmp_path)
    row = json.loads((tmp_path / CALIBRATION_FILE).read_text("utf-8"))
    assert (row["version"], row["signal"], row["sentence"]["aggregation"]) == (
        *(1, "sigmoid", "root_length"),
    )
    assert Calibration.load(tmp_path) == old


def test_a_folder_without_one(tmp_path: Path) -> None:
    assert Calibration.load(tmp_path) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda row: row.update(version=2),
        lambda row: row.update(signal="loudness"),
        lambda row: row.update(signal="quality"),
        lambda row: row.update(default="mcc"),
        lambda row: row["token"].update(method="beta"),
        lambda row: row["token"].update(values=[0.9, 0.1]),
        lambda row: row.update(surprise=1),
        lambda row: row.pop("thresholds"),
        lambda row: row["thresholds"]["f1"].update(value=None, reason="none"),
        lambda row: row["thresholds"]["f1"].update(value=1.5),
    ],
)
def test_damaged_files_are_named(tmp_path: Path, change: Any) -> None:
    row = made().model_dump(mode="json")
    change(row)
    (tmp_path / CALIBRATION_FILE).write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(CalibrationError, match=r"calibration\.json is damaged"):
        Calibration.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"version": 1}'])
def test_files_that_are_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CALIBRATION_FILE).write_bytes(content)
    with pytest.raises(CalibrationError, match="remove it"):
        Calibration.load(tmp_path)


def test_it_travels_with_the_head_and_not_with_another(
    estimator: QualityEstimator, tmp_path: Path
) -> None:
    assert estimator.head is not None
    folder = save_head(estimator.head, tmp_path / "head", backbone="parrot")
    made().save(folder)
    copy = copy_head(folder, tmp_path / "copy", dtype="bfloat16")
    assert Calibration.load(copy) == made()
    copy_head(folder, folder)
    assert Calibration.load(folder) == made()
    save_head(estimator.head, folder)
    assert Calibration.load(folder) is None


def test_the_estimator_finds_it(estimator: QualityEstimator, tmp_path: Path) -> None:
    model = tmp_path / "model"
    estimator.backbone.model.save_pretrained(model)
    estimator.backbone.tokenizer.save_pretrained(model)
    assert estimator.head is not None
    folder = save_head(
        estimator.head, tmp_path / "head", prompt=estimator.prompt.model_dump(), backbone="parrot"
    )
    made().save(folder)
    loaded = QualityEstimator.from_pretrained(model, folder)
    assert loaded.calibration == made()
    assert loaded.default_signal is Signal.QUALITY
    (folder / CALIBRATION_FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(CalibrationError):
        QualityEstimator.from_pretrained(model, folder)


def test_records_check_themselves() -> None:
    with pytest.raises(ValidationError, match="default"):
        Calibration(**{**made().model_dump(), "default": "f2"})
