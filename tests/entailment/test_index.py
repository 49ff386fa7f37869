"""The index: exact search, the graph, and its files."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from headwise.entailment import DocumentIndex, EntailmentModel
from headwise.errors import ContextLengthError, DataError, InputError, MismatchError, TextError

DOCUMENTS = ["A dog runs.", "A woman reads a book.", "Two men\u2028drink tea.", "A dog runs."]


def test_search_is_exact(fitted: EntailmentModel) -> None:
    index = fitted.index(DOCUMENTS)
    vectors = fitted.embed(DOCUMENTS)
    expected = vectors @ fitted.embed("A dog.")
    found = index.search("A dog.", top_k=10)
    assert [one.index for one in found] == sorted(range(4), key=lambda i: (-expected[i], i))
    assert [one.score for one in found] == pytest.approx(
        expected.sort(descending=True)[0].tolist(), abs=1e-5
    )
    assert all(one.document == DOCUMENTS[one.index] for one in found)
    assert fitted.search("A dog.", index, 2) == found[:2]
    assert [one.index for one in fitted.search("A dog.", DOCUMENTS)] == [one.index for one in found]
    assert [one.index for one in fitted.search("A dog runs.", index, 2)] == [0, 3]


def test_scores_are_cosines_whatever_the_length_of_vectors() -> None:
    torch.manual_seed(0)
    vectors = torch.randn(5, 3) * 100

    index = DocumentIndex(
        list("abcde"), vectors, embed=lambda texts: torch.tensor([[2.0, 0.0, 0.0]] * len(texts))
    )
    expected = F.normalize(vectors, dim=-1)[:, 0]
    found = index.search("x")
    assert [one.score for one in found] == pytest.approx(expected.sort(descending=True)[0].tolist())


def test_an_empty_index(fitted: EntailmentModel, tmp_path: Path) -> None:
    index = fitted.index([])
    assert len(index) == 0
    assert index.search("A dog.") == []
    loaded = DocumentIndex.load(index.save(tmp_path), embed=fitted.embed)
    assert loaded.search("A dog.") == []


def test_save_and_load(fitted: EntailmentModel, tmp_path: Path) -> None:
    index = fitted.index(DOCUMENTS)
    folder = index.save(tmp_path / "new" / "index")
    loaded = DocumentIndex.load(folder, embed=fitted.embed)
    assert loaded.documents == tuple(DOCUMENTS)
    assert loaded.vectors.equal(index.vectors)
    assert loaded.search("A dog.") == index.search("A dog.")


def test_an_index_of_another_encoder(fitted: EntailmentModel, tmp_path: Path) -> None:
    folder = fitted.index(DOCUMENTS).save(tmp_path)
    with pytest.raises(MismatchError, match="vectors of 32 numbers, this encoder makes 5"):
        DocumentIndex.load(folder, embed=lambda texts: torch.ones(len(texts), 5))
    with pytest.raises(MismatchError, match="another encoder"):
        DocumentIndex.load(folder, embed=lambda texts: -fitted.embed(texts))


def test_damaged_files(fitted: EntailmentModel, tmp_path: Path) -> None:
    folder = fitted.index(DOCUMENTS).save(tmp_path)
    path = folder / "documents.jsonl"
    whole = path.read_text("utf-8")
    for damaged, message in (
        (whole[:-3], "one text a line|cannot be read"),
        (whole + json.dumps("more") + "\n", "one vector for each of 5 documents"),
        (whole.replace(json.dumps(DOCUMENTS[0]), "3", 1), "one text a line"),
    ):
        path.write_text(damaged, "utf-8")
        with pytest.raises(DataError, match=message):
            DocumentIndex.load(folder, embed=fitted.embed)
    with pytest.raises(DataError, match="cannot be read"):
        DocumentIndex.load(tmp_path / "nowhere", embed=fitted.embed)


def test_bad_input(fitted: EntailmentModel) -> None:
    with pytest.raises(TextError, match=r"^documents\[1\]: The document is empty"):
        fitted.index(["A dog.", ""])
    with pytest.raises(ContextLengthError, match=r"^texts\[0\]: The text takes 72 tokens"):
        fitted.embed(["dog " * 70])
    with pytest.raises(TextError, match="`documents` must be a list of texts, got str"):
        fitted.index("A dog.")
    with pytest.raises(TextError, match="`texts` must be a list of texts, got int"):
        fitted.embed(3)  # type: ignore[arg-type]
    index = fitted.index(DOCUMENTS)
    with pytest.raises(InputError):
        index.search("")
    with pytest.raises(ValueError, match="`top_k` must be a whole number of at least 1, got 0"):
        index.search("A dog.", 0)
    with pytest.raises(ValueError, match="one of exact, faiss, got 'magic'"):
        fitted.index(DOCUMENTS, backend="magic")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"one row for each of 2 documents, got \(3, 4\)"):
        DocumentIndex(["a", "b"], torch.zeros(3, 4), embed=fitted.embed)


def test_faiss(fitted: EntailmentModel, tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    torch.manual_seed(0)
    vectors = F.normalize(torch.randn(2000, 16), dim=-1)
    queries = F.normalize(torch.randn(50, 16), dim=-1)
    names = [str(i) for i in range(2000)]

    def embed(texts: object) -> Tensor:
        return torch.stack([queries[int(text)] for text in texts])  # type: ignore[attr-defined]

    exact, graph = (
        DocumentIndex(names, vectors, embed=embed, backend=backend)  # type: ignore[arg-type]
        for backend in ("exact", "faiss")
    )
    hits = 0
    for query in map(str, range(50)):
        best = {one.index: one.score for one in exact.search(query)}
        found = {one.index: one.score for one in graph.search(query)}
        assert list(found.values()) == sorted(found.values(), reverse=True)
        for place in best.keys() & found.keys():
            assert found[place] == pytest.approx(best[place], abs=1e-5)
        hits += len(best.keys() & found.keys())
    assert hits >= 0.98 * 500
    small = fitted.index(DOCUMENTS, backend="faiss")
    assert {one.index for one in small.search("A dog.")} == set(range(4))
    assert fitted.index([], backend="faiss").search("A dog.") == []
    loaded = DocumentIndex.load(small.save(tmp_path), embed=fitted.embed, backend="faiss")
    assert len(loaded.search("A dog.", 2)) == 2


def test_faiss_is_missing(fitted: EntailmentModel, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "headwise.entailment.index.find_spec", lambda name: None if name == "faiss" else real(name)
    )
    with pytest.raises(ImportError, match=r"pip install 'headwise\[faiss\]'"):
        fitted.index(DOCUMENTS, backend="faiss")


def test_errors_name_query_and_documents(fitted: EntailmentModel, tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"^The query is empty"):
        fitted.search("", ["A dog."])
    with pytest.raises(TextError, match=r"^documents\[1\]: The document is empty"):
        fitted.index(["A dog.", ""])
    with pytest.raises(ValueError, match=r"whole number of at least 1, got 1\.5"):
        fitted.search("A dog.", ["A dog."], top_k=1.5)  # type: ignore[arg-type]
    fitted.index(["A dog."]).save(tmp_path)
    (tmp_path / "vectors.safetensors").unlink()
    with pytest.raises(DataError, match=r"has no vectors\.safetensors; save the index again"):
        DocumentIndex.load(tmp_path, embed=fitted.embed)
