"""``headwise embed`` as a user meets it."""

from pathlib import Path

import numpy as np
import pytest
from in_process import invoke
from running import headwise

from headwise.entailment import EntailmentModel
from headwise.errors import OutputError


def test_lines_that_cannot_be_read_shift_nothing(
    tmp_path: Path,
    encoder_folder: Path,
    entailment_model: EntailmentModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = b"A dog runs.\n\nStra\xdfe\nThe cat sat on the mat.\n"
    command = ("embed", "-", "-o", "v.npy", "-m", encoder_folder, "--device", "cpu")
    result = headwise(*command, cwd=tmp_path, text=content, code=3)
    assert "2 texts embedded in 32 numbers each, 2 rejected: v.npy" in result.stderr
    assert "v.npy.rejects.jsonl" in result.stderr
    assert np.load(tmp_path / "v.lines.npy").tolist() == [1, 4]
    expected = entailment_model.embed(["A dog runs.", "The cat sat on the mat."])
    np.testing.assert_allclose(np.load(tmp_path / "v.npy"), expected.numpy(), atol=1e-5)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="--overwrite"):
        invoke(*command, text=content)
