"""Late interaction against one document at a time."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from headwise.entailment import EntailmentModel
from headwise.errors import TextError
from headwise.heads import LateInteractionHead

MakeModel = Callable[..., EntailmentModel]
DOCUMENTS = ["A dog runs.", "The children play football in the park.", "Two men.", "A dog runs."]


@pytest.mark.parametrize("encoder", ["bert", "roberta", "modernbert"])
@pytest.mark.parametrize("size", [None, 7])
def test_equals_the_plain_formula(
    make_model: MakeModel, encoder: str, size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headwise.backbones.encoders.encoder._BATCH_TOKENS_ON_CPU", 20)
    model = make_model(encoder=encoder)
    torch.manual_seed(4)
    head = LateInteractionHead(hidden_size=32, output_size=size)
    assert model.heads is not None
    model.heads.late_interaction = head if size else None

    def vectors(text: str) -> torch.Tensor:
        inputs = model.backbone.tokenizer(text, return_tensors="pt")
        rows = model.backbone.model(**inputs).last_hidden_state[0]
        return F.normalize(rows if head.projection is None else head.projection(rows), dim=-1)

    with torch.no_grad():
        query = vectors("A dog in the park.")
        expected = [(query @ vectors(text).T).amax(1).sum().item() for text in DOCUMENTS]
    found = model.rerank("A dog in the park.", DOCUMENTS)
    assert [one.index for one in found] == sorted(
        range(4), key=lambda i: (-round(expected[i], 4), i)
    )
    for one in found:
        assert one.document == DOCUMENTS[one.index]
        assert one.score == pytest.approx(expected[one.index], abs=1e-4)
    assert model.rerank("A dog in the park.", DOCUMENTS, top_k=2) == found[:2]


def test_by_similarity(make_model: MakeModel) -> None:
    model = make_model()
    found = model.rerank("Two men.", DOCUMENTS, by="similarity")
    assert found == model.search("Two men.", DOCUMENTS)
    assert found[0].index == 2
    assert len(model.rerank("Two men.", DOCUMENTS, by="similarity", top_k=1)) == 1


def test_bad_input(make_model: MakeModel) -> None:
    model = make_model()
    for by in ("late_interaction", "similarity"):
        assert model.rerank("A dog.", [], by=by) == []  # type: ignore[arg-type]
        with pytest.raises(TextError, match=r"\[1\]: The \w+ is empty"):
            model.rerank("A dog.", ["A cat.", ""], by=by)  # type: ignore[arg-type]
        with pytest.raises(TextError, match="is empty"):
            model.rerank("", DOCUMENTS, by=by)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="`top_k` must be a whole number of at least 1, got 0"):
            model.rerank("A dog.", DOCUMENTS, top_k=0, by=by)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one of late_interaction, similarity, got 'x'"):
        model.rerank("A dog.", DOCUMENTS, by="x")  # type: ignore[arg-type]
    with pytest.raises(TextError, match="`documents` must be a list of texts, got str"):
        model.rerank("A dog.", "A cat.")
