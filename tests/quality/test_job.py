import errno
import io
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet
import pytest
from word_scorer import WordScorer, run

from headwise.data.jobs import RunFiles
from headwise.data.jobs import job as jobs
from headwise.data.readers import Format, Layout
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.data.records.signals import Signal
from headwise.data.writers import LineFile, unescape_cell
from headwise.errors import DataError, InputError, OutputError
from headwise.quality import job

Results = Iterator[ScoredHypothesis | InputError]

# What a job that is complete needs of an estimator: it scores nothing
NOTHING = SimpleNamespace(
    default_signal=Signal.SIGMOID,
    scorer=lambda *_: SimpleNamespace(
        content=WordScorer().content, calibration=None, request=WordScorer.request
    ),
)
GOOD = b"A dog.\tEin Hund.\n"
MIXED = (
    b"id\tsource\thypothesis\n"
    b"1\tA dog runs.\tEin Hund rennt.\n"
    b"2\tonly two\n"
    b"3\tA cat.\t\n"
    b"4\tStra\xdfe\tstreet\n"
    b'5\tIt says "no".\tEs sagt "nein".\xe2\x80\xa8Ja.\n'
    b"\n"
    b"7\tBye.\tTsch\xc3\xbcss.\n"
)


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    path = tmp_path / "in.tsv"
    path.write_bytes(MIXED)
    return path


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


def beside(output: Path, kind: str) -> Path:
    return output.with_name(f"{output.name.removesuffix('.jsonl')}.{kind}.jsonl")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"in.tsv"}


def test_the_scorer_says_what_is_computed_if_nobody_else_does(mixed: Path, tmp_path: Path) -> None:
    scorer = WordScorer()
    scorer.default_signal = Signal.ERROR
    run(mixed, tmp_path / "out.jsonl", scorer=scorer)
    assert all(row["signals"].keys() == {"error"} for row in read_lines(tmp_path / "out.jsonl"))


def test_every_row_is_in_the_output_or_the_rejects(mixed: Path, tmp_path: Path) -> None:
    summary = run(mixed, tmp_path / "out.jsonl", signals=("sigmoid", "softmax"))
    rows = read_lines(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == ["1", "5", "7"]
    assert rows[0]["source"] == "A dog runs."
    assert set(rows[0]["signals"]) == {"sigmoid", "softmax"}
    rejects = read_lines(tmp_path / "out.rejects.jsonl")
    assert [reject["line"] for reject in rejects] == [3, 4, 5, 7]
    assert "2 columns, expected 3" in rejects[0]["reason"]
    assert rejects[1] == {"line": 4, "reason": "The text is empty.", "content": "A cat.\t"}
    assert rejects[2]["content"] == "4\tStra\\xdfe\tstreet"
    assert (summary.written, summary.rejected, summary.resumed_from) == (3, 4, 0)
    assert summary.figures["mean_score"] == pytest.approx(sum(row["score"] for row in rows) / 3)
    assert not summary.already_complete
    assert names(tmp_path) == {"out.jsonl", "out.rejects.jsonl", "out.run.json"}


def test_without_rejects_there_is_no_file_of_them(tmp_path: Path) -> None:
    (tmp_path / "in.tsv").write_bytes(GOOD)
    assert run(tmp_path / "in.tsv", tmp_path / "out.jsonl").rejected == 0
    assert names(tmp_path) == {"out.jsonl", "out.run.json"}


def test_no_rows_at_all(tmp_path: Path) -> None:
    (tmp_path / "in.tsv").write_bytes(b"")
    summary = run(tmp_path / "in.tsv", tmp_path / "out.jsonl")
    assert (summary.written, summary.figures["mean_score"]) == (0, None)
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    assert run(tmp_path / "in.tsv", tmp_path / "out.jsonl").already_complete


@pytest.mark.parametrize("suffix", ["tsv", "parquet"])
def test_tables_say_the_same_as_the_lines(mixed: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"table.{suffix}"
    options: dict[str, Any] = {"level": "token", "signals": ("sigmoid", "softmax")}
    run(mixed, tmp_path / "lines.jsonl", **options)
    run(mixed, output, **options)
    expected = read_lines(tmp_path / "lines.jsonl")
    for row in expected:
        row["softmax"] = row.pop("signals")["softmax"]
    if suffix == "tsv":
        header, *lines = [line.split("\t") for line in output.read_text().split("\n")[:-1]]
        rows = [dict(zip(header, map(unescape_cell, line), strict=True)) for line in lines]
        json_cells = ("score", "softmax", "tokens", "threshold", "flagged", "to_check")
        read: list[dict[str, Any]] = [
            row | {name: json.loads(row[name]) for name in json_cells} for row in rows
        ]
    else:
        read = pyarrow.parquet.read_table(output).to_pylist()
        for row in read:
            assert all(token.pop("special") is None for token in row["tokens"])
    # Of calibrations that have one
    assert all(not row.pop("segment_threshold") for row in read)
    assert read == expected
    rejects = (tmp_path / f"table.{suffix}.rejects.jsonl").read_bytes()
    assert rejects == (tmp_path / "lines.rejects.jsonl").read_bytes()
    assert not (tmp_path / f"table.{suffix}.partial.jsonl").exists()


def test_parallel_text(tmp_path: Path) -> None:
    sources, hypotheses = tmp_path / "a.en", tmp_path / "a.de"
    sources.write_bytes(b"Yes.\nNo.\n")
    hypotheses.write_bytes(b"Ja.\n")
    summary = run(sources, tmp_path / "out.jsonl", hypotheses=hypotheses)
    assert (summary.written, summary.rejected) == (1, 1)
    settings = json.loads((tmp_path / "out.run.json").read_bytes())["settings"]
    assert settings["input"] == [str(sources), str(hypotheses)]
    assert settings["input_bytes"] == [9, 4]


class TestOrderAndMemory:
    def test_rejects_wait_for_the_rows_before_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        content = (GOOD * 3 + b"bad\n" * 23 + GOOD) * 4 + b"bad\n" * 12
        (tmp_path / "in.tsv").write_bytes(content)
        order: list[str] = []
        append = LineFile.append

        def append_and_note(self: LineFile, line: bytes) -> None:
            order.append("bad" if b"reason" in line else "good")
            append(self, line)

        monkeypatch.setattr(LineFile, "append", append_and_note)
        scorer = WordScorer(window=5)
        run(tmp_path / "in.tsv", tmp_path / "out.jsonl", scorer=scorer)
        assert order == (["good"] * 3 + ["bad"] * 23 + ["good"]) * 4 + ["bad"] * 12
        assert scorer.windows > 10

    def test_input_is_read_as_it_is_needed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = written = 0
        distance: Counter[int] = Counter()

        def rows(*_: object) -> Iterator[Pair]:
            nonlocal read
            for number in range(500):
                read += 1
                distance[read - written] += 1
                yield Pair("a", f"b {number}", number + 1)

        append = LineFile.append

        def append_and_count(self: LineFile, line: bytes) -> None:
            nonlocal written
            written += 1
            append(self, line)

        (tmp_path / "in.tsv").touch()
        monkeypatch.setattr(job, "read_pairs", rows)
        monkeypatch.setattr(LineFile, "append", append_and_count)
        run(tmp_path / "in.tsv", tmp_path / "out.jsonl")
        assert written == 500
        assert max(distance) <= WordScorer().most_pairs + 1

    @pytest.mark.parametrize("count", [0, 1, 3, 5])
    def test_scorer_that_loses_or_invents_results(self, mixed: Path, count: int) -> None:
        class Careless(WordScorer):
            def score_window(self, pairs: Sequence[Pair]) -> Results:
                results = list(super().score_window(pairs))
                yield from (results * 2)[:count]

        with pytest.raises(RuntimeError, match="The work yielded"):
            run(mixed, mixed.with_name("out.jsonl"), scorer=Careless())


class TestWhoseOutputIsIt:
    def test_complete_job_does_nothing(self, mixed: Path, tmp_path: Path) -> None:
        output = tmp_path / "out.tsv"
        first = run(mixed, output)
        (tmp_path / "out.tsv.partial.jsonl").write_bytes(b"killed before this was removed\n")
        before = output.stat().st_mtime_ns
        second = run(mixed, output, scorer=NOTHING)
        assert second.already_complete
        assert (second.written, second.rejected) == (first.written, first.rejected)
        assert second.figures["mean_score"] == first.figures["mean_score"]
        assert output.stat().st_mtime_ns == before
        assert names(tmp_path) == {"out.tsv", "out.tsv.rejects.jsonl", "out.tsv.run.json"}

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            ({"level": "word"}, "`level` was 'sentence' and is 'word'"),
            ({"signals": "softmax"}, r"`signals` was \['sigmoid'\] and is \['softmax'\]"),
            ({"head": "other"}, "`head` was None and is 'other'"),
            ({"layout": Layout(format=Format.TSV)}, "`format` was None and is 'tsv'"),
            ({"layout": Layout(source_column="id")}, "`source_column` was None and is 'id'"),
        ],
    )
    def test_other_settings(
        self, mixed: Path, tmp_path: Path, change: dict[str, Any], named: str
    ) -> None:
        output = tmp_path / "out.jsonl"
        run(mixed, output)
        before = output.read_bytes()
        with pytest.raises(OutputError, match=rf"{named}; pass --overwrite to start anew, or"):
            run(mixed, output, **change)
        assert output.read_bytes() == before
        assert not run(mixed, output, **change, overwrite=True).already_complete

    def test_input_that_changed(self, mixed: Path, tmp_path: Path) -> None:
        run(mixed, tmp_path / "out.jsonl")
        mixed.write_bytes(MIXED + b"8\tmore\tmehr\n")
        with pytest.raises(OutputError, match=rf"`input_bytes` was \[{len(MIXED)}\] and is"):
            run(mixed, tmp_path / "out.jsonl")
        assert run(mixed, tmp_path / "out.jsonl", overwrite=True).written == 4

    @pytest.mark.parametrize(
        ("suffix", "kind"),
        [  # JSONL has no partial file
            ("jsonl", "output"),
            ("jsonl", "rejects"),
            ("tsv", "output"),
            ("tsv", "partial"),
            ("tsv", "rejects"),
        ],
    )
    def test_files_that_no_job_wrote(
        self, mixed: Path, tmp_path: Path, suffix: str, kind: str
    ) -> None:
        output = tmp_path / f"out.{suffix}"
        file = output if kind == "output" else beside(output, kind)
        file.write_bytes(b"precious\n")
        with pytest.raises(OutputError, match=rf"{file.name}` is there, but no job began it"):
            run(mixed, output)
        assert file.read_bytes() == b"precious\n"
        assert names(tmp_path) == {file.name}
        assert run(mixed, output, overwrite=True).written == 3
        assert b"precious" not in beside(output, "rejects").read_bytes()
        assert run(mixed, output).already_complete

    def test_formats_side_by_side(self, mixed: Path, tmp_path: Path) -> None:
        for suffix in ("jsonl", "tsv", "parquet"):
            assert not run(mixed, tmp_path / f"out.{suffix}").already_complete
        assert len(names(tmp_path)) == 9

    def test_input_is_not_written_over(self, mixed: Path, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match="write over its input"):
            run(mixed, mixed, overwrite=True)
        link = tmp_path / "out.rejects.jsonl"
        link.symlink_to(mixed)
        with pytest.raises(OutputError, match="write over its input"):
            run(mixed, tmp_path / "out.jsonl", overwrite=True)
        assert mixed.read_bytes() == MIXED

    def test_output_or_part_of_it_is_gone(self, mixed: Path, tmp_path: Path) -> None:
        output = tmp_path / "out.jsonl"
        run(mixed, output)
        output.unlink()
        with pytest.raises(OutputError, match=r"speaks of `.*out\.jsonl`, but it is gone"):
            run(mixed, output)

    @pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b"3"])
    def test_damaged_sidecar(self, mixed: Path, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "out.run.json").write_bytes(content)
        with pytest.raises(OutputError, match="does not describe a job"):
            run(mixed, tmp_path / "out.jsonl")

    def test_job_that_has_written_nothing_binds_to_nothing(
        self, mixed: Path, tmp_path: Path
    ) -> None:
        class Broken(WordScorer):
            def score_window(self, _: Sequence[Pair]) -> Results:
                raise MemoryError

        with pytest.raises(MemoryError):
            run(mixed, tmp_path / "out.jsonl", scorer=Broken(), head="too large")
        assert run(mixed, tmp_path / "out.jsonl", head="small").written == 3

    def test_second_job_at_the_same_time(self, mixed: Path, tmp_path: Path) -> None:
        output = tmp_path / "out.tsv"

        class Greedy(WordScorer):
            def score_window(self, pairs: Sequence[Pair]) -> Results:
                with pytest.raises(OutputError, match="Another process is writing"):
                    run(mixed, output)
                with pytest.raises(OutputError, match="Another process is writing"):
                    run(mixed, output, overwrite=True)
                return super().score_window(pairs)

        assert run(mixed, output, scorer=Greedy()).written == 3

    @pytest.mark.parametrize(
        ("output", "error", "message"),
        [
            ("missing/out.jsonl", OutputError, "There is no folder"),
            ("folder.jsonl", OutputError, "is not a file"),
            ("out.doc", DataError, "one of jsonl, .*, xlsx, xliff, tmx, po, got 'doc'"),
            ("out", DataError, "set --output-format"),
        ],
    )
    def test_output_that_cannot_be(
        self, mixed: Path, tmp_path: Path, output: str, error: type[Exception], message: str
    ) -> None:
        (tmp_path / "folder.jsonl").mkdir()
        with pytest.raises(error, match=message):
            run(mixed, tmp_path / output)
        assert names(tmp_path) == {"folder.jsonl"}

    def test_wrong_column_is_noticed_before_a_file_is_written(
        self, mixed: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(DataError, match="there is no `english`"):
            run(mixed, tmp_path / "out.jsonl", layout=Layout(source_column="english"))
        assert names(tmp_path) == set()


class TestFullDisk:
    @pytest.fixture
    def disk(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
        """Leave room for so many bytes in every file of lines; -1 is without limit."""
        room = -1

        class Limited(io.FileIO):
            def write(self, data: Any, /) -> int:
                space = len(data) if room < 0 else max(room - self.tell(), 0)
                if not space:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                return super().write(bytes(data[:space]))

        def limit(size: int) -> None:
            nonlocal room
            room = size

        monkeypatch.setattr(os, "fdopen", lambda descriptor, *_, **__: Limited(descriptor, "r+"))
        return limit

    @pytest.mark.parametrize("suffix", ["jsonl", "tsv", "parquet"])
    def test_what_is_written_is_safe(
        self, mixed: Path, tmp_path: Path, suffix: str, disk: Callable[[int], None]
    ) -> None:
        run(mixed, tmp_path / f"whole.{suffix}")
        output = tmp_path / f"out.{suffix}"
        errors = []
        for room in range(0, 800, 30):
            disk(room)
            try:
                run(mixed, output)
            except OutputError as error:
                errors.append(str(error))
        disk(-1)
        summary = run(mixed, output)
        assert len(errors) >= 4
        assert "no space left" in errors[0]
        assert "Rows that are safe: 0. Free some space and run the same command" in errors[0]
        assert "Rows that are safe: 6." in errors[-1]
        assert (summary.written, summary.rejected) == (3, 4)
        assert output.read_bytes() == (tmp_path / f"whole.{suffix}").read_bytes()
        rejects = beside(output, "rejects").read_bytes()
        assert rejects == beside(tmp_path / f"whole.{suffix}", "rejects").read_bytes()

    @pytest.mark.parametrize("suffix", ["tsv", "parquet"])
    def test_no_room_for_the_table(self, mixed: Path, tmp_path: Path, suffix: str) -> None:
        output = tmp_path / f"out.{suffix}"
        full = tmp_path / f"out.{suffix}.tmp"
        full.symlink_to("/dev/full")
        with pytest.raises(OutputError, match=r"no space left.*Rows that are safe: 7"):
            run(mixed, output)
        assert not output.exists()
        assert run(mixed, output).resumed_from == 7
        assert output.is_file()

    def test_failure_of_the_scorer_is_not_taken_for_a_full_disk(self, mixed: Path) -> None:
        class Broken(WordScorer):
            def score_window(self, _: Sequence[Pair]) -> Results:
                raise OSError(errno.ENOSPC, "no room for the cache of the model")

        with pytest.raises(OSError, match="cache of the model") as caught:
            run(mixed, mixed.with_name("out.jsonl"), scorer=Broken())
        assert not isinstance(caught.value, OutputError)


class TestStandardStreams:
    def test_output(self, mixed: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        summary = run(mixed, Path("-"))
        out, err = capfdbinary.readouterr()
        assert [json.loads(line)["id"] for line in out.splitlines()] == ["1", "5", "7"]
        assert [json.loads(line)["line"] for line in err.splitlines()] == [3, 4, 5, 7]
        assert (summary.written, summary.rejected) == (3, 4)
        assert names(mixed.parent) == set()

    def test_input(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(GOOD * 3)))
        monkeypatch.setattr(sys, "stdin", stdin)
        assert run(Path("-"), tmp_path / "out.jsonl").written == 3

    def test_full_device(self, mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with Path("/dev/full").open("w") as full:
            monkeypatch.setattr(sys, "stdout", full)
            with pytest.raises(OutputError, match=r"Rows that were written: 0.*start anew"):
                run(mixed, Path("-"))

    def test_reader_that_has_seen_enough(
        self, mixed: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            monkeypatch.setattr(sys, "stdout", pipe)
            with pytest.raises(BrokenPipeError):
                run(mixed, Path("-"))


@pytest.mark.parametrize("before", [0, 3])
def test_the_bar_knows_how_many_rows_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    source, output = tmp_path / "in.tsv", tmp_path / "out.jsonl"
    source.write_bytes(MIXED)
    rows = MIXED.count(b"\n") - 1
    if before:  # an earlier run was stopped after as many rows
        run(source, output)
        lines = output.read_bytes().splitlines(keepends=True)
        rejects = (tmp_path / "out.rejects.jsonl").read_bytes().splitlines(keepends=True)
        output.write_bytes(b"".join(lines[:1]))
        (tmp_path / "out.rejects.jsonl").write_bytes(b"".join(rejects[: before - 1]))
        record = tmp_path / "out.run.json"
        record.write_text(
            json.dumps(json.loads(record.read_text()) | {"complete": False, "result": None})
        )
    shown: list[int | None] = []

    @contextmanager
    def bar(_: str, *, total: int | None, enabled: bool) -> Iterator[Callable[[int], None]]:
        assert enabled
        shown.append(total)
        yield shown.append

    monkeypatch.setattr(jobs, "progress_bar", bar)
    run(source, output, progress=True)
    total, done, *windows = shown
    assert (total, done) == (rows, before)
    assert done + sum(windows) == rows  # type: ignore[arg-type, operator]


def test_an_output_that_another_process_writes_is_refused_before_a_model_is_loaded(
    tmp_path: Path,
) -> None:
    files = RunFiles.of(tmp_path / "out.csv")
    files.expect([])
    with LineFile(files.work), pytest.raises(OutputError, match=r"is writing .*out\.csv;"):
        files.expect([])
    files.expect([])
