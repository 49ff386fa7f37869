"""Every Python snippet of README and docs runs as it is pasted, in the order of its page."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_triage import made_rows

import headwise
from headwise.bundled.examples import example_pairs
from headwise.corruption import CorruptionMix, corrupt

ROOT = Path(headwise.__file__).parents[2]
PAGES = sorted(
    page.relative_to(ROOT)
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    if page.is_file() and "```python" in page.read_text("utf-8")
)
# A comment in front says why a snippet cannot run here
SNIPPET = re.compile(r"(<!-- not run: [^\n]+ -->\n)?```python\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    """What a reader has: files of pairs, marked and scored texts, and pairs with labels."""
    pairs = example_pairs()
    # Few, as pages train on them
    table = "".join(f"{pair.source}\t{pair.hypothesis}\n" for pair in pairs[:6])
    marked = [
        {
            "source": copy.pair.source,
            "hypothesis": copy.pair.hypothesis,
            "annotations": [{"start": e.start, "end": e.end} for e in copy.pair.errors or ()],
        }
        for copy in corrupt(pairs, mix=CorruptionMix.default("de"), seed=0)
    ]
    right = [{"source": p.source, "hypothesis": p.hypothesis, "annotations": []} for p in pairs]
    labelled = [
        "A man is playing guitar.\tA man plays an instrument.\tentailment",
        "A man is playing guitar.\tA man is asleep.\tcontradiction",
        "Two dogs run on the beach.\tAnimals are outside.\tentailment",
        "Two dogs run on the beach.\tThe dogs sleep at home.\tcontradiction",
    ]
    return {
        **dict.fromkeys(("train.tsv", "dev.tsv", "references.tsv"), table),
        "marked.jsonl": "".join(json.dumps(row) + "\n" for row in marked + right),
        **{
            name: "".join(json.dumps(row) + "\n" for row in made_rows(300, seed=seed))
            for seed, name in enumerate(("labelled-scored.jsonl", "new.jsonl"))
        },
        "labelled.tsv": "premise\thypothesis\tlabel\n" + "\n".join(labelled * 10) + "\n",
    }


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_snippets_run_as_pasted(
    page: Path,
    files: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "my-head").mkdir()
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    run: Callable[..., None] = exec
    snippets = SNIPPET.findall((ROOT / page).read_text("utf-8"))
    assert any(not unfit for unfit, _ in snippets)
    for unfit, snippet in snippets:
        code = compile(snippet, f"{page}: {snippet.splitlines()[0]}", "exec")
        if not unfit:
            run(code, names)
