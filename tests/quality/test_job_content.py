"""A job is known by its content: what differs is named, what does not matter is not asked."""

import copy
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from word_scorer import WordScorer, kill_at, run

from headwise import QualityEstimator
from headwise.backbones import TextTemplate
from headwise.data.jobs.inputs import input_settings
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.errors import InputError, OutputError
from headwise.files import refuse_overwriting
from headwise.quality.job import Look

ROWS = b"A dog.\tEin Hund.\nA cat.\tEine Katze.\nno pair\nBye.\tAde.\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.tsv"
    path.write_bytes(ROWS)
    return path


def stop_after(rows: int, source: Path, output: Path, **options: Any) -> None:
    """Run a job that is stopped when it has scored some rows."""

    class Stopped(WordScorer):
        def score_window(self, pairs: Sequence[Pair]) -> Iterator[ScoredHypothesis | InputError]:
            yield from list(super().score_window(pairs))[:rows]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(source, output, scorer=Stopped(), **options)


def edit_record(output: Path, **changes: Any) -> None:
    path = output.with_name(f"{output.name.removesuffix('.jsonl')}.run.json")
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))


@pytest.mark.parametrize("complete", [True, False])
def test_other_weights_and_edits_of_the_same_size(
    source: Path, tmp_path: Path, complete: bool
) -> None:
    output = tmp_path / "out.jsonl"
    if complete:
        run(source, output)
    else:
        stop_after(2, source, output)
    held = output.read_bytes()
    with pytest.raises(OutputError, match="`model weights` was 'words' and is 'others'; pass"):
        run(source, output, scorer=WordScorer(weights="others"))
    when = source.stat()
    source.write_bytes(ROWS.replace(b"Hund", b"Hind"))
    os.utime(source, ns=(when.st_atime_ns, when.st_mtime_ns))
    with pytest.raises(OutputError, match=r"settings: `input content .*in\.tsv` was '\w+' and is"):
        run(source, output)
    assert output.read_bytes() == held
    source.write_bytes(ROWS)
    assert run(source, output).written == 3


def test_every_input_counts(tmp_path: Path) -> None:
    sources, hypotheses = tmp_path / "a.en", tmp_path / "a.de"
    sources.write_text("Yes.\n")
    hypotheses.write_text("Ja.\n")
    run(sources, tmp_path / "out.jsonl", hypotheses=hypotheses)
    hypotheses.write_text("Je.\n")
    with pytest.raises(OutputError, match=r"`input content [^`]*a\.de`"):
        run(sources, tmp_path / "out.jsonl", hypotheses=hypotheses)


def test_a_folder_is_known_by_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "state.json").write_text("{}")
    (folder / "a.arrow").write_bytes(b"a")

    def content() -> str:
        return str(input_settings([str(folder)])["input content"][str(folder)])

    before = content()
    (folder / "cache-1.arrow").write_bytes(b"what a mapping left")
    assert content() == before
    (folder / "a.arrow").rename(folder / "b.arrow")
    assert content() != before


def test_of_another_dtype_only_the_dtype_is_named(source: Path, tmp_path: Path) -> None:
    class Typed(WordScorer):
        def content(self) -> dict[str, Any]:
            return {"dtype": self.weights, "prompt": {"variables": {"lang": self.weights}}} | (
                super().content()
            )

    run(source, tmp_path / "out.jsonl", scorer=Typed(weights="float32"))
    with pytest.raises(OutputError) as caught:
        run(source, tmp_path / "out.jsonl", scorer=Typed(weights="bfloat16"))
    assert "`dtype` was 'float32' and is 'bfloat16'" in str(caught.value)
    assert "`prompt variables lang` was 'float32' and is 'bfloat16'" in str(caught.value)
    assert "weights" not in str(caught.value)


def test_nothing_is_asked_where_nothing_is_resumed(source: Path) -> None:
    class Unasked(WordScorer):
        def content(self) -> dict[str, Any]:
            raise AssertionError

    assert run(source, Path("-"), scorer=Unasked()).written == 3
    assert run(source, None, scorer=Unasked()).written == 3  # type: ignore[arg-type]


class TestWithoutRows:
    """A job without a row of output binds to nothing."""

    def start(self, source: Path, output: Path, how: str) -> None:
        match how:
            case "all rejected":
                source.write_bytes(b"no pair\n")
                run(source, output)
                source.write_bytes(ROWS)
            case "rejects only":
                source.write_bytes(b"no pair\n" + ROWS)
                stop_after(0, source, output)
            case "half a line":
                stop_after(0, source, output)
                work = output if output.suffix == ".jsonl" else Path(f"{output}.partial.jsonl")
                work.write_bytes(b'{"source": "A d')
            case "of another version":
                stop_after(0, source, output)
                edit_record(output, version=1)

    @pytest.mark.parametrize("suffix", ["jsonl", "tsv"])
    @pytest.mark.parametrize(
        "how", ["all rejected", "rejects only", "half a line", "of another version"]
    )
    def test_is_started_anew(self, source: Path, tmp_path: Path, suffix: str, how: str) -> None:
        output, whole = tmp_path / f"out.{suffix}", tmp_path / f"whole.{suffix}"
        self.start(source, output, how)
        done = run(source, output, scorer=WordScorer(weights="others"))
        run(source, whole)
        assert (done.written, done.rejected, done.resumed_from) == (
            3,
            source.read_bytes().count(b"no"),
            0,
        )
        assert output.read_bytes() == whole.read_bytes()

    def test_killed_while_it_is_started_anew(self, source: Path, tmp_path: Path) -> None:
        output = tmp_path / "out.tsv"
        self.start(source, output, "all rejected")
        kill_at(source, output, [("record", 1), ("discard", 1), ("discard", 2), ("record", 2)])
        done = run(source, output)
        assert (done.written, done.rejected) == (3, 1)


class TestStreams:
    """Standard input can be read only once, so its rows are compared as they pass."""

    @pytest.fixture
    def given(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        def give(rows: bytes) -> Path:
            stream = io.TextIOWrapper(io.BufferedReader(io.BytesIO(rows)))  # type: ignore[arg-type]
            monkeypatch.setattr(sys, "stdin", stream)
            return Path("-")

        return give

    def test_a_complete_job(self, given: Any, tmp_path: Path) -> None:
        output = tmp_path / "out.tsv"
        run(given(ROWS), output)
        assert run(given(ROWS), output).already_complete
        for others in (ROWS.replace(b"cat", b"cow"), ROWS + b"A\tB\n", ROWS[:-8]):
            with pytest.raises(OutputError, match="was made from other rows"):
                run(given(others), output)

    def test_a_stopped_job(self, given: Any, tmp_path: Path) -> None:
        output = tmp_path / "out.jsonl"
        rows = b"no pair\n" + ROWS
        stop_after(2, given(rows), output)
        for row, others in (
            (1, rows.replace(b"no pair", b"no pairs", 1)),
            (2, rows.replace(b"dog", b"fog")),
            (3, rows.replace(b"Katze", b"Kater")),
        ):
            with pytest.raises(OutputError, match=f"Row {row} of the input is not the one"):
                run(given(others), output)
        later = rows.replace(b"Ade", b"Tschuess")  # not scored yet
        assert (done := run(given(later), output)).written == 3
        assert done.resumed_from == 4
        assert "Tschuess" in output.read_text("utf-8")

    def test_rows_that_were_all_rejected_are_read_again(self, given: Any, tmp_path: Path) -> None:
        run(given(b"no pair\n"), tmp_path / "out.jsonl")
        assert run(given(ROWS), tmp_path / "out.jsonl").written == 3


class TestLooking:
    """Who looks sees all texts, and what is written stays the same."""

    @pytest.mark.parametrize("stopped", [True, False])
    def test_texts_of_earlier_runs_are_shown(
        self, source: Path, tmp_path: Path, stopped: bool
    ) -> None:
        output, whole, seen = tmp_path / "out.tsv", tmp_path / "whole.tsv", []
        if stopped:
            stop_after(2, source, output)
        else:
            run(source, output)
        done = run(source, output, look=Look(lambda scored: seen.append(scored.hypothesis)))
        assert done.already_complete is not stopped
        assert seen == ["Ein Hund.", "Eine Katze.", "Ade."]
        run(source, whole)
        assert output.read_bytes() == whole.read_bytes()

    def test_alternatives_are_for_those_who_look(
        self, estimator: QualityEstimator, tmp_path: Path
    ) -> None:
        (tmp_path / "in.tsv").write_text("A dog runs on the beach.\tEin Hund.\n", "utf-8")
        seen: list[ScoredHypothesis] = []
        options: dict[str, Any] = {"level": "token", "scorer": estimator, "signals": ["sigmoid"]}
        run(tmp_path / "in.tsv", tmp_path / "a.jsonl", **options)
        look = Look(seen.append, alternatives=2)
        run(tmp_path / "in.tsv", tmp_path / "b.jsonl", look=look, **options)
        assert [len(token.alternatives or ()) for token in seen[0].tokens] == [2] * len(
            seen[0].tokens
        )
        (plain, looked_at) = (
            json.loads((tmp_path / n).read_text()) for n in ("a.jsonl", "b.jsonl")
        )
        assert plain["score"] == pytest.approx(looked_at.pop("score"), abs=1e-6)
        assert [t.keys() for t in plain["tokens"]] == [t.keys() for t in looked_at["tokens"]]
        assert run(tmp_path / "in.tsv", tmp_path / "b.jsonl", **options).already_complete


class TestRecord:
    def test_of_another_version(self, source: Path, tmp_path: Path) -> None:
        run(source, tmp_path / "out.jsonl")
        edit_record(tmp_path / "out.jsonl", version=1)
        with pytest.raises(OutputError, match=r"another version.*--overwrite to start anew"):
            run(source, tmp_path / "out.jsonl")
        assert run(source, tmp_path / "out.jsonl", overwrite=True).written == 3

    @pytest.mark.parametrize(
        "changes",
        [
            {"complete": 1},
            {"settings": []},
            {"result": None},
            {"result": {"written": "3"}},
            {"result": {"written": 3, "rejected": -1, "figures": {}}},
            {"result": {"written": 3, "rejected": 1, "figures": {"mean_score": [1]}}},
            {"result": {"written": 3, "rejected": 1, "figures": {"mean_score": "1"}}},
            {"result": {"written": 3, "rejected": 1, "figures": {"warning": 1}}},
            {"stream": 3},
            {"version": "2"},
        ],
    )
    def test_of_another_shape(self, source: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
        run(source, tmp_path / "out.jsonl")
        edit_record(tmp_path / "out.jsonl", **changes)
        with pytest.raises(OutputError, match="does not describe a job"):
            run(source, tmp_path / "out.jsonl")

    @pytest.mark.parametrize("figures", [{}, {"labels": {"a": 1}}, {"mean_score": {"a": 1}}])
    def test_figures_of_other_work(
        self, source: Path, tmp_path: Path, figures: dict[str, Any]
    ) -> None:
        run(source, tmp_path / "out.jsonl")
        result = {"written": 3, "rejected": 1, "figures": figures}
        edit_record(tmp_path / "out.jsonl", result=result)
        with pytest.raises(OutputError, match="changed or damaged"):
            run(source, tmp_path / "out.jsonl")

    @pytest.mark.parametrize(
        "content",
        [b"[" * 100_000, b'{"complete": %s}' % (b"9" * 6000), b'{"a": "\xff"}', b"\0" * 9],
    )
    def test_that_no_parser_likes(self, source: Path, tmp_path: Path, content: bytes) -> None:
        run(source, tmp_path / "out.jsonl")
        (tmp_path / "out.run.json").write_bytes(content)
        with pytest.raises(OutputError, match="does not describe a job"):
            run(source, tmp_path / "out.jsonl")

    def test_that_is_a_folder_or_huge(self, source: Path, tmp_path: Path) -> None:
        (tmp_path / "a.run.json").mkdir()
        with pytest.raises(OutputError, match="does not describe a job"):
            run(source, tmp_path / "a.jsonl")
        with (tmp_path / "b.run.json").open("wb") as file:
            file.truncate(2**40)  # sparse
        with pytest.raises(OutputError, match="does not describe a job"):
            run(source, tmp_path / "b.jsonl")

    @pytest.mark.parametrize(
        "line", [b"[" * 100_000, b'{"score": 1%s}' % (b"0" * 400), b"3", b'{"score": 1.0}']
    )
    def test_lines_that_no_work_wrote(self, source: Path, tmp_path: Path, line: bytes) -> None:
        stop_after(2, source, tmp_path / "out.jsonl")
        (tmp_path / "out.jsonl").write_bytes(line + b"\n")
        with pytest.raises(OutputError, match=r"Line 1 of .* was changed or damaged"):
            run(source, tmp_path / "out.jsonl")

    def test_names_that_are_not_unicode(self, tmp_path: Path) -> None:
        source = tmp_path / os.fsdecode(b"\xff.tsv")
        source.write_bytes(ROWS)
        assert run(source, tmp_path / "out.jsonl").written == 3
        assert run(source, tmp_path / "out.jsonl").already_complete


def test_links_lead_to_the_input(source: Path, tmp_path: Path) -> None:
    (tmp_path / "soft").symlink_to(source)
    os.link(source, tmp_path / "hard")
    os.link(source, tmp_path / "while.html.tmp")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "in.arrow").touch()
    for inputs, output in (
        (source, "in.tsv"),
        (source, "data/../in.tsv"),
        (source, "soft"),
        (source, "hard"),
        (tmp_path / "soft", "hard"),
        (source, "while.html"),  # under another name while it is written
        (folder, "data/in.arrow"),
    ):
        with pytest.raises(OutputError, match="write over its input"):
            refuse_overwriting([inputs], [tmp_path / output])
    refuse_overwriting([source, "-", folder], [tmp_path / "new", folder / "new"])


def test_what_scores_follow_from(estimator: QualityEstimator) -> None:
    def content(changed: QualityEstimator, *signals: str) -> dict[str, Any]:
        return changed.scorer(signals).content()

    head = copy.deepcopy(estimator.head)
    assert head is not None
    with torch.no_grad():
        head.weight[0, 0] += 1e-3
    prompt = TextTemplate(prompt="{bos}{source} {tone}", variables={"tone": "kind"})
    other_head = QualityEstimator(estimator.backbone, head, prompt=estimator.prompt)
    other_prompt = QualityEstimator(estimator.backbone, estimator.head, prompt=prompt)
    other_batches = QualityEstimator(
        estimator.backbone, estimator.head, prompt=estimator.prompt, batch_tokens=7
    )
    own = content(estimator, "sigmoid")
    assert content(other_batches, "sigmoid") == own
    assert content(other_head, "softmax") == content(estimator, "softmax")
    differing = {
        name for name, value in content(other_head, "sigmoid").items() if value != own[name]
    }
    assert differing == {"Sigmoid Head"}
    assert content(other_prompt, "sigmoid")["prompt"]["variables"] == {"tone": "kind"}
