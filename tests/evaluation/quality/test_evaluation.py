import json

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau, pearsonr, spearmanr
from scored_texts import judged_texts, scored_text
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from headwise.backbones import NAMED_PROMPTS
from headwise.choices import Unit
from headwise.data.records.signals import Signal
from headwise.errors import DataError
from headwise.evaluation import (
    EvaluationProtocol,
    Question,
    Resampling,
    SignificanceTest,
    Source,
    evaluate,
)
from headwise.heads import ErrorHead
from headwise.quality import QualityEstimator

QUICK = Resampling(resamples=150, workers=1)


def nobody():
    raise AssertionError("The model is not needed for what is scored.")


def write(path, scored, *, level="token", more=None):
    lines = [
        json.dumps({**one.as_dict(level), **(more[i] if more else {})})
        for i, one in enumerate(scored)
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


@pytest.fixture
def texts():
    return judged_texts(60, seed=3)


@pytest.fixture
def file(tmp_path, texts):
    more = [{"gold": t.gold, "good": int(t.gold == 0), "half": i // 30}
            for i, t in enumerate(texts)]  # fmt: skip
    return write(tmp_path / "scored.jsonl", [t.scored for t in texts], more=more)


def ask(file, resampling=QUICK, aggregations=("mean",), **of_question):
    question = Question(
        source=Source(path=file), resampling=resampling, aggregations=aggregations, **of_question
    )
    return evaluate(question, nobody).evaluation


def metrics(evaluation, table, signal, aggregation=None):
    found = evaluation.as_dict()["tables"][table]["rows"]
    (row,) = [r for r in found if (r["signal"], r["aggregation"]) == (signal, aggregation)]
    return row["metrics"]


def means(texts, signal="sigmoid"):
    return np.array([t.scored.aggregate(signal=signal) for t in texts])


def test_correlation_is_that_of_scipy(file, texts) -> None:
    found = ask(file, gold="gold")
    assert found.protocol == "correlation"
    measured = metrics(found, "correlation", "sigmoid", "mean")
    gold = np.array([t.gold for t in texts])
    for name, of in {"pearson": pearsonr, "spearman": spearmanr, "kendall": kendalltau}.items():
        assert measured[name]["value"] == pytest.approx(of(means(texts), gold)[0], abs=1e-9)
    assert measured["pearson"]["low"] < measured["pearson"]["value"] < measured["pearson"]["high"]


def test_labels_are_compared_as_in_scikit_learn(file, texts) -> None:
    found = ask(file, gold="good")
    assert found.protocol == "binary"
    measured = metrics(found, "binary", "sigmoid", "mean")
    good = [t.gold == 0 for t in texts]
    scores = means(texts)
    assert measured["roc_auc"]["value"] == pytest.approx(roc_auc_score(good, scores), abs=1e-9)
    assert measured["average_precision"]["value"] == pytest.approx(
        average_precision_score(good, scores), abs=1e-9
    )
    assert measured["brier"]["value"] == pytest.approx(brier_score_loss(good, scores), abs=1e-9)


def test_marked_tokens_are_compared_as_in_scikit_learn(file, texts) -> None:
    found = ask(file)
    assert found.protocol == "error-detection"
    wrong, scores = [], []
    for text in texts:
        marked = {error.start for error in text.scored.errors}
        wrong += [token.start in marked for token in text.scored.tokens]
        scores += [-token.sigmoid for token in text.scored.tokens]
    measured = metrics(found, "tokens", "sigmoid")
    assert measured["roc_auc"]["value"] == pytest.approx(roc_auc_score(wrong, scores), abs=1e-9)
    assert measured["average_precision"]["value"] == pytest.approx(
        average_precision_score(wrong, scores), abs=1e-9
    )


def test_spans_of_a_signal_that_knows_the_errors_are_all_right(tmp_path) -> None:
    scored = [
        scored_text(["a", "b", "c", "d"], {"sigmoid": [0.9, 0.1, 0.9, 0.8]}, wrong=[1],
                    source=f"s{i}")
        for i in range(10)
    ]  # fmt: skip
    found = ask(write(tmp_path / "s.jsonl", scored), protocol=EvaluationProtocol.SPANS)
    assert metrics(found, "spans", "sigmoid")["span_f1"]["value"] == 1.0


def test_the_same_question_has_the_same_answer(file) -> None:
    assert ask(file, gold="gold").as_dict() == ask(file, gold="gold").as_dict()


def test_equal_scores_are_not_told_apart_and_better_ones_are(tmp_path, texts) -> None:
    more = [{"gold": t.gold, "twin": t.gold, "same": t.gold, "noise": i * 7919 % 60}
            for i, t in enumerate(texts)]  # fmt: skip
    file = write(tmp_path / "s.jsonl", [t.scored for t in texts], more=more)
    question = {"gold": "gold", "columns": ("twin", "same", "noise"),
                "signals": (Signal.SOFTMAX,)}  # fmt: skip
    for test in SignificanceTest:
        settings = Resampling(resamples=400, test=test, workers=1)
        (table, *_) = ask(file, resampling=settings, **question).tables
        of_twins = [c for c in table.comparisons if {c.best, c.other} == {"twin", "same"}]
        of_noise = [c for c in table.comparisons if c.other == "noise"]
        assert {c.metric for c in of_twins} == {"pearson", "spearman", "prr", "acc_eq"}
        assert not any(c.distinguishable for c in of_twins)
        assert all(c.distinguishable for c in of_noise)


def test_intervals_are_wider_where_texts_belong_together(tmp_path) -> None:
    rng = np.random.default_rng(0)
    scored, more = [], []
    for group in range(12):
        shift = rng.normal()
        for text in range(20):
            value = 0.5 + 0.1 * shift + 0.01 * rng.normal()
            scored.append(scored_text(["a"], {"sigmoid": [value]}, source=f"{group} {text}"))
            more.append({"gold": shift + rng.normal() * (group % 3), "doc": group})
    file = write(tmp_path / "s.jsonl", scored, more=more)
    alone = metrics(ask(file, gold="gold"), "correlation", "sigmoid", "mean")["pearson"]
    found = ask(file, gold="gold", group="doc")
    together = metrics(found, "correlation", "sigmoid", "mean")["pearson"]
    assert together["value"] == alone["value"]
    assert together["high"] - together["low"] > 1.5 * (alone["high"] - alone["low"])
    assert "`doc`" in " ".join(found.notes)


def test_only_the_signals_asked_for_are_looked_at_in_their_order(file) -> None:
    found = ask(file, gold="gold", signals=(Signal.SOFTMAX, Signal.SIGMOID), aggregations=("min",))
    names = [row.signal for row in found.tables[0].rows]
    assert names == ["softmax", "sigmoid", "length", "random"]
    with pytest.raises(DataError, match=r"Line 1 of .* not scored with boosted; it has sigmoid"):
        ask(file, gold="gold", signals=(Signal.BOOSTED,))


@pytest.mark.parametrize("value", [None, float("nan")])
def test_a_token_without_its_score_is_named(tmp_path, texts, value) -> None:
    rows = [t.scored.as_dict("token") for t in texts[:2]]
    rows[1]["tokens"][0]["softmax"] = value
    path = tmp_path / "s.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    with pytest.raises(DataError, match=r"line 2 of .* a token has no finite softmax"):
        ask(str(path))


def test_where_lower_is_better_the_names_say_so(file, tmp_path) -> None:
    (tmp_path / "ter.txt").write_text("".join(f"{i}\n" for i in range(60)), "utf-8")
    found = ask(
        file, gold="gold", lower_is_better=("gold", "ter"),
        scores={"ter": (str(tmp_path / "ter.txt"), None)},
    )  # fmt: skip
    assert found.title == "Scores against -gold"
    assert metrics(found, "correlation", "-ter")["pearson"]["count"] == 60
    plain = metrics(ask(file, gold="gold"), "correlation", "sigmoid", "mean")["pearson"]["value"]
    turned = metrics(found, "correlation", "sigmoid", "mean")["pearson"]["value"]
    assert turned == pytest.approx(-plain)


def test_labels_of_bad_texts_are_labels_too(file) -> None:
    good = metrics(ask(file, gold="good"), "binary", "sigmoid", "mean")["roc_auc"]["value"]
    found = ask(file, gold="good", lower_is_better=("good",))
    bad = metrics(found, "binary", "sigmoid", "mean")["roc_auc"]["value"]
    assert bad == pytest.approx(1 - good)


def test_undefined_results_have_reasons(tmp_path, texts) -> None:
    file = write(tmp_path / "s.jsonl", [t.scored for t in texts], more=[{"gold": 1.5}] * 60)
    found = metrics(ask(file, gold="gold"), "correlation", "sigmoid", "mean")
    assert found.pop("acc_eq")["value"] == 1.0  # ties in the gold, and a threshold that makes ties
    for metric in found.values():
        assert "value" not in metric
        assert metric["reason"]


def test_one_text_is_no_sample(tmp_path, texts) -> None:
    marked = next(t for t in texts if t.scored.errors)
    found = ask(write(tmp_path / "s.jsonl", [marked.scored]))
    assert any("nothing can be resampled" in note for note in found.notes)


def test_too_few_resamples_are_named(file) -> None:
    few = Resampling(resamples=20, workers=1)
    assert any("20 resamples are too few" in note for note in ask(file, few, gold="gold").notes)
    assert not ask(file, gold="gold").notes


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gold": "gold", "gold_file": ("x", None)}, "not both"),
        ({"protocol": EvaluationProtocol.CORRELATION}, "needs the gold"),
        ({"protocol": EvaluationProtocol.SPANS, "gold": "gold"}, "leave out the gold"),
        ({"protocol": EvaluationProtocol.SPANS, "units": (Unit.GAP,)}, "token or word"),
        ({"protocol": EvaluationProtocol.AMBIGUITY, "gold": "gold"}, "these errors are the gold"),
        (
            {"protocol": EvaluationProtocol.BINARY, "families": ("crude",)},
            "do not go with `binary`",
        ),
        ({"families": ("bad",)}, "crude, plausible, independent, got 'bad'"),
        ({"families": ("crude",), "monte_carlo": 3}, "`monte_carlo` does not go"),
        ({"language": "de"}, "`negation` is for errors"),
        ({"columns": ("sigmoid",)}, "a signal of ours"),
        ({"columns": ("a",), "scores": {"a": ("x", None)}}, "are called `a`"),
        ({"protocol": EvaluationProtocol.BINARY, "gold": "x", "units": (Unit.WORD,)}, "`units`"),
    ],
)
def test_what_does_not_go_together_is_refused_at_once(wrong, message) -> None:
    with pytest.raises(ValueError, match=message):
        Question(source=Source(path="scored.jsonl"), **wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gold": "da"}, "no column `da`; the input brought `gold`, `good`, `half`"),
        ({"gold": "gold", "group": "doc"}, "no column `doc`"),
        ({"gold": "gold", "system": "who"}, "no column `who`"),
        ({"gold": "gold", "protocol": EvaluationProtocol.BINARY}, "must be 0 or 1"),
        ({"families": ("crude",)}, "scored already"),
        ({"units": (Unit.GAP,)}, "word tags with gaps"),
        ({"gold": "gold", "monte_carlo": 2, "signals": (Signal.SIGMOID,)}, "needs the softmax"),
        ({"gold": "gold", "lower_is_better": ("ter",)}, "lower can be better for gold"),
    ],
)
def test_what_the_texts_do_not_have_is_named(file, wrong, message) -> None:
    with pytest.raises(DataError, match=message):
        ask(file, **wrong)


def test_scores_without_tokens_do_for_texts_and_not_for_words(tmp_path, texts) -> None:
    scored = [t.scored for t in texts]
    file = write(tmp_path / "s.jsonl", scored, level="sentence",
                 more=[{"gold": t.gold} for t in texts])  # fmt: skip
    value = metrics(ask(file, gold="gold"), "correlation", "sigmoid", "mean")["pearson"]["value"]
    assert value == pytest.approx(pearsonr(means(texts), [t.gold for t in texts])[0])
    with pytest.raises(DataError, match="--level token"):
        ask(file)


def test_pairs_are_scored_and_what_cannot_be_is_named(tmp_path, estimator) -> None:
    rows = [
        {"source": "A dog runs on the beach.", "hypothesis": text, "gold": i}
        for i, text in enumerate(["Ein Hund.", "Ein Hund läuft.", "", "Am Strand."])
    ]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    question = Question(source=Source(path=str(path)), gold="gold", resampling=QUICK, model="tiny")
    found = evaluate(question, lambda: estimator)
    assert [reject.line for reject in found.rejects] == [3]
    assert found.evaluation.notes[0].startswith("1 of 4 rows")
    assert found.evaluation.settings["model"] == "tiny"
    assert {row.signal for row in found.evaluation.tables[0].rows} >= {
        "sigmoid",
        "softmax",
        "-rank",
    }


def test_where_no_row_is_left_the_first_reason_is_said(tmp_path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"source": "A dog.", "hypothesis": 3, "x": 1}\n', "utf-8")
    with pytest.raises(DataError, match="no row that can be evaluated; line 1: "):
        evaluate(Question(source=Source(path=str(path)), gold="x"), nobody)


def test_errors_put_into_texts_name_the_report(tmp_path, estimator) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text(
        "A dog runs on the beach.\tEin Hund läuft am Strand.\n"
        "A woman reads a book in the park.\tEine Frau liest ein Buch im Park.\n",
        "utf-8",
    )
    question = Question(
        source=Source(path=str(path)), families=("crude",), resampling=QUICK,
        signals=(Signal.SIGMOID, Signal.SOFTMAX),
    )  # fmt: skip
    found = evaluate(question, lambda: estimator).evaluation
    assert found.title == "Crude errors put into pairs.tsv"
    assert metrics(found, "texts", "sigmoid", "mean")["roc_auc"]["count"] == 4


def test_a_signal_that_the_model_cannot_give_is_refused(tmp_path, parrot) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_text("A dog runs on the beach.\tEin Hund läuft am Strand.\n", "utf-8")
    for families in ((), ("crude",)):
        question = Question(
            source=Source(path=str(path)), signals=(Signal.SIGMOID,), families=families
        )
        with pytest.raises(DataError, match=r"sigmoid needs a head, .* choose from softmax"):
            evaluate(question, lambda: QualityEstimator(parrot, prompt=NAMED_PROMPTS["tiny"]))


@pytest.fixture
def with_errors(estimator):
    torch.manual_seed(4)
    made = ErrorHead(hidden_size=estimator.backbone.hidden_size, inner_size=8)
    return QualityEstimator(
        estimator.backbone, estimator.head, error_head=made, prompt=estimator.prompt
    )


def german(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return Source(path=str(path))


@pytest.mark.parametrize("protocol", [EvaluationProtocol.CORRELATION, EvaluationProtocol.BINARY])
def test_an_error_head_is_compared_on_texts(tmp_path, with_errors, protocol) -> None:
    rows = [
        {"source": "A dog runs on the beach.", "hypothesis": text, "gold": i % 2}
        for i, text in enumerate(["Ein Hund.", "Ein Hund läuft.", "Der Hund.", "Am Strand."])
    ]
    source = german(tmp_path / "pairs.jsonl", rows)
    question = Question(source=source, gold="gold", protocol=protocol, resampling=QUICK)
    table = evaluate(question, lambda: with_errors).evaluation.tables[0]
    found = {(row.signal, row.aggregation) for row in table.rows}
    hows = ("mean", "median", "min", "noisy_or")
    assert found >= {(s, h) for s in ("error", "omission") for h in hows}


@pytest.mark.parametrize("protocol", [EvaluationProtocol.ERROR_DETECTION, EvaluationProtocol.SPANS])
def test_an_error_head_is_compared_on_words_and_tokens(tmp_path, with_errors, protocol) -> None:
    rows = [
        {
            "source": "A dog runs on the beach.",
            "hypothesis": text,
            "annotations": [{"start": 4, "end": end}],
        }
        for text, end in [("Ein Hund.", 8), ("Der Hund läuft.", 4), ("Am Strand.", 9)]
    ]
    source = german(tmp_path / "pairs.jsonl", rows)
    question = Question(source=source, protocol=protocol, resampling=QUICK)
    table = evaluate(question, lambda: with_errors).evaluation.tables[0]
    signals = {row.signal for row in table.rows}
    assert "error" in signals
    assert "omission" not in signals


def test_an_error_head_is_compared_on_what_is_valid(tmp_path, with_errors) -> None:
    rows = [
        {"source": "A dog runs on the beach.", "hypothesis": text}
        for text in ("Ein Hund läuft am Strand.", "Am Strand läuft ein Hund.")
    ]
    source = german(tmp_path / "pairs.jsonl", rows)
    question = Question(
        source=source, protocol=EvaluationProtocol.AMBIGUITY, families=("crude",), resampling=QUICK
    )
    tables = evaluate(question, lambda: with_errors).evaluation.tables
    assert any(row.signal == "error" for table in tables for row in table.rows)


def test_scored_rows_with_gaps_can_be_evaluated(tmp_path, with_errors) -> None:
    raw = QualityEstimator(
        with_errors.backbone, error_head=with_errors.error_head, prompt=NAMED_PROMPTS["raw"]
    )
    texts = [(None, text) for text in ("Ein Hund läuft.", "Der Hund läuft.", "Am Strand.")]
    scored = list(raw.score_many(texts, signals=("error", "omission")))
    assert scored[0].tokens[-1].omission is None
    more = [{"gold": i} for i in range(3)]
    file = write(tmp_path / "s.jsonl", scored, more=more)
    found = ask(file, gold="gold", aggregations=("noisy_or",))
    assert metrics(found, "correlation", "omission", "noisy_or")["pearson"]["count"] == 3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gold": "DA"}, "no column `DA`"),
        ({"gold": "who"}, "`who` in line 1 must be a number"),
        ({"gold": "da", "columns": ("comet",)}, "no column `comet`"),
        ({"gold": "da", "group": "document"}, "no column `document`"),
        ({"gold_file": ("nope.txt", None)}, "There is no file"),
    ],
)
def test_what_pairs_do_not_have_is_named_before_they_are_scored(tmp_path, wrong, message) -> None:
    rows = [{"source": "A dog.", "hypothesis": "Ein Hund.", "da": 1.0, "who": "ours"}]
    source = german(tmp_path / "pairs.jsonl", rows)
    question = Question(source=source, resampling=QUICK, **wrong)
    with pytest.raises(DataError, match=message):
        evaluate(question, lambda: pytest.fail("a model was loaded"))
