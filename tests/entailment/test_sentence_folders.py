"""Prompts, truncation and similarity of a sentence-transformers folder, against the package."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_encoders import HIDDEN, tiny_encoder

from headwise.entailment import DocumentIndex, EntailmentModel
from headwise.errors import ContextLengthError, MismatchError, UnsupportedModelError

st: Any = pytest.importorskip("sentence_transformers")

Both = tuple[Any, EntailmentModel]
TEXTS = ["A dog runs on the beach.", "The cat sat.", "Two men drink green tea.", "A dog."]
QUERY = "A dog"
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Both]:
    """The same folder in both packages."""

    def make(*, normalise: bool = True, limit: int | None = None, **settings: Any) -> Both:
        for part in tiny_encoder("bert"):
            part.save_pretrained(tmp_path)
        names = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
        modules = [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(names[: 3 if normalise else 2])
        ]
        (tmp_path / "1_Pooling").mkdir(exist_ok=True)
        files: dict[str, Any] = {
            "modules.json": modules,
            "1_Pooling/config.json": {"word_embedding_dimension": HIDDEN},
            "config_sentence_transformers.json": settings,
        }
        if limit is not None:
            files["sentence_bert_config.json"] = {"max_seq_length": limit}
        for name, content in files.items():
            (tmp_path / name).write_text(json.dumps(content))
        theirs = st.SentenceTransformer(str(tmp_path), device="cpu")
        return theirs, EntailmentModel.from_pretrained(tmp_path, device="cpu")

    return make


def their_search(theirs: Any) -> list[float]:
    queries, documents = theirs.encode_query([QUERY]), theirs.encode_document(TEXTS)
    found: list[float] = theirs.similarity(queries, documents)[0].tolist()
    return found


def our_search(ours: EntailmentModel, index: DocumentIndex | None = None) -> list[float]:
    found = ours.search(QUERY, TEXTS if index is None else index)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    return [one.score for one in sorted(found, key=lambda one: one.index)]


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize("size", [8, 1, HIDDEN, 1000])
def test_truncation(made: Callable[..., Both], size: int, normalise: bool) -> None:
    theirs, ours = made(truncate_dim=size, normalise=normalise)
    right = theirs.encode(TEXTS, convert_to_tensor=True)
    torch.testing.assert_close(ours.embed(TEXTS), right, **CLOSE)
    assert ours.embed([]).shape == (0, right.shape[1])
    assert our_search(ours) == pytest.approx(their_search(theirs), abs=1e-4)


@pytest.mark.parametrize("how", ["cosine", "dot", "euclidean", "manhattan", None])
def test_similarity(made: Callable[..., Both], how: str | None, tmp_path: Path) -> None:
    theirs, ours = made(normalise=False, similarity_fn_name=how)
    right = their_search(theirs)
    assert our_search(ours) == pytest.approx(right, rel=1e-4)
    by_similarity = ours.rerank(QUERY, TEXTS, by="similarity")
    assert [one.index for one in by_similarity] == sorted(range(4), key=lambda i: -right[i])
    routes = ours.route(QUERY, {str(i): text for i, text in enumerate(TEXTS)}, by="similarity")
    assert [routes.scores[str(i)].score for i in range(4)] == pytest.approx(right, rel=1e-4)
    # An index that is kept remembers how
    ours.index(TEXTS).save(tmp_path / "index")
    assert our_search(ours, ours.load_index(tmp_path / "index")) == pytest.approx(right, rel=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"prompts": {"query": "read a book: ", "document": "the cat: "}},
        {"prompts": {"query": "read a book: "}},
        {"prompts": {"document": "the cat: "}},
        {"prompts": {"passage": "the cat: ", "query": "two "}},
        {"prompts": {"all": "green tea "}, "default_prompt_name": "all"},
        {"prompts": {"query": "a ", "all": "green tea "}, "default_prompt_name": "all"},
        {"prompts": {"query": "", "document": None}},
        {"prompts": {}},
    ],
)
def test_prompts(made: Callable[..., Both], settings: dict[str, Any], tmp_path: Path) -> None:
    theirs, ours = made(**settings)
    for encode, role in (
        (theirs.encode, "text"),
        (theirs.encode_query, "query"),
        (theirs.encode_document, "document"),
    ):
        found = ours.embed(TEXTS, role=role)  # type: ignore[arg-type]
        torch.testing.assert_close(found, encode(TEXTS, convert_to_tensor=True), **CLOSE)
    assert our_search(ours) == pytest.approx(their_search(theirs), abs=1e-4)
    ours.index(TEXTS).save(tmp_path / "index")
    loaded = ours.load_index(tmp_path / "index")
    assert our_search(ours, loaded) == pytest.approx(their_search(theirs), abs=1e-4)


def test_an_index_is_not_searched_without_its_prompts(
    made: Callable[..., Both], tmp_path: Path
) -> None:
    _, ours = made(prompts={"document": "green tea in the park: "})
    ours.index(TEXTS).save(tmp_path / "index")
    with pytest.raises(MismatchError, match="another vector"):
        DocumentIndex.load(tmp_path / "index", embed=ours.embed)


def test_texts_that_would_be_cut_are_refused(made: Callable[..., Both]) -> None:
    _, ours = made(limit=8, prompts={"query": "read a book: "})
    short, long = "A dog runs.", "A dog runs on the beach in the park."
    assert ours.embed([short]).isfinite().all()
    with pytest.raises(ContextLengthError, match=r"takes \d+ tokens, but the model reads 8"):
        ours.embed([short, long])
    with pytest.raises(ContextLengthError, match=r"^The query and its prompt take 12 tokens"):
        ours.search("A dog.", [short])
    # Token vectors are no embeddings that are cut
    assert ours.rerank(short, [long])


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"similarity_fn_name": "maxsim"}, "compares embeddings by 'maxsim'; known are cosine"),
        ({"model_type": "SparseEncoder"}, "is a SparseEncoder"),
        ({"truncate_dim": 0}, "`truncate_dim` of .* must be a whole number of at least 1, got 0"),
        ({"truncate_dim": "8"}, "got '8'"),
        ({"default_prompt_name": "q", "prompts": {"a": "b"}}, "has no such prompt; it has 'a'"),
        ({"prompts": ["a"]}, "must be texts by their names"),
    ],
)
def test_what_is_not_known_is_refused(
    made: Callable[..., Both], settings: dict[str, Any], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "SentenceTransformer", lambda *_, **__: None)
    with pytest.raises(UnsupportedModelError, match=named):
        made(**settings)
