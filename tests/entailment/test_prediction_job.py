"""A file of predictions: what its rows hold, and that a stopped job goes on."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from headwise.data.jobs import JobDone
from headwise.data.readers.inferences import InferenceLayout
from headwise.data.writers import unescape_cell
from headwise.entailment import EntailmentModel, Prediction
from headwise.entailment.prediction_job import predict_file
from headwise.errors import DataError, InputError, OutputError, TextError

LABELS = ("entailment", "neutral", "contradiction")
MIXED = (
    "id\tpremise\thypothesis\tlabel\tconfidence\tentailment\n"
    "1\tA dog runs.\tA dog.\te\tsure\tx\n"
    "2\tonly\tthree\n"
    "3\tA cat.\t\tn\t\t\n"
    '4\tIt says "no".\tNobody\u2028speaks.\t-\t\t\n'
    "5\tRain.\tSun.\t2\t?\ty\n"
    "6\tRain.\tSun.\n"
)


class LengthPredictor:
    """Predicts from the lengths of the texts, and is stopped after some."""

    def __init__(self, *, last: int | None = None) -> None:
        self.left = last

    def content(self) -> dict[str, Any]:
        return {}

    def predict_window(self, pairs: Sequence[tuple[str, str]]) -> Iterator[Prediction | InputError]:
        for premise, hypothesis in pairs:
            if self.left is not None:
                if not self.left:
                    raise KeyboardInterrupt
                self.left -= 1
            yield predict(premise, hypothesis)


def predict(premise: str, hypothesis: str) -> Prediction | InputError:
    if not hypothesis:
        return TextError("The hypothesis is empty.")
    best = len(premise + hypothesis) % 3
    probabilities = {name: 0.5 if i == best else 0.25 for i, name in enumerate(LABELS)}
    abstain = len(premise) % 2 == 0
    return Prediction(LABELS[best], 0.5, probabilities, abstain, 0.75 if abstain else 0.25)


def run(source: Path, output: Path, **options: Any) -> JobDone:
    predictor: Any = options.pop("predictor", None) or LengthPredictor()
    return predict_file(predictor, source, output, model="lengths", **options)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def test_a_column_called_label_may_hold_something_else(tmp_path: Path) -> None:
    path = tmp_path / "in.tsv"
    path.write_text("premise\thypothesis\tlabel\nRain.\tSun.\tmaybe\nRain.\tSun.\tn\n", "utf-8")
    run(path, tmp_path / "out.jsonl")
    first, second = read_lines(tmp_path / "out.jsonl")
    assert first["input_label"] == "maybe"
    assert "gold" not in first
    assert second["gold"] == "neutral"


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "in.tsv"
    path.write_text(MIXED, "utf-8")
    return path


def test_every_row_is_in_the_output_or_the_rejects(mixed: Path, tmp_path: Path) -> None:
    summary = run(mixed, tmp_path / "out.jsonl")
    first, second, third = read_lines(tmp_path / "out.jsonl")
    expected = predict("A dog runs.", "A dog.")
    assert isinstance(expected, Prediction)
    assert first == {
        "id": "1",
        "input_confidence": "sure",
        "input_entailment": "x",
        "gold": "entailment",
        "premise": "A dog runs.",
        "hypothesis": "A dog.",
        "label": expected.label,
        "confidence": 0.5,
        "probabilities": expected.probabilities,
        "abstain": False,
        "uncertainty": 0.25,
    }
    assert "gold" not in second
    assert second["hypothesis"] == "Nobody\u2028speaks."
    assert third["gold"] == "contradiction"
    rejects = read_lines(tmp_path / "out.rejects.jsonl")
    assert [reject["line"] for reject in rejects] == [3, 4, 7]
    assert rejects[1] == {"line": 4, "reason": "The hypothesis is empty.", "content": "A cat.\t"}
    assert (summary.written, summary.rejected, summary.resumed_from) == (3, 3, 0)
    found = [row["label"] for row in (first, second, third)]
    assert summary.figures["labels"] == {label: found.count(label) for label in LABELS}
    assert summary.figures["abstained"] == sum(row["abstain"] for row in (first, second, third))


@pytest.mark.parametrize("suffix", ["tsv", "parquet"])
def test_tables_say_the_same_as_the_lines(mixed: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"table.{suffix}"
    run(mixed, tmp_path / "lines.jsonl")
    run(mixed, output)
    expected = read_lines(tmp_path / "lines.jsonl")
    for row in expected:
        row |= row.pop("probabilities")
        row.setdefault("gold", None)
    if suffix == "parquet":
        table = pyarrow.parquet.read_table(output)
        assert str(table.schema.field("abstain").type) == "bool"
        assert table.to_pylist() == expected
        return
    header, *lines = [line.split("\t") for line in output.read_text("utf-8").split("\n")[:-1]]
    assert header[-8:] == [
        *("hypothesis", "label", "confidence", *LABELS),
        *("abstain", "uncertainty"),
    ]
    for line, wanted in zip(lines, expected, strict=True):
        cells = dict(zip(header, map(unescape_cell, line), strict=True))
        numbers = (*LABELS, "confidence", "abstain", "uncertainty")
        assert cells | {name: json.loads(cells[name]) for name in numbers} == wanted | {
            "gold": wanted["gold"] or ""
        }


@pytest.mark.parametrize("suffix", ["jsonl", "tsv", "parquet"])
def test_stopped_again_and_again(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / "in.tsv"
    lines = [f"A dog {'runs ' * (i % 5)}\t{'' if i % 4 == 1 else 'It moves.'}" for i in range(40)]
    source.write_text("\n".join(lines) + "\n", "utf-8")
    output, whole = tmp_path / f"out.{suffix}", tmp_path / f"whole.{suffix}"
    expected = run(source, whole)
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            run(source, output, predictor=LengthPredictor(last=9))
    summary = run(source, output)
    assert summary.resumed_from == 36
    assert (summary.written, summary.rejected) == (30, 10)
    assert (summary.figures["labels"], summary.figures["abstained"]) == (
        expected.figures["labels"],
        expected.figures["abstained"],
    )
    assert output.read_bytes() == whole.read_bytes()
    again = run(source, output)
    assert again.already_complete
    assert (again.figures["labels"], again.figures["abstained"]) == (
        expected.figures["labels"],
        expected.figures["abstained"],
    )
    for options in ({"threshold": 0.3}, {"heads": "others"}):
        with pytest.raises(OutputError, match=r"was None and is .*--overwrite"):
            run(source, output, **options)
    assert run(source, output, threshold=0.3, overwrite=True).resumed_from == 0


def test_damage_is_not_built_upon(mixed: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with pytest.raises(KeyboardInterrupt):
        run(mixed, output, predictor=LengthPredictor(last=1))
    output.write_bytes(output.read_bytes().replace(b'"label": "', b'"label": "un'))
    with pytest.raises(OutputError, match=r"Line 1 of .* was changed or damaged"):
        run(mixed, output)


def test_columns_are_found_by_name_or_asked_for(tmp_path: Path) -> None:
    rows = [{"sentence1": "A.", "sentence2": "B.", "gold_label": "neutral", "label": "theirs"}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    run(tmp_path / "in.jsonl", tmp_path / "a.jsonl")
    (row,) = read_lines(tmp_path / "a.jsonl")
    assert (row["premise"], row["gold"], row["input_label"]) == ("A.", "neutral", "theirs")
    (tmp_path / "in.tsv").write_text("premise\thypothesis\nA.\tB.\n")
    layout = InferenceLayout(premise_column="text")
    with pytest.raises(DataError, match="no `text`"):
        run(tmp_path / "in.tsv", tmp_path / "b.jsonl", layout=layout)
    assert not (tmp_path / "b.jsonl").exists()


def test_a_real_model_and_one_without_heads(
    mixed: Path, tmp_path: Path, fitted: EntailmentModel
) -> None:
    summary = run(mixed, tmp_path / "out.jsonl", predictor=fitted)
    assert (summary.written, summary.rejected) == (3, 3)
    (first, *_) = read_lines(tmp_path / "out.jsonl")
    alone = fitted.predict("A dog runs.", "A dog.")
    assert first["label"] == alone.label
    assert first["probabilities"] == pytest.approx(alone.probabilities, abs=1e-5)
    with pytest.raises(ValueError, match="needs heads"):
        run(mixed, tmp_path / "none.jsonl", predictor=EntailmentModel(fitted.backbone))
    assert not list(tmp_path.glob("none*"))
