"""Scores of hidden states that vLLM's connector wrote: those of the model itself, or an error."""

import fcntl
import threading
import time
from pathlib import Path

import pytest
import torch
from made_states import write_states
from running import headwise
from safetensors.torch import save_file
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.backbones import CausalBackbone, EncodedPair, FilesBackbone
from headwise.errors import StatesError, TextError
from headwise.heads import ErrorHead, SigmoidHead


def read_by(estimator: QualityEstimator, pairs: tuple[tuple[str, str], ...]) -> list[list[int]]:
    """What an engine has read and written: all but the last token, and a token more."""
    encoded = estimator.backbone.encode(list(pairs), estimator.prompt)
    return [[*code.input_ids, 5] for code in encoded if isinstance(code, EncodedPair)]


@pytest.fixture
def layered(estimator: QualityEstimator, head: SigmoidHead) -> QualityEstimator:
    """With an error head that reads a middle layer and the last."""
    torch.manual_seed(2)
    width = estimator.backbone.hidden_size
    error = ErrorHead(hidden_size=width, layers=(1, -1), layer_count=2, inner_size=8)
    return QualityEstimator(estimator.backbone, head, error_head=error, prompt=estimator.prompt)


def test_scores_are_those_of_the_model_itself(
    layered: QualityEstimator, parrot: CausalBackbone, folder: Path, tmp_path: Path
) -> None:
    signals = ("error", "sigmoid", "logprob", "entropy")
    write_states(tmp_path / "s", parrot, read_by(layered, PAIRS), layers=(2, 0, 1))
    files = FilesBackbone(tmp_path / "s", folder, layers=(2, 0, 1))
    other = QualityEstimator(
        files, layered.head, error_head=layered.error_head, prompt=layered.prompt
    )
    own = list(layered.score_many(PAIRS, signals=signals))
    for mine, theirs in zip(own, other.score_many(PAIRS, signals=signals), strict=True):
        rows = [one.as_dict("token")["tokens"] for one in (mine, theirs)]  # type: ignore[union-attr]
        for a, b in zip(*rows, strict=True):
            found = pytest.approx([b[name] for name in signals], rel=1e-4, abs=1e-5)
            assert [a[name] for name in signals] == found


def test_texts_that_no_file_has_are_set_aside(
    estimator: QualityEstimator, parrot: CausalBackbone, folder: Path, tmp_path: Path
) -> None:
    write_states(tmp_path / "s", parrot, read_by(estimator, PAIRS[:2]), layers=(2,))
    (tmp_path / "pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in PAIRS[:3]))
    command = ("score", "pairs.tsv", "-m", folder, "--prompt", "tiny", "--states", "s")
    done = headwise(*command, "--signals", "logprob", cwd=tmp_path, code=3)
    assert len(done.stdout.splitlines()) == 2
    assert "No file has hidden states of these" in done.stderr


def test_a_file_that_is_being_written_is_waited_for(
    estimator: QualityEstimator, parrot: CausalBackbone, folder: Path, tmp_path: Path
) -> None:
    states = tmp_path / "s"
    write_states(states, parrot, read_by(estimator, PAIRS[:1]), layers=(2,))
    (path,) = states.glob("*.safetensors")
    content = path.read_bytes()
    path.write_bytes(b"")
    written = threading.Event()
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        def finish() -> None:
            time.sleep(0.3)
            path.write_bytes(content)
            written.set()
            fcntl.flock(lock, fcntl.LOCK_UN)

        thread = threading.Thread(target=finish)
        thread.start()
        files = FilesBackbone(states, folder)
        assert written.is_set()
        thread.join()
    assert QualityEstimator(files, prompt=estimator.prompt).score(*PAIRS[0]).score is not None
    with pytest.raises(TextError, match="No file has hidden states"):
        QualityEstimator(files, prompt=estimator.prompt).score(*PAIRS[1])


def folder_with(tmp_path: Path, **tensors: torch.Tensor) -> Path:
    save_file(tensors, tmp_path / "a.safetensors")
    return tmp_path


IDS = torch.arange(4)


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({"token_ids": IDS}, "needs the tensors"),
        ({"token_ids": IDS, "hidden_states": torch.zeros(3, 1, 8)}, "as many token_ids"),
        ({"token_ids": IDS, "hidden_states": torch.zeros(4, 8)}, "as many token_ids"),
        ({"token_ids": IDS, "hidden_states": torch.zeros(4, 2, 8)}, "say which ones"),
        ({"token_ids": IDS, "hidden_states": torch.zeros(4, 1, 8)}, "1 layers of width 8"),
    ],
)
def test_other_files_are_refused(
    folder: Path, tmp_path: Path, tensors: dict[str, torch.Tensor], said: str
) -> None:
    with pytest.raises(StatesError, match=said):
        FilesBackbone(folder_with(tmp_path, **tensors), folder)


def test_damaged_files_and_empty_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(StatesError, match="There are no files of hidden states"):
        FilesBackbone(tmp_path, folder)
    states = folder_with(tmp_path, token_ids=IDS, hidden_states=torch.zeros(4, 1, 8))
    (states / "b.safetensors").write_bytes(b"cut short")
    with pytest.raises(StatesError, match="no hidden states that can be read"):
        FilesBackbone(states, folder)
    save_file({"token_ids": IDS, "hidden_states": torch.zeros(4, 3, 8)}, states / "b.safetensors")
    with pytest.raises(StatesError, match="keep files of one model in a folder"):
        FilesBackbone(states, folder)
    (states / "b.safetensors").unlink()
    with pytest.raises(ValueError, match="whole numbers from"):
        FilesBackbone(states, folder, layers=(99,))
