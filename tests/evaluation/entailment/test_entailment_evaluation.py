"""Judging pairs with a tiny model, and how mistakes and heat maps are shown."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console
from tiny_encoders import tiny_encoder

from headwise.backbones import EncoderBackbone
from headwise.choices import NLIFeatures
from headwise.data.records.inferences import InferencePair
from headwise.data.records.pairs import Reject
from headwise.entailment import EntailmentModel
from headwise.errors import DataError, MismatchError
from headwise.evaluation.entailment.evaluation import (
    InferenceQuestion,
    evaluate_entailment,
    judge_inferences,
)
from headwise.evaluation.statistics.results import Evaluation, Figure, FigureKind, Mistake, Panel
from headwise.evaluation.statistics.setup import Resampling
from headwise.heads import AbstentionHead, NLIHead, NLILabel, TaskHeads, TaskHeadsConfig
from headwise.report import draw, markdown_report, render_page, terminal_report

QUICK = Resampling(resamples=60, workers=1)


@pytest.fixture(scope="module")
def model() -> EntailmentModel:
    backbone = EncoderBackbone(*tiny_encoder("bert"))
    torch.manual_seed(0)
    size = backbone.hidden_size
    heads = TaskHeads(
        config=TaskHeadsConfig(
            features=NLIFeatures.PAIR,
            hidden_size=size,
            embedding_size=size,
            threshold_basis="By hand.",
        ),
        nli=NLIHead(input_size=4 * size, hidden_size=16),
        abstention=AbstentionHead(hidden_size=16, inner_size=8),
    )
    return EntailmentModel(backbone, heads.eval())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    lines = ["premise\thypothesis\tlabel\ttopic"]
    for number in range(30):
        label = list(NLILabel)[number % 3].value
        lines.append(f"A dog runs {number // 3}.\tA cat sat {number}.\t{label}\t{number // 10}")
    lines[3:3] = ["A dog.\tA cat.\t-\t0", f"A dog.\t{'dog ' * 99}\tneutral\t0"]
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_pairs_are_judged_as_the_model_predicts(model: EntailmentModel) -> None:
    pairs = [
        InferencePair("A dog runs.", "A cat sat.", NLILabel.NEUTRAL, 2),
        InferencePair("A dog runs.", "", NLILabel.NEUTRAL, 3),
        Reject(4, "Damaged.", "?"),
        InferencePair("A dog runs.", "It is evening.", None, 5),
        InferencePair("A man reads.", "A man reads.", NLILabel.ENTAILMENT, 6),
    ]
    found, rejects = judge_inferences(model, pairs)
    assert [reject.line for reject in rejects] == [3, 4, 5]
    assert [one.premise for one in found] == ["A dog runs.", "A man reads."]
    said = model.predict("A dog runs.", "A cat sat.")
    assert found[0].probabilities == pytest.approx(tuple(said.probabilities.values()), abs=1e-6)
    assert found[0].uncertainty == pytest.approx(said.uncertainty, abs=1e-6)
    assert (found[0].abstain, found[0].group) == (said.abstain, "A dog runs.")
    with pytest.raises(MismatchError, match="no heads"):
        judge_inferences(EntailmentModel(model.backbone), pairs)


def test_a_file_is_evaluated(model: EntailmentModel, file: Path) -> None:
    question = InferenceQuestion(
        path=str(file), group="topic", resampling=QUICK, model="tiny", language=None
    )
    answer = evaluate_entailment(question, lambda: model)
    assert [reject.line for reject in answer.rejects] == [4, 5]
    found = answer.evaluation
    assert found.settings["model"] == "tiny"
    assert "30 pairs of 3 groups" in found.tables[0].note
    notes = " ".join(found.notes)
    for part in ("By hand.", "2 of 32 rows", "the same `topic`", "only 3 independent"):
        assert part in notes
    with pytest.raises(DataError, match="no column `subject`"):
        evaluate_entailment(replace(question, group="subject"), lambda: model)


def test_a_file_without_a_usable_pair_says_why(model: EntailmentModel, tmp_path: Path) -> None:
    path = tmp_path / "empty.tsv"
    path.write_text("premise\thypothesis\tlabel\nA dog.\tA cat.\t-\n", "utf-8")
    with pytest.raises(DataError, match="no pair that can be evaluated; line 2"):
        evaluate_entailment(InferenceQuestion(path=str(path)), lambda: model)

    def load() -> EntailmentModel:
        raise AssertionError("the file is opened first")

    with pytest.raises(DataError):
        evaluate_entailment(InferenceQuestion(path=str(tmp_path / "none.tsv")), load)


@pytest.fixture
def with_mistakes() -> Evaluation:
    mistake = Mistake(
        premise="A <b>man</b> | bit.",
        hypothesis="A dog\x07 bit.",
        gold="neutral",
        predicted="entailment",
        confidence=0.98765,
        uncertainty=0.1,
        abstained=False,
    )
    return Evaluation(
        protocol="entailment", title="T", settings={}, tables=(), mistakes=(mistake,) * 7
    )


def test_mistakes_are_shown_everywhere(with_mistakes: Evaluation) -> None:
    said = "Answered entailment, gold neutral; the model did not abstain."
    page = render_page(with_mistakes)
    assert page.count(said) == 7
    assert "A &lt;b&gt;man&lt;/b&gt; | bit." in page
    assert "\x07" not in page
    assert '<span class="what">confidence</span> 0.988</span>' in page
    markdown = markdown_report(with_mistakes)
    assert "## Surest mistakes\n\n1. A &lt;b&gt;man&lt;/b&gt; \\| bit." in markdown
    assert markdown.count(f"{said} Confidence 0.988, uncertainty 0.100.") == 7
    out = io.StringIO()
    Console(file=out, width=120).print(terminal_report(with_mistakes))
    assert out.getvalue().count(said) == 5
    assert "\x07" not in out.getvalue()
    assert "Surest mistakes" not in render_page(replace(with_mistakes, mistakes=()))


def test_a_heat_map_says_counts_and_shares_of_rows() -> None:
    y, x = np.indices((2, 2))
    panel = Panel(
        label="all",
        x=x.ravel().astype(float),
        y=y.ravel().astype(float),
        weight=np.array([30.0, 10.0, 0.0, 0.0]),
    )
    figure = Figure(
        name="confusion",
        kind=FigureKind.CONFUSION,
        title="t",
        caption="c",
        x_label="answer",
        y_label="gold",
        panels=(panel,),
        classes=("yes", "no"),
    )
    (axes,) = draw(figure).axes
    assert [text.get_text() for text in axes.texts] == ["75%\n30", "25%\n10", "0%\n0", "0%\n0"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["yes", "no"]
    assert axes.get_title(loc="right") == "n = 40"
