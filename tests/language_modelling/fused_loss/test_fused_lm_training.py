"""Training with the loss without logits: Transformers' Trainer, and several processes."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from random_language_models import VOCABULARY, batch, random_model
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from transformers import EvalPrediction, PreTrainedModel, Trainer, TrainingArguments

from headwise.language_modelling.fused_loss.fused_lm_loss import patch_lm_loss
from headwise.language_modelling.split_vocabulary.split_vocabulary import split_unembedding


def accuracy(prediction: EvalPrediction) -> dict[str, float]:
    assert prediction.predictions.shape[-1] == VOCABULARY
    found = prediction.predictions[:, :-1].argmax(-1)
    return {"accuracy": float(np.mean(found == prediction.label_ids[:, 1:]))}


def collate(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def train(
    model: PreTrainedModel, folder: Path, *, metrics: bool = False, **options: Any
) -> list[dict[str, float]]:
    """Five updates of two batches each; what was logged, times aside."""
    inputs = batch(rows=20)
    # Rows of different lengths, and a column that no forward reads
    lengths = torch.arange(20) % 8 + 3
    inputs["labels"][torch.arange(11) >= lengths[:, None]] = -100
    rows = [{name: value[i] for name, value in inputs.items()} | {"row": i} for i in range(20)]
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=5,
        per_device_train_batch_size=2,
        gradient_accumulation_steps=2,
        learning_rate=1e-2,
        logging_steps=1,
        eval_strategy="steps",
        eval_steps=2,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        **options,
    )
    trainer = Trainer(
        model=model,
        args=arguments,
        data_collator=collate,
        train_dataset=rows,  # type: ignore[arg-type]
        eval_dataset=rows[:5],  # type: ignore[arg-type]
        compute_metrics=accuracy if metrics else None,
    )
    trainer.train()
    trainer.evaluate()
    wanted = ("loss", "eval_loss", "grad_norm", "eval_accuracy")
    return [{k: v for k, v in r.items() if k in wanted} for r in trainer.state.log_history]


RUNS: dict[str, dict[str, Any]] = {
    "plain": {},
    "metrics": {"metrics": True},
    "label smoothing": {"label_smoothing_factor": 0.1},
    "gradient checkpointing": {"gradient_checkpointing": True},
}


@pytest.mark.parametrize("name", RUNS)
def test_trainer_trains_the_same_model(name: str, tmp_path: Path) -> None:
    # No biases: AdamW makes steps of the rounding errors in gradients that are 0 (of GPT-2's keys)
    model = random_model(attention_dropout=0.1)
    patched = patch_lm_loss(copy.deepcopy(model), keep_eval_logits=RUNS[name].get("metrics", False))
    expected = train(model, tmp_path / "own", **RUNS[name])
    history = train(patched, tmp_path / "patched", **RUNS[name])
    assert len(history) == len(expected) >= 8
    for ours, theirs in zip(history, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5)
    torch.testing.assert_close(patched.state_dict(), model.state_dict(), rtol=0.0, atol=1e-5)


def test_trainer_in_mixed_precision(tmp_path: Path) -> None:
    """Accelerate then wraps the forward that the patch has bound."""
    model = random_model()
    patched = patch_lm_loss(copy.deepcopy(model))
    expected = train(model, tmp_path / "own", bf16=True)
    history = train(patched, tmp_path / "patched", bf16=True)
    for ours, theirs in zip(history, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=2e-2)


def test_a_patched_model_is_saved_as_any_other(tmp_path: Path) -> None:
    model = patch_lm_loss(random_model("llama-tied"))
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path)
    assert loaded(**batch()).logits is not None
    torch.testing.assert_close(loaded(**batch()).loss, model(**batch()).loss)


@pytest.fixture
def one_process() -> Iterator[None]:
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield
    distributed.destroy_process_group()


@pytest.mark.usefixtures("one_process")
@pytest.mark.parametrize("split", [False, True])
def test_sharded_parameters(split: bool) -> None:
    """FSDP2 gathers the parameters of the whole model around its forward, as the loss needs it."""
    model = random_model("llama-tied")
    if split:
        split_unembedding(model, new_tokens=2).freeze_base()
    patched = patch_lm_loss(copy.deepcopy(model))
    mesh = init_device_mesh("cpu", (1,))
    for layer in patched.model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(patched, mesh=mesh)
    expected, output = model(**batch()), patched(**batch())
    assert output.logits is None
    torch.testing.assert_close(output.loss, expected.loss)
    for loss in (expected.loss, output.loss):
        loss.backward()
    sharded = dict(patched.named_parameters())
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            torch.testing.assert_close(sharded[name].grad.full_tensor(), parameter.grad, msg=name)
        else:
            assert sharded[name].grad is None


@pytest.mark.usefixtures("one_process")
def test_processes_that_share_a_batch_are_one() -> None:
    """Each wraps its own copy and sees its own rows; what they would exchange is averaged here."""
    whole = patch_lm_loss(random_model("llama-tied"))
    copies = [copy.deepcopy(whole) for _ in range(2)]
    processes = [DistributedDataParallel(module) for module in copies]
    inputs = batch(rows=4)
    count = inputs["labels"][:, 1:].ne(-100).sum()
    optimizers = [torch.optim.SGD(module.parameters(), lr=0.5) for module in (whole, *copies)]
    for _ in range(2):
        for optimizer in optimizers:
            optimizer.zero_grad()
        expected = whole(**inputs, num_items_in_batch=count).loss
        expected.backward()
        losses = []
        for rank, process in enumerate(processes):
            own = {name: value[rank::2] for name, value in inputs.items()}
            # Gradients are averaged, so that each counts its tokens as many times more
            losses.append(process(**own, num_items_in_batch=count / 2).loss)
            losses[-1].backward()
        torch.testing.assert_close(torch.stack(losses).mean(), expected, rtol=1e-5, atol=1e-6)
        for parameters in zip(*(module.parameters() for module in copies), strict=True):
            mean = torch.stack([parameter.grad for parameter in parameters]).mean(0)
            for parameter in parameters:
                parameter.grad = mean.clone()
        for optimizer in optimizers:
            optimizer.step()
    for module in copies:
        for name, parameter in module.named_parameters():
            expected = whole.get_parameter(name)
            torch.testing.assert_close(parameter, expected, rtol=1e-5, atol=1e-6, msg=name)
