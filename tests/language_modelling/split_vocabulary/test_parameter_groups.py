"""Learning rates of the splits of a vocabulary."""

from pathlib import Path
from typing import Any

import pytest
import torch
from random_language_models import VOCABULARY as V
from random_language_models import random_model
from torch import nn
from transformers import Trainer, TrainingArguments

from headwise.errors import UnsupportedModelError
from headwise.heads import SplitTokenEmbeddings
from headwise.language_modelling.split_vocabulary.parameter_groups import split_parameter_groups
from headwise.language_modelling.split_vocabulary.split_vocabulary import split_unembedding

RATES = {"base": 1e-5, "new": 1e-3}


def summary(groups: list[dict[str, Any]]) -> dict[str, tuple[float, float, int]]:
    return {g["name"]: (g["lr"], g["weight_decay"], len(g["params"])) for g in groups}


@pytest.mark.parametrize("tied", [True, False])
def test_every_trained_parameter_stands_in_one_group(tied: bool) -> None:
    model = random_model(tie_word_embeddings=tied)
    split_unembedding(model, new_tokens=3)
    groups = split_parameter_groups(model, learning_rates=RATES, rest=2e-5, weight_decay=0.1)
    per_split = 1 if tied else 2
    assert summary(groups) == {
        "base": (1e-5, 0.1, per_split),
        "new": (1e-3, 0.1, per_split),
        "rest": (2e-5, 0.1, 14),
        "rest_no_decay": (2e-5, 0.0, 5),
    }
    assert [g["name"] for g in groups][:2] == ["base", "new"]
    found = sorted(id(p) for group in groups for p in group["params"])
    assert found == sorted(id(p) for p in model.parameters())


def test_frozen_parameters_and_the_rest_are_left_out_on_request() -> None:
    model = random_model("llama-tied")
    split_unembedding(model, new_tokens={"new": 3, "other": 1}).freeze_base()
    rates = {"other": 0.1, "new": 1e-3}
    assert summary(split_parameter_groups(model, learning_rates=rates)) == {
        "new": (1e-3, 0.0, 1),
        "other": (0.1, 0.0, 1),
    }
    # What PEFT does to a model that has been split
    model.requires_grad_(False)
    with pytest.raises(ValueError, match=r"a rate for other, new, of which.*`unfreeze`.*PEFT"):
        split_parameter_groups(model, learning_rates=rates)


def test_biases_of_a_split_are_not_decayed() -> None:
    model = random_model("phi")
    split_unembedding(model, new_tokens=3)
    groups = split_parameter_groups(model, learning_rates=RATES, weight_decay=0.1)
    assert summary(groups) == {
        "base": (1e-5, 0.1, 2),
        "base_no_decay": (1e-5, 0.0, 1),
        "new": (1e-3, 0.1, 2),
        "new_no_decay": (1e-3, 0.0, 1),
    }


def test_any_module_with_splits_will_do() -> None:
    embeddings = SplitTokenEmbeddings(
        split_vocab_size={"new": 2, "base": 5}, split_order=("base", "new"), hidden_size=4
    )
    groups = split_parameter_groups(
        nn.Sequential(embeddings, nn.Linear(4, 4)), learning_rates=RATES, rest=0.5
    )
    assert [group["name"] for group in groups] == ["base", "new", "rest", "rest_no_decay"]


@pytest.mark.parametrize("tied", [True, False])
def test_a_rate_of_0_leaves_every_bit_and_another_moves_every_new_row(tied: bool) -> None:
    model = random_model(tie_word_embeddings=tied)
    vocabulary = split_unembedding(model, new_tokens=3)
    before = [p.detach().clone() for p in vocabulary.embeddings.weights]
    groups = split_parameter_groups(
        model, learning_rates={"base": 0.0, "new": 1e-2}, weight_decay=0.1
    )
    optimizer = torch.optim.AdamW(groups)
    ids = torch.tensor([[4, V, 5, V + 1, 6, V + 2]])
    model(ids, labels=ids).loss.backward()
    optimizer.step()
    after = vocabulary.embeddings.weights
    assert torch.equal(before[0], after[0])
    assert (before[1] != after[1]).any(dim=1).all()


def test_a_trainer_takes_the_optimiser(tmp_path: Path) -> None:
    model = random_model("llama-tied")
    vocabulary = split_unembedding(model, new_tokens=3)
    vocabulary.freeze_base()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    optimizer = torch.optim.AdamW(split_parameter_groups(model, learning_rates={"new": 1e-2}))
    rows = torch.tensor([[4, V, 5, V + 1, 6, V + 2]]).repeat(6, 1).tolist()
    arguments = TrainingArguments(
        output_dir=str(tmp_path),
        max_steps=3,
        save_steps=2,
        per_device_train_batch_size=2,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    data = [{"input_ids": row, "labels": row} for row in rows]
    Trainer(model=model, args=arguments, train_dataset=data, optimizers=(optimizer, None)).train()
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, before[name]) == (".new." not in name), name
    saved = torch.load(tmp_path / "checkpoint-2" / "optimizer.pt", weights_only=True)
    assert [group["name"] for group in saved["param_groups"]] == ["new"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rates": {"new": 1e-3}}, "lacks base .*the splits are base, new"),
        ({"learning_rates": RATES | {"novel": 1.0}}, r"\(base, new\), got novel"),
        ({"learning_rates": RATES | {"new": -1.0}}, r"learning_rates\['new'\]. must be at least 0"),
        ({"learning_rates": RATES, "rest": float("nan")}, "`rest` must be .* finite"),
        ({"learning_rates": RATES, "weight_decay": -0.1}, "`weight_decay` must be at least 0"),
    ],
)
def test_wrong_rates_are_named(options: dict[str, Any], message: str) -> None:
    model = random_model("llama-tied")
    split_unembedding(model, new_tokens=3)
    with pytest.raises(ValueError, match=message):
        split_parameter_groups(model, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learning_rates": 1e-3}, r"must be a mapping of splits to rates.*got 0\.001"),
        ({"learning_rates": RATES | {"new": None}}, r"learning_rates\['new'\]. must be a number"),
        ({"learning_rates": RATES | {"new": "1e-3"}}, r"learning_rates\['new'\]. must be a number"),
        ({"learning_rates": RATES, "rest": "1e-3"}, "`rest` must be a number, got str"),
        ({"learning_rates": RATES, "weight_decay": None}, "`weight_decay` must be a number"),
    ],
)
def test_rates_are_numbers(options: dict[str, Any], message: str) -> None:
    model = random_model("llama-tied")
    split_unembedding(model, new_tokens=3)
    with pytest.raises(TypeError, match=message):
        split_parameter_groups(model, **options)


def test_a_model_without_splits_is_named() -> None:
    with pytest.raises(UnsupportedModelError, match="has no split vocabulary"):
        split_parameter_groups(random_model("llama-tied"), learning_rates=RATES)
