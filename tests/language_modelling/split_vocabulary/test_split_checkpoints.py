"""Copies and checkpoints of models whose vocabulary is split."""

import copy
from pathlib import Path

import pytest
import torch
import transformers
from random_language_models import HIDDEN as H
from random_language_models import VOCABULARY as V
from random_language_models import random_model
from split_ids import NEW, ROUNDING, ids
from torch import Tensor, nn
from transformers import (
    AutoModelForCausalLM,
    PreTrainedModel,
    Trainer,
    TrainingArguments,
)

from headwise.heads import SplitTokenEmbeddings
from headwise.language_modelling.split_vocabulary.split_vocabulary import (
    SplitVocabulary,
    merge_unembedding,
    split_unembedding,
)


def test_transformers_alone_loads_what_is_saved_split_or_merged(
    splittable: PreTrainedModel, tmp_path: Path
) -> None:
    split_unembedding(splittable, new_tokens=NEW, initialise="normal")
    expected = splittable(ids(V + 5)).logits
    splittable.save_pretrained(tmp_path / "split")
    merge_unembedding(splittable).save_pretrained(tmp_path / "merged")
    for name in ("split", "merged"):
        loaded, report = AutoModelForCausalLM.from_pretrained(
            tmp_path / name, output_loading_info=True
        )
        assert not report["missing_keys"]
        assert not report["unexpected_keys"]
        assert loaded.config.vocab_size == V + 5
        torch.testing.assert_close(loaded.eval()(ids(V + 5)).logits, expected, **ROUNDING)


def test_names_are_those_of_d9d_below_the_models_own(tied: PreTrainedModel) -> None:
    split_unembedding(tied, new_tokens=3)
    names = [name for name in tied.state_dict() if "layers" not in name]
    assert names == [
        "model.embed_tokens.token_embedding.base.weight",
        "model.embed_tokens.token_embedding.new.weight",
        "model.norm.weight",
        "lm_head.lm_head.base.weight",
        "lm_head.lm_head.new.weight",
    ]
    target, source = "lm_head.lm_head.{}.weight", "model.embed_tokens.token_embedding.{}.weight"
    expected = {target.format(name): source.format(name) for name in ("base", "new")}
    assert tied.all_tied_weights_keys == expected
    tied.tie_weights()
    tied.lm_head.lm_head["new"].weight = nn.Parameter(torch.zeros(3, H))
    tied.tie_weights()
    assert tied.lm_head.weights[1] is tied.model.embed_tokens.weights[1]


def test_a_copy_is_a_split_model_of_its_own(tied: PreTrainedModel, tmp_path: Path) -> None:
    split_unembedding(tied, new_tokens=3)
    twin = copy.deepcopy(tied)
    expected = tied(ids(V + 3)).logits
    with torch.no_grad():
        for parameter in tied.parameters():
            parameter.zero_()
    assert torch.equal(twin(ids(V + 3)).logits, expected)
    twin.save_pretrained(tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    torch.testing.assert_close(loaded(ids(V + 3)).logits, expected, **ROUNDING)
    merge_unembedding(twin)
    assert not twin._keys_to_ignore_on_save
    assert isinstance(tied.get_input_embeddings(), SplitTokenEmbeddings)
    torch.testing.assert_close(twin(ids(V + 3)).logits, expected, **ROUNDING)
    twin.resize_token_embeddings(70)
    assert twin(ids(70)).logits.shape[-1] == 70


def test_it_loads_the_plain_weights_of_a_merged_model(splittable: PreTrainedModel) -> None:
    other, wrong = copy.deepcopy(splittable), copy.deepcopy(splittable)
    split_unembedding(splittable, new_tokens=NEW, initialise="normal")
    merged = merge_unembedding(copy.deepcopy(splittable)).state_dict()
    split_unembedding(other, new_tokens=NEW)
    assert not torch.equal(other(ids(V + 5)).logits, splittable(ids(V + 5)).logits)
    other.load_state_dict(merged)
    assert torch.equal(other(ids(V + 5)).logits, splittable(ids(V + 5)).logits)
    other.load_state_dict(splittable.state_dict())
    split_unembedding(wrong, new_tokens=4)
    with pytest.raises(
        RuntimeError, match=r"has 66 rows, the splits of the model\s+have \[61, 4\]"
    ):
        wrong.load_state_dict(merged)


def trained(
    model: PreTrainedModel, folder: Path, *, steps: int = 3, resume: bool = False
) -> dict[str, Tensor]:
    rows = ids(V + 5).repeat(4, 1).tolist()
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        save_steps=2,
        per_device_train_batch_size=2,
        learning_rate=1e-2,
        lr_scheduler_type="constant",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
    )
    data = [{"input_ids": row, "labels": row} for row in rows]
    trainer = Trainer(model=model, args=arguments, train_dataset=data)
    trainer.train(resume_from_checkpoint=resume)
    return {name: weight.clone() for name, weight in model.state_dict().items()}


def test_a_trainer_saves_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(transformers.trainer.logger, "warning", warnings.append)

    def start() -> tuple[PreTrainedModel, SplitVocabulary]:
        model = random_model("llama-tied")
        return model, split_unembedding(model, new_tokens=NEW)

    straight = trained(start()[0], tmp_path / "straight")
    trained(start()[0], tmp_path / "resumed", steps=2)
    model, vocabulary = start()
    resumed = trained(model, tmp_path / "resumed", resume=True)
    assert not [warning for warning in warnings if "missing keys" in warning]
    assert vocabulary.head.weights[1] is vocabulary.embeddings.weights[1]
    for name, weight in straight.items():
        torch.testing.assert_close(resumed[name], weight, rtol=1e-5, atol=1e-6, msg=name)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "straight" / "checkpoint-3")
    expected = torch.cat(vocabulary.embeddings.weights)
    torch.testing.assert_close(plain.get_input_embeddings().weight, expected)
