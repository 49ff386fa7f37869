"""Options of a cluster, before one is asked."""

from pathlib import Path

import pytest
from in_process import invoke

from headwise.distributed import workers
from headwise.errors import ClusterError


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("pairs.tsv").write_text("source\thypothesis\nA dog.\tEin Hund.\n", "utf-8")
    return Path("pairs.tsv")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--workers", "2"), "are for a cluster"),
        (("--in-order",), "are for a cluster"),
        (("--ray", "local", "-o", "scored", "--workers", "many"), "Workers must be a number"),
        (("--ray", "local", "-o", "scored.jsonl"), "names a folder"),
        (("--ray", "local"), "names a folder"),
        (("--ray", "local", "-o", "scored", "--view"), "not for --ray"),
        (("--ray", "local", "-o", "scored", "--mark-spans"), "for documents"),
    ],
)
def test_wrong_usage_is_said(
    pairs: Path, options: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "find_spec", lambda _: object())

    result = invoke("score", pairs, *options, code=2)

    assert said in " ".join(result.stderr.replace("│", " ").split())


def test_several_files_are_for_a_cluster(pairs: Path) -> None:
    result = invoke("score", pairs, pairs, pairs, code=2)

    assert "Several are worked on with --ray" in " ".join(result.stderr.replace("│", " ").split())


def test_a_missing_ray_is_named(pairs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "find_spec", lambda _: None)

    for command in (("score", pairs), ("nli", pairs), ("embed", pairs, "--column", "source")):
        with pytest.raises(ClusterError, match=r"pip install 'headwise\[ray\]'"):
            invoke(*command, "--ray", "local", "-o", "out")
