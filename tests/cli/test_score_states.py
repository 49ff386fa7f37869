"""Scoring by a server's hidden states, as a user asks for it."""

import json
from pathlib import Path

import pytest
from made_states import MadeServer
from running import headwise

from headwise.backbones import load_backbone
from headwise.bundled import locate

PAIRS = "A dog runs.\tEin Hund rennt.\nA cat sleeps.\tEine Katze lacht.\n"


def test_rows_are_those_of_the_model_itself(tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text(PAIRS)
    made = MadeServer(load_backbone(locate("tiny-en-de").backbone), "vllm")  # type: ignore[arg-type]
    alone = headwise("score", "pairs.tsv", cwd=tmp_path).stdout.splitlines()
    with made.listening() as url:
        other = headwise("score", "pairs.tsv", "--states", url, cwd=tmp_path).stdout.splitlines()
    for a, b in zip(map(json.loads, alone), map(json.loads, other), strict=True):
        assert a.keys() == b.keys()
        assert b["score"] == pytest.approx(a["score"], abs=1e-4)
        assert b["flagged"] == a["flagged"]
    assert any(path == "/pooling" for path, _ in made.asked)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--states", "nowhere"), "must be the address of a server"),
        (("--states-layers", "3"), "say more of --states"),
        (("--states", "http://127.0.0.1:9", "--states-layers", "3"), "layers are for files"),
        (("--states", ".", "--states-layers", "last"), "numbers such as 12,18"),
        (("--states", "http://127.0.0.1:9", "--states-server", "x"), "must be one of vllm"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    (tmp_path / "pairs.tsv").write_text(PAIRS)
    message = headwise("score", "pairs.tsv", *options, cwd=tmp_path, code=2).stderr
    assert said in " ".join(message.replace("│", " ").split())
