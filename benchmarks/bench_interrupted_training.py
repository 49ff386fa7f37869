"""Kill trainings at every file operation and at random: does each go on to the same head?

A training is killed (SIGKILL) before its first file operation in a folder, before its second, and
so on, and in the middle of every tensor file; each time, the same call then has to end with the
bytes of an uninterrupted one. A dead end is a call that fails.
"""

import argparse
import contextlib
import logging
import multiprocessing
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from transformers.utils.logging import disable_progress_bar

from headwise import EntailmentModel, QualityEstimator
from headwise.backbones import parse_prompt
from headwise.bundled.examples import example_pairs
from headwise.data.records.inferences import InferencePair
from headwise.errors import FinishedError
from headwise.heads import NLI_LABELS
from headwise.quality.after_training import train_error_head
from headwise.training import (
    AbstentionTraining,
    ErrorTraining,
    NLITraining,
    SigmoidTraining,
    train_abstention_head,
    train_nli_head,
    train_sigmoid_head,
)

Train = Callable[[Path], Any]

# Started at once and with what this process has loaded
FORK = multiprocessing.get_context("fork")
CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir")


def trainings() -> dict[str, Train]:
    """Small trainings by their names, each into a folder."""
    import matplotlib.backends.backend_agg
    import matplotlib.figure  # noqa: F401 - once, and not in every process

    backbone = QualityEstimator.from_pretrained("tiny-en-de").backbone
    encoder = EntailmentModel.from_pretrained("minilm-snli").backbone
    pairs, tiny = example_pairs(), {"prompt": parse_prompt("tiny"), "backbone_name": "tiny-en-de"}
    draw = random.Random(0)
    inferences = [
        InferencePair(pair.source, draw.choice(pairs).source, draw.choice(NLI_LABELS), number)
        for number, pair in enumerate(pairs * 2)
    ]

    def sigmoid(output: Path) -> Any:
        settings = SigmoidTraining(epochs=3, batch_tokens=256)
        return train_sigmoid_head(backbone, pairs, pairs[:6], output, settings=settings, **tiny)

    def errors(output: Path) -> Any:
        settings = ErrorTraining(epochs=2, copies=1, inner_size=16, batch_tokens=512)
        return train_error_head(backbone, pairs[8:], pairs[:8], output, settings=settings, **tiny)

    def nli(output: Path) -> Any:
        settings = NLITraining(epochs=3, batch_size=16, hidden_size=16)
        return train_nli_head(
            encoder, inferences, inferences[:9], output, settings=settings, backbone_name="minilm"
        )

    def abstention(output: Path) -> Any:
        heads = output.parent / "heads"
        if not (heads / "config.json").is_file():
            nli(heads)
        settings = AbstentionTraining(epochs=2, folds=2, inner_size=8, batch_size=16)
        return train_abstention_head(
            encoder, inferences, inferences[:30], heads, output, settings=settings
        )

    return {"sigmoid": sigmoid, "errors": errors, "nli": nli, "abstention": abstention}


def die_at(train: Train, output: Path, operation: int) -> None:
    """Train, and die before an operation on a file of the folder, counted from 0."""
    left = [operation]

    def step(where: object, *, at: Callable[[], None] = lambda: None) -> None:
        if isinstance(where, str | os.PathLike) and os.fspath(where).startswith(str(output)):
            if left[0] == 0:
                at()
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or event in CHANGES:
            step(arguments[0])

    def cut(save: Callable[..., Any], place: int) -> Callable[..., Any]:
        """Save a file; to die there leaves its first half."""

        def save_or_die(*given: Any, **named: Any) -> Any:
            found = save(*given, **named)
            path = given[place] if len(given) > place else named.get("filename")
            if isinstance(path, str | os.PathLike):
                size = Path(path).stat().st_size
                step(path, at=lambda: os.truncate(path, size // 2))
            return found

        return save_or_die

    torch.save = cut(torch.save, 1)
    safetensors.torch.save_file = cut(safetensors.torch.save_file, 1)
    sys.addaudithook(audit)
    silently(train, output)


def silently(train: Train, output: Path) -> None:
    """Train without a word, unless it fails."""
    torch.set_num_threads(1)
    disable_progress_bar()
    logging.disable()
    with contextlib.suppress(FinishedError):  # it was killed when all was done
        train(output)


def ended(target: Callable[..., None], *given: Any, after: float | None = None) -> int | None:
    """Exit code of a process; it is killed ``after`` seconds."""
    process = FORK.Process(target=target, args=given)
    process.start()
    process.join(after)
    if process.is_alive():
        process.kill()
        process.join()
    return process.exitcode


def heads_in(folder: Path) -> dict[str, bytes]:
    """Weights, configs and calibrations in a folder, by their names."""
    paths = [*folder.glob("*.safetensors"), *folder.glob("*.json")]
    return {path.name: path.read_bytes() for path in paths}


def main() -> None:
    """Kill, go on, compare; print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trainings", nargs="+", default=["sigmoid", "errors"])
    parser.add_argument("--every", type=int, default=1, help="kill at every so manieth operation")
    parser.add_argument("--random", type=int, default=20, help="kills at random moments")
    arguments = parser.parse_args()
    draw = random.Random(0)
    known = trainings()
    for name in arguments.trainings:
        train = known[name]
        with tempfile.TemporaryDirectory() as place:
            whole = Path(place) / "whole"
            begin = time.monotonic()
            assert ended(silently, train, whole) == 0
            seconds, expected = time.monotonic() - begin, heads_in(whole)
            kills = dead_ends = others = operation = 0
            moments = [draw.uniform(0.0, seconds) for _ in range(arguments.random)]
            while operation is not None or moments:
                output = Path(place) / "killed"
                shutil.rmtree(output, ignore_errors=True)
                if operation is not None:
                    code = ended(die_at, train, output, operation)
                    operation = operation + arguments.every if code else None
                else:
                    code = ended(silently, train, output, after=moments.pop())
                if code == 0:  # it was through
                    continue
                kills += 1
                again = ended(silently, train, output)
                dead_ends += again != 0
                others += again == 0 and heads_in(output) != expected
        print(f"{name}: {kills} kills, {dead_ends} dead ends, {others} other heads", flush=True)


if __name__ == "__main__":
    main()
