"""A scorer that is quick enough for tests of the job around it, and its scores follow from text."""

import multiprocessing
import os
import signal
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from headwise.data.jobs import JobDone, RunFiles, job
from headwise.data.jobs.record import JobRecord
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.data.records.words import word_ranges
from headwise.data.writers import LineFile
from headwise.errors import InputError, TextError
from headwise.quality.job import score_file

# The processes start at once, so that there is something to kill
FORK = multiprocessing.get_context("fork")


class WordScorer:
    """Scores each word with its checksum; an estimator and its scorer in one."""

    default_signal = Signal.SIGMOID
    signals: tuple[Signal, ...] = ()
    calibration = None
    prompt = SimpleNamespace(columns={})
    request = SimpleNamespace(threshold=0.5, segment_threshold=0.5)

    def __init__(self, *, window: int = 7, delay: float = 0.0, weights: str = "words") -> None:
        self.weights = weights
        self.most_pairs = window
        self.delay = delay
        self.windows = 0

    def scorer(self, signals: tuple[Signal, ...], alternatives: int) -> Self:
        assert not alternatives
        self.signals = signals
        return self

    def content(self) -> dict[str, Any]:
        return {"model weights": self.weights}

    def score_window(self, pairs: Sequence[Pair]) -> Iterator[ScoredHypothesis | InputError]:
        self.windows += 1
        for pair in pairs:
            time.sleep(self.delay)
            yield score_words(pair, self.signals)


def score_words(pair: Pair, signals: tuple[Signal, ...]) -> ScoredHypothesis | InputError:
    if not pair.hypothesis or pair.source == "":
        return TextError("The text is empty.")
    tokens = []
    for start, end in word_ranges(pair.hypothesis):
        word = pair.hypothesis[start:end]
        checksum = zlib.crc32(f"{pair.source}|{word}".encode("utf-8", "surrogatepass"))
        values: dict[str, Any] = dict.fromkeys(signals, checksum / 2**32)
        tokens.append(ScoredToken(text=word, token_id=checksum, start=start, end=end, **values))
    extra = dict(pair.extra)
    return ScoredHypothesis(
        pair.source, pair.hypothesis, tuple(tokens), (), signals, extra, threshold=0.5
    )


def run(source: Path, output: Path, **options: Any) -> JobDone:
    scorer: Any = options.pop("scorer", None) or WordScorer()
    return score_file(scorer, source, output, model="words", **options)


def run_slowly(source: Path, output: Path) -> None:
    run(source, output, scorer=WordScorer(delay=0.0005))


def kill_at(source: Path, output: Path, moments: Iterable[tuple[str, int]]) -> None:
    """Kill a job at one moment after the other; see :func:`run_and_die`."""
    for moment, number in moments:
        process = FORK.Process(target=run_and_die, args=(source, output, moment, number))
        process.start()
        process.join()
        assert process.exitcode == -9, f"The job was not killed at {moment} {number}."


def run_and_die(source: Path, output: Path, moment: str, number: int) -> None:
    """Run a job, and kill the process at a moment: in the middle of a line, or beside a step."""
    if moment == "line":
        append, count = LineFile.append, 0

        def append_or_die(self: LineFile, line: bytes) -> None:
            nonlocal count
            count += 1
            if count == number:
                self._file.write(line[: len(line) // 2])
                die()
            append(self, line)

        LineFile.append = append_or_die  # type: ignore[method-assign]
    elif moment == "table":
        kill_before(job._Job, "make_table", number)
    else:
        owner, name = {
            "record": (JobRecord, "write"),
            "discard": (LineFile, "clear"),
            "clean_up": (RunFiles, "clean_up"),
        }[moment]
        kill_before(owner, name, number)
    run(source, output)


def kill_before(owner: type, name: str, number: int) -> None:
    step, calls = getattr(owner, name), 0

    def step_or_die(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number:
            die()
        return step(*args, **kwargs)

    setattr(owner, name, step_or_die)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
