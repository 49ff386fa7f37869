"""`quality` of several signals: how it is chosen, and that every way to score computes it alike."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import expit
from test_calibration import made
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Aggregation, Signal, aggregate
from headwise.heads import ErrorHead
from headwise.heads.storage.files import CALIBRATION_FILE
from headwise.quality.calibrate import calibrate
from headwise.quality.calibration.blend import Blend, evidence
from headwise.quality.calibration.calibrators import PlattCalibrator
from headwise.quality.calibration.record import Calibration, SentenceCalibration
from headwise.quality.labelled_texts import label_signals
from headwise.quality.signal_request import QualityHeads, SignalRequest

TOKENS = Blend(
    signals=("logprob", "sigmoid", "error"),  # type: ignore[arg-type]
    weights=(0.8, 0.5, 1.2),
    means=(-1.5, 0.5, 1.0),
    scales=(1.0, 2.0, 1.5),
    intercept=0.7,
)
TEXTS = Blend(
    signals=("logprob", "error", "quality"),  # type: ignore[arg-type]
    aggregations=("mean", "noisy_or", "min"),  # type: ignore[arg-type]
    weights=(0.5, 0.3, 0.2),
    means=(-1.0, 0.2, 0.5),
    scales=(0.5, 1.5, 1.0),
    intercept=-0.2,
)
RANKING = Blend.alone("entropy", "mean")


def blended() -> Calibration:
    platt = PlattCalibrator(slope=1.5, intercept=-0.25, on_logit=True)
    return made().model_copy(
        update={
            "blend": TOKENS,
            "token": platt,
            "sentence": SentenceCalibration(blend=TEXTS, calibrator=platt),
            "ranking": RANKING,
        }
    )


@pytest.fixture
def weighing(estimator: QualityEstimator) -> QualityEstimator:
    torch.manual_seed(3)
    # It looks at nothing that comes later, so that a stream says the same
    size = estimator.backbone.hidden_size
    head = ErrorHead(hidden_size=size, variant="causal", inner_size=5)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return QualityEstimator(
        estimator.backbone,
        estimator.head,
        error_head=head,
        prompt=estimator.prompt,
        calibration=blended(),
    )


def weighed(blend: Blend, columns: dict[Any, Any]) -> Any:
    """The formula of a blend and its calibrator."""
    total = blend.intercept + sum(
        w * (evidence(columns[f], f) - m) / s
        for f, w, m, s in zip(blend.features, blend.weights, blend.means, blend.scales, strict=True)
    )
    return expit(1.5 * np.asarray(total) - 0.25)


def by_hand(plain: ScoredHypothesis) -> tuple[list[float], float]:
    """Qualities of the text's tokens and of the text, from single signals."""
    columns = {s: [getattr(t, s) for t in plain.tokens] for s in TOKENS.signals}
    tokens = weighed(TOKENS, columns).tolist()
    values = {**columns, Signal.QUALITY: tokens}
    texts = {(s, how): [aggregate(values[s], how, signal=s)] for s, how in TEXTS.features}
    return tokens, float(weighed(TEXTS, texts)[0])


SINGLE = ("logprob", "sigmoid", "error", "entropy")


def test_every_way_to_score_gives_what_the_formula_says(weighing: QualityEstimator) -> None:
    source, hypothesis = PAIRS[0]
    (plain,) = weighing.score_many([(source, hypothesis)], signals=SINGLE)
    assert isinstance(plain, ScoredHypothesis)
    tokens, text = by_hand(plain)
    scored = weighing.score(source, hypothesis)
    assert scored.signals == (Signal.QUALITY,)
    assert [t.quality for t in scored.tokens] == pytest.approx(tokens, abs=1e-6)
    assert scored.quality == pytest.approx(text, abs=1e-6)
    assert scored.ranking_score is None
    many = [one for one in weighing.score_many([*PAIRS]) if isinstance(one, ScoredHypothesis)]
    assert many[0].quality == pytest.approx(text, abs=1e-6)
    generated = weighing.generate(source)
    assert generated.hypothesis == hypothesis
    assert generated.quality == pytest.approx(text, abs=1e-5)
    streamed = [t for t in weighing.stream(source) if not t.special]
    assert [t.quality for t in streamed] == pytest.approx(tokens, abs=1e-5)


def test_tokens_are_judged_by_their_text_in_every_way_to_score(weighing: QualityEstimator) -> None:
    source, hypothesis = PAIRS[0]
    assert weighing.calibration is not None
    context = TOKENS.model_copy(update={"aggregations": ("mean", None, None)})
    weighing.calibration = weighing.calibration.model_copy(update={"blend": context})
    (plain,) = weighing.score_many([(source, hypothesis)], signals=SINGLE)
    assert isinstance(plain, ScoredHypothesis)
    logprobs = [t.logprob for t in plain.tokens if t.logprob is not None]

    def judged(so_far: int) -> Any:
        columns: dict[Any, Any] = {s: [getattr(t, s) for t in plain.tokens] for s in TOKENS.signals}
        mean = float(np.mean(logprobs[:so_far]))
        columns[Signal.LOGPROB, Aggregation.MEAN] = [mean] * len(logprobs)
        return weighed(context, columns)

    tokens = judged(len(logprobs))
    scored = weighing.score(source, hypothesis)
    assert [t.quality for t in scored.tokens] == pytest.approx(tokens, abs=1e-6)
    assert scored.special_tokens[0].quality is not None
    many = [one for one in weighing.score_many([*PAIRS]) if isinstance(one, ScoredHypothesis)]
    assert [t.quality for t in many[0].tokens] == pytest.approx(tokens, abs=1e-6)
    assert many[0].quality == pytest.approx(scored.quality, abs=1e-6)
    generated = weighing.generate(source)
    assert [t.quality for t in generated.tokens] == pytest.approx(tokens, abs=1e-5)
    # While it is written, its text is what there is of it
    streamed = [t.quality for t in weighing.stream(source) if not t.special]
    expected = [judged(i + 1)[i] for i in range(len(logprobs))]
    assert streamed == pytest.approx(expected, abs=1e-5)


def test_hypotheses_are_ranked_by_the_choice_of_the_calibration(weighing: QualityEstimator) -> None:
    source, hypothesis = PAIRS[0]
    candidates = ["Die Katze.", hypothesis, "Ein Hund."]
    known = {c: weighing.score(source, c, signals=["entropy"]).score for c in candidates}
    ranked = weighing.rerank(source, candidates)
    assert [one.hypothesis for one in ranked] == sorted(candidates, key=lambda c: known[c] or 0.0)
    for one in ranked:
        assert one.ranking_score == pytest.approx(-(known[one.hypothesis] or 0.0), abs=1e-5)
        assert one.signals == (Signal.QUALITY,)
        assert one.as_dict()["ranking_score"] == one.ranking_score
        assert ScoredHypothesis.from_dict(one.as_dict("token")).ranking_score == one.ranking_score
    by_mean = weighing.rerank(source, candidates, by="mean")
    assert [one.score for one in by_mean] == sorted((o.score for o in by_mean), reverse=True)
    by_error = weighing.rerank(source, candidates, signals=["error", "quality"])
    assert [one.score for one in by_error] == sorted(o.score for o in by_error)
    assert {one.ranking_score for one in (*by_mean, *by_error)} == {None}


def test_only_what_is_wanted_is_computed() -> None:
    def computed(**wishes: bool) -> frozenset[Signal]:
        return SignalRequest((Signal.QUALITY,), calibration=calibration, **wishes).computed

    calibration = blended().model_copy(update={"blend": Blend.alone("sigmoid")})
    assert computed(texts=False) == {"sigmoid"}
    assert computed() == {"sigmoid", "logprob", "error"}
    assert computed(texts=False, ranks=True) == {"sigmoid", "entropy"}
    request = SignalRequest((Signal.SIGMOID,), calibration=calibration, ranks=True)
    assert request.computed == {"sigmoid"}
    assert not QualityHeads().can_give(Signal.QUALITY, calibration)


def test_it_is_saved_and_read(tmp_path: Any) -> None:
    calibration = blended()
    calibration.save(tmp_path)
    assert json.loads((tmp_path / CALIBRATION_FILE).read_text("utf-8"))["version"] == 2
    assert Calibration.load(tmp_path) == calibration
    assert calibration.signal is None
    card = tmp_path / "README.md"
    card.write_text("# A head\n\nIts facts.\n", "utf-8")
    for _ in range(2):
        calibration.save(tmp_path)
    said = card.read_text("utf-8")
    assert said.startswith("# A head\n\nIts facts.\n\n## What `quality` is made of\n")
    assert said.count("| ranking | mean of entropy |\n") == 1
    assert calibration.described == {
        "tokens": "0.80 logprob + 0.50 sigmoid + 1.20 error",
        "texts": "0.50 mean of logprob + 0.30 noisy_or of error + 0.20 min of quality",
        "ranking": "mean of entropy",
    }


def test_files_of_version_1_mean_what_they_meant(tmp_path: Any) -> None:
    folder = tmp_path
    fit = fitted(Partial(), signal="error", aggregation="min", method="isotonic")
    fit.model_copy(update={"ranking": None}).save(folder)
    row = json.loads((folder / CALIBRATION_FILE).read_text("utf-8"))
    assert (row["version"], row["signal"], row["sentence"]["aggregation"]) == (1, "error", "min")
    assert not {"blend", "ranking"} & row.keys()
    found = Calibration.load(folder)
    assert found is not None
    assert found.signal is Signal(row["signal"])
    assert found.ranking is None
    assert found.described["ranking"] == "mean of quality"
    wrong = np.linspace(0.0, 1.0, 1001)
    knots, values = row["token"]["knots"], row["token"]["values"]
    expected = np.interp(1.0 - wrong, knots, values)
    assert (found.token_quality({Signal.ERROR: wrong.tolist()}) == expected).all()
    how, of_text = row["sentence"]["aggregation"], row["sentence"]["calibrator"]
    value = aggregate([0.2, 0.4, 0.05], how, signal=Signal.ERROR)
    assert value is not None
    assert found.sentence_quality({Signal.ERROR: [0.2, 0.4, 0.05]}) == float(
        np.interp(1.0 - value, of_text["knots"], of_text["values"])
    )
    found.save(folder)
    assert json.loads((folder / CALIBRATION_FILE).read_text("utf-8")) == row


# The choice


class Partial:
    """An estimator of which each signal knows of its own kind of mistakes; words are places."""

    def __init__(self, *, knows: float = 1.0) -> None:
        self.heads = QualityHeads(error=ErrorHead(hidden_size=2, inner_size=2))
        self._rng = np.random.default_rng(0)
        self._knows = knows

    def scorer(self, _: Any) -> Any:
        return self

    def score_many(self, pairs: Any, **_: Any) -> Any:
        for pair in pairs:
            place, tokens = 0, []
            for word in pair.hypothesis.split():
                doubt, chance = self._rng.normal(size=2)
                doubt += 2.0 * (word == "no")
                chance -= self._knows * 2.0 * (word == "no")
                values = {"error": float(expit(doubt)), "softmax": float(expit(chance))}
                tokens.append(ScoredToken(text=word, start=place, end=place + len(word), **values))
                place += len(word) + 1
            signals = (Signal.ERROR, Signal.SOFTMAX)
            yield ScoredHypothesis(pair.source, pair.hypothesis, tuple(tokens), (), signals)


def judged(count: int = 300) -> list[Pair]:
    """Three texts a source, with no, one and two wrong words."""
    pairs = []
    for number in range(count):
        words = ["yes"] * 6
        words[: number % 3] = ["no"] * (number % 3)
        errors = tuple(ErrorSpan(3 * place, 3 * place + 2) for place in range(number % 3))
        pairs.append(Pair(f"Source {number // 3}.", " ".join(words), errors=errors))
    return pairs


def spans(*places: int) -> tuple[ErrorSpan, ...]:
    """Marks of words in a text of "no" and "yes" in turn."""
    starts = {0: 0, 2: 7, 4: 14}
    return tuple(ErrorSpan(starts[place], starts[place] + 2) for place in places)


def fitted(estimator: Any, count: int = 300, **options: Any) -> Calibration:
    options = {"method": "platt", "default": "f1", **options}
    return calibrate(estimator, judged(count), **options)


def test_what_is_better_together_is_weighed() -> None:
    calibration = fitted(Partial(), 900)
    assert set(calibration.blend.signals) == {Signal.ERROR, Signal.SOFTMAX}
    assert calibration.signal is None
    assert calibration.sentence is not None
    assert len(calibration.sentence.blend.signals) == 2
    tokens, ranking, texts = calibration.provenance.notes
    assert tokens.startswith(f"Made of {calibration.blend.name}, better than each alone by ROC AUC")
    assert "weighed together 0.9" in tokens
    assert texts.startswith(f"Texts are made of {calibration.sentence.blend.name}, better than")
    assert calibration.ranking is not None
    assert ranking.startswith(f"Hypotheses are ranked by {calibration.ranking.name}, by pairwise")
    assert calibration.provenance.tokens.ece_before is not None


def test_what_a_text_says_of_its_tokens_is_weighed_where_that_is_asked_for() -> None:
    # A text with an error has three in six words wrong, so that its other words tell of each
    pairs = judged(600)
    bad = [Pair(p.source, "no yes no yes no yes", errors=spans(0, 2, 4)) for p in pairs[1::3]]
    made_up = [pair for number, pair in enumerate(pairs) if number % 3 == 0] + bad
    options: dict[str, Any] = {"method": "platt", "default": "f1", "signal": "softmax"}
    weak: Any = Partial(knows=0.5)
    alone = calibrate(weak, made_up, **options)
    calibration = calibrate(weak, made_up, context=True, **options)
    text = (Signal.SOFTMAX, Aggregation.MEAN)
    assert calibration.blend.features == (Signal.SOFTMAX, text)
    assert min(calibration.blend.weights) > 0.1
    note = calibration.provenance.notes[0]
    assert note.startswith(f"Made of {calibration.blend.name}, better than each alone by ROC AUC")
    after, before = calibration.provenance.tokens.roc_auc, alone.provenance.tokens.roc_auc
    assert after is not None
    assert before is not None
    assert after > before


def test_what_is_no_better_together_is_left_alone() -> None:
    calibration = fitted(Partial(knows=0.0))
    assert calibration.signal is Signal.ERROR
    assert calibration.sentence is not None
    assert calibration.sentence.blend.signals == (Signal.ERROR,)
    note, *_ = calibration.provenance.notes
    assert note.startswith("Made of error, the best by ROC AUC of tokens")
    assert "softmax 0.5" in note or "softmax 0.4" in note


def test_several_signals_are_weighed_where_they_are_asked_for() -> None:
    calibration = fitted(Partial(), signal=("error", "softmax"), aggregation="min")
    assert calibration.blend.signals == (Signal.ERROR, Signal.SOFTMAX)
    assert calibration.sentence is not None
    assert calibration.sentence.blend == Blend.alone("quality", "min")
    again = fitted(Partial(), signal="error,softmax", aggregation="min")
    assert again == calibration
    with pytest.raises(ValueError, match="got 'omission'"):
        fitted(Partial(), signal=["error", "omission"])


def test_texts_may_be_made_of_something_else_than_tokens() -> None:
    def made_of_softmax(**options: Any) -> Calibration:
        return fitted(Partial(), signal="error", text_signal="softmax", **options)

    found = made_of_softmax(aggregation="root_length")
    assert found.blend.signals == (Signal.ERROR,)
    assert found.sentence is not None
    assert found.sentence.blend == Blend.alone("softmax", "root_length")
    same = fitted(Partial(), signal="softmax", aggregation="root_length").sentence
    assert same is not None
    assert found.sentence == same
    both = fitted(
        Partial(), signal="error", text_signal="error,softmax", aggregation="root_length"
    ).sentence
    assert both is not None
    expected = {(Signal.ERROR, Aggregation.ROOT_LENGTH), (Signal.SOFTMAX, Aggregation.ROOT_LENGTH)}
    assert set(both.blend.features) == expected
    with pytest.raises(ValueError, match="got 'quality'"):
        fitted(Partial(), text_signal="quality")


def test_ranking_is_chosen_by_the_order_of_hypotheses() -> None:
    pairs = judged()
    labelled = label_signals(Partial(), pairs, (Signal.ERROR, Signal.SOFTMAX))  # type: ignore[arg-type]
    softmax = labelled.sentences(Blend.alone("softmax", "mean"))
    calibration = fitted(Partial(), gold=softmax.tolist())
    assert calibration.ranking == Blend.alone("softmax", "mean")
    note = calibration.provenance.notes[1]
    assert note.startswith("Hypotheses are ranked by mean of softmax, by pairwise accuracy within")
    assert "mean of softmax 1.000" in note


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"gold": [None] * 300}, None),
        ({"ranking": "texts"}, None),
        ({"ranking": "softmax"}, Blend.alone("softmax", "mean")),
        ({"ranking": "quality"}, Blend.alone("quality", "mean")),
    ],
)
def test_ranking_without_a_choice(options: dict[str, Any], expected: Blend | None) -> None:
    calibration = fitted(Partial(), **options)
    assert calibration.sentence is not None
    assert calibration.ranking == (expected or calibration.sentence.blend)
    said = [note for note in calibration.provenance.notes if "Hypotheses are ranked" in note]
    assert len(said) == ("gold" in options)


def test_training_says_that_several_signals_are_weighed() -> None:
    from headwise.quality.after_training import TrainedErrorHead

    trained: Any = TrainedErrorHead(
        report=SimpleNamespace(),  # type: ignore[arg-type]
        aurocs={Signal.ERROR: 0.9},
        default=Signal.QUALITY,
        calibration=blended(),
        not_calibrated=None,
    )
    assert "made of 0.80 logprob + 0.50 sigmoid + 1.20 error, better than each" in trained.verdict


def test_blends_of_texts_and_tokens_are_not_taken_for_each_other() -> None:
    row = blended().model_dump()
    for change in (
        {"blend": TEXTS.model_dump()},
        {"ranking": TOKENS.model_dump()},
        {"sentence": {**row["sentence"], "blend": TOKENS.model_dump()}},
    ):
        with pytest.raises(ValueError, match=r"must be their own|how tokens are aggregated"):
            Calibration.model_validate({**row, **change})
