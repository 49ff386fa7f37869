"""The low-level call in four modes, against plain modules laid out as the seed's card says."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from headwise.entailment import EntailmentModel
from headwise.errors import ContextLengthError
from headwise.heads import EmbeddingHead, LateInteractionHead

MakeModel = Callable[..., EntailmentModel]
TEXTS = ["A dog runs on the beach.", "Two men.", "The children play football in the park."]


def batch(model: EntailmentModel) -> tuple[Tensor, Tensor]:
    inputs = model.backbone.tokenizer(TEXTS, padding=True, return_tensors="pt")
    return inputs["input_ids"], inputs["attention_mask"]


def states(model: EntailmentModel) -> list[Tensor]:
    with torch.no_grad():
        return [
            model.backbone.model(
                **model.backbone.tokenizer(text, return_tensors="pt")
            ).last_hidden_state[0]
            for text in TEXTS
        ]


def test_nli_and_abstention(make_model: MakeModel) -> None:
    model = make_model("joint")
    heads = model.heads
    assert heads is not None
    assert heads.abstention is not None
    first = torch.stack([rows[0] for rows in states(model)])
    with torch.no_grad():
        hidden = heads.nli.nli_hidden(first)
        logits = heads.nli.nli_output(hidden)
        doubt = heads.abstention.abstention_head(torch.cat([hidden, logits], dim=-1))
    found = model(*batch(model), mode="nli")
    torch.testing.assert_close(found, logits, atol=1e-5, rtol=0)
    both = model(*batch(model), mode="abstention")
    assert isinstance(both, tuple)
    torch.testing.assert_close(both[0], logits, atol=1e-5, rtol=0)
    torch.testing.assert_close(both[1], doubt, atol=1e-5, rtol=0)


def test_nli_agrees_with_predict(make_model: MakeModel) -> None:
    model = make_model("joint")
    inputs = model.backbone.tokenizer(TEXTS[0], TEXTS[1], return_tensors="pt")
    logits = model(inputs["input_ids"], inputs["attention_mask"], "nli", inputs["token_type_ids"])
    assert isinstance(logits, Tensor)
    expected = model.predict(TEXTS[0], TEXTS[1])
    assert logits.softmax(-1)[0].tolist() == pytest.approx(
        list(expected.probabilities.values()), abs=1e-6
    )


def test_embed_is_what_embed_gives(make_model: MakeModel) -> None:
    model = make_model()
    found = model(*batch(model), mode="embed")
    means = torch.stack(
        [torch.nn.functional.normalize(rows.mean(0), dim=0) for rows in states(model)]
    )
    torch.testing.assert_close(found, means, atol=1e-5, rtol=0)
    torch.testing.assert_close(model.embed(TEXTS), means, atol=1e-5, rtol=0)
    torch.testing.assert_close(model.embed(TEXTS[0]), means[0], atol=1e-5, rtol=0)


@pytest.mark.parametrize("normalise", [True, False])
def test_embedding_head(make_model: MakeModel, normalise: bool) -> None:
    model = make_model()
    assert model.heads is not None
    head = EmbeddingHead(hidden_size=32, output_size=5, normalise=normalise)
    model.heads.embedding = head
    pooled = torch.stack([rows.mean(0) for rows in states(model)])
    expected = pooled @ head.projection.weight.detach().T  # type: ignore[union-attr]
    if normalise:
        expected = torch.nn.functional.normalize(expected, dim=-1)
    torch.testing.assert_close(model.embed(TEXTS), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(model(*batch(model)), expected, atol=1e-5, rtol=0)
    assert model.search(TEXTS[1], TEXTS)[0].index == 1


@pytest.mark.parametrize("size", [None, 7])
def test_late_interaction(make_model: MakeModel, size: int | None) -> None:
    model = make_model()
    assert model.heads is not None
    head = LateInteractionHead(hidden_size=32, output_size=size)
    model.heads.late_interaction = head if size else None
    ids, mask = batch(model)
    found = model(ids, mask, mode="late_interaction")
    assert isinstance(found, Tensor)
    assert found.shape == (*ids.shape, size or 32)
    for row, rows in zip(found, states(model), strict=True):
        if head.projection is not None:
            rows = rows @ head.projection.weight.detach().T
        expected = torch.nn.functional.normalize(rows, dim=-1)
        torch.testing.assert_close(row[: len(rows)], expected, atol=1e-5, rtol=0)
        assert not row[len(rows) :].any()


def test_padding_on_the_left(make_model: MakeModel) -> None:
    model = make_model("joint", encoder="modernbert")
    ids, mask = batch(model)
    right = model(ids, mask, "nli")
    flipped = [
        torch.stack([row.roll(int((m == 0).sum())) for row, m in zip(x, mask, strict=True)])
        for x in (ids, mask)
    ]
    torch.testing.assert_close(model(*flipped, "nli"), right, atol=1e-4, rtol=0)


def test_what_the_heads_cannot_do(make_model: MakeModel) -> None:
    model = make_model("pair")
    for mode in ("nli", "abstention"):
        with pytest.raises(ValueError, match=r"'pair' features.*use `predict`"):
            model(*batch(model), mode=mode)
    with pytest.raises(ValueError, match="one of embed, late_interaction, nli, abstention"):
        model(*batch(model), mode="colbert")
    joint = make_model("joint", abstention=False)
    with pytest.raises(ValueError, match="needs an abstention head"):
        joint(*batch(model), mode="abstention")
    with pytest.raises(ValueError, match="needs heads"):
        EntailmentModel(model.backbone)(*batch(model), mode="nli")


def test_what_comes_out_can_go_into_training(make_model: MakeModel) -> None:
    model = make_model()
    found = model(*batch(model), mode="embed")
    layer = torch.nn.Linear(32, 1)
    layer(found).sum().backward()
    assert layer.weight.grad is not None


@pytest.mark.parametrize(
    ("ids", "mask"),
    [
        (torch.ones(2, 4).long(), torch.ones(2, 3).long()),
        (torch.ones(4).long(), torch.ones(4).long()),
        (torch.ones(0, 4).long(), torch.ones(0, 4).long()),
        (torch.ones(2, 4).long(), None),
        ([[1]], [[1]]),
    ],
)
def test_what_is_no_batch_is_refused(make_model: MakeModel, ids: Tensor, mask: Tensor) -> None:
    with pytest.raises(ValueError, match=r"must be tensors \(B, T\) of one shape"):
        make_model()(ids, mask)


def test_a_batch_wider_than_the_context_is_refused(make_model: MakeModel) -> None:
    model = make_model()
    limit = model.backbone.max_length
    assert limit is not None
    ids = torch.ones(1, limit + 1).long()
    with pytest.raises(ContextLengthError, match=f"{limit + 1} tokens wide.* reads {limit}"):
        model(ids, torch.ones_like(ids))
