"""`headwise demo` with a model of one's own: several languages, row by row."""

import html
from pathlib import Path

import pytest
from in_process import invoke
from tiny_models import byte_level, tiny_llama

from headwise.bundled import locate, names
from headwise.bundled.examples import example_pairs, example_pairs_of_languages
from headwise.errors import UnknownModelError
from headwise.languages import language_name


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without a head, and without a chat template."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = byte_level()
    tokenizer.chat_template = None
    for part in (tiny_llama(tokenizer, num_hidden_layers=1), tokenizer):
        part.save_pretrained(folder)
    return folder


def test_examples_come_with_their_languages_and_what_is_wrong() -> None:
    pairs = example_pairs_of_languages()
    for pair in pairs:
        source, target = pair.extra["source_language"], pair.extra["target_language"]
        assert pair.extra["id"].startswith(f"{source}-{target}: ")
        assert language_name(source)
        assert language_name(target)
    kinds = [pair.extra["id"].partition(": ")[2] for pair in pairs]
    wrong = {"wrong word", "wrong number", "omission", "negation lost"}
    assert set(kinds) == wrong | {"right", "right, otherwise"}
    # Every error has the right translation above it
    for kind, pair in zip(kinds, pairs, strict=True):
        rights = [p for p, k in zip(pairs, kinds, strict=True) if k.startswith("right")]
        assert kind not in wrong or pair.source in [right.source for right in rights]
    assert len(pairs) == len(set(map(repr, pairs)))
    assert len(example_pairs()) == 11
    assert example_pairs()[-1].hypothesis == "Ein Hund läuft am entlang."


def test_a_model_without_a_head_shows_its_own_probabilities(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = invoke("demo", "-m", base, "-o", "r.html")
    assert "'<s>{source_language}: {source}\\n{target_language}: {hypothesis}\\n'" in found.stderr
    shown = " ".join(found.stdout.split())
    for text in ("Several languages", "boosted", "softmax", "has no head here", "en-ru: negation"):
        assert text in shown
    report = html.unescape(Path("r.html").read_text(encoding="utf-8"))
    for pair in example_pairs_of_languages():
        assert pair.source in report
        assert pair.extra["id"] in report


def test_a_prompt_without_languages_takes_the_sentences_of_the_bundled_model(
    base: Path, tmp_path: Path
) -> None:
    found = invoke("demo", "-m", base, "--prompt", "question", "-o", tmp_path / "r.html")
    assert "English to German" in found.stdout
    assert "en-de:" not in found.stdout


def test_heads_that_are_there_go_with_gemma(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "bundled_folder", lambda _: tmp_path)
    assert locate("gemma-3-270m") == locate("gemma-3-270m").__class__("gemma-3-270m", None)
    with pytest.raises(UnknownModelError, match="No heads of gemma-3-270m"):
        locate("some/model", "gemma-3-270m")
    (tmp_path / "head").mkdir()
    assert locate("gemma-3-270m").head == tmp_path / "head"
    assert locate("some/model", "gemma-3-270m").head == tmp_path / "head"
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text("{}")
    assert locate("gemma-3-270m", other).head == other


def test_info_says_where_gemma_comes_from_and_on_which_terms() -> None:
    shown = " ".join(invoke("info").stdout.split())
    assert "gemma-3-270m (" in shown
    assert "installed" in shown
    assert "ai.google.dev/gemma/terms" in shown
