"""Train the tiny English-German Llama: about 45 minutes on two CPU cores.

Checkpoints go to ``<output>/checkpoints``; the same command continues from the newest one.
The checkpoint with the lowest dev loss is kept and written to ``<output>``.
"""

import argparse
import json
import logging
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from transformers import (
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    Trainer,
    TrainingArguments,
)
from transformers.trainer_utils import get_last_checkpoint

from corpus import read_pairs, without_sources_of
from headwise.backbones import NAMED_PROMPTS, TextTemplate
from headwise.training.loop.batches import LengthBatchSampler


class BackboneTrainer(Trainer):
    """`Trainer` with token-budget batches and a loss on target positions alone."""

    def __init__(self, *args: Any, max_tokens: int, collate: Any, **kwargs: Any) -> None:
        super().__init__(*args, data_collator=collate, **kwargs)
        self.max_tokens = max_tokens

    def _loader(self, examples: list[dict[str, list[int]]]) -> DataLoader[Any]:
        sampler = LengthBatchSampler(
            [len(example["input_ids"]) for example in examples],
            max_tokens=self.max_tokens,
            seed=self.args.seed,
        )
        return DataLoader(examples, batch_sampler=sampler, collate_fn=self.data_collator)

    def get_train_dataloader(self) -> DataLoader[Any]:
        return self._loader(self.train_dataset)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader[Any]:
        return self._loader(eval_dataset or self.eval_dataset)

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Tensor], return_outputs: bool = False, **_: Any
    ) -> Any:
        # Padding stands on the right, where causal attention never looks: no mask is needed
        hidden = model.model(input_ids=inputs["input_ids"]).last_hidden_state  # (B, T, H)
        targets = inputs["labels"][:, 1:]  # (B, T-1)
        wanted = targets != -100
        loss = F.cross_entropy(model.lm_head(hidden[:, :-1][wanted]).float(), targets[wanted])
        return (loss, {"loss": loss}) if return_outputs else loss


def add_dropout(model: LlamaForCausalLM, probability: float) -> None:
    """Dropout on the embeddings and on what each sub-layer adds; Llama itself has none."""

    def hook(module: nn.Module, _: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (F.dropout(output[0], probability, module.training), *output[1:])
        return F.dropout(output, probability, module.training)

    model.model.embed_tokens.register_forward_hook(hook)
    for layer in model.model.layers:
        layer.self_attn.register_forward_hook(hook)
        layer.mlp.register_forward_hook(hook)


def main() -> None:
    """Train, evaluate after every epoch, keep the best."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="TSV files")
    parser.add_argument("--dev", type=Path, nargs="+", required=True, help="TSV files")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--max-tokens", type=int, default=4096, help="tokens a batch")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--hidden-size", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-steps", type=int, default=-1, help="stop early, for a trial")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    torch.manual_seed(arguments.seed)

    tokenizer = AutoTokenizer.from_pretrained(arguments.tokenizer)

    template = NAMED_PROMPTS["tiny"]
    assert isinstance(template, TextTemplate)

    def encode(pair: tuple[str, str]) -> dict[str, list[int]]:
        whole = template.render(tokenizer, *pair)
        prompt, completion = tokenizer(
            [whole.text[: whole.prompt_end], whole.text[whole.prompt_end :]],
            add_special_tokens=False,
        ).input_ids
        return {"input_ids": prompt + completion, "labels": [-100] * len(prompt) + completion}

    def collate(examples: list[dict[str, list[int]]]) -> dict[str, Tensor]:
        width = max(len(example["input_ids"]) for example in examples)

        def padded(name: str, value: int) -> Tensor:
            rows = [example[name] + [value] * (width - len(example[name])) for example in examples]
            return torch.tensor(rows)

        return {
            "input_ids": padded("input_ids", tokenizer.pad_token_id),
            "labels": padded("labels", -100),
        }

    dev_pairs = read_pairs(arguments.dev)
    train_pairs = without_sources_of(read_pairs(arguments.train), dev_pairs)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=arguments.hidden_size,
            intermediate_size=3 * arguments.hidden_size,
            num_hidden_layers=arguments.layers,
            num_attention_heads=arguments.hidden_size // 64,
            max_position_embeddings=512,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    add_dropout(model, arguments.dropout)
    logging.info("%.2f M parameters", sum(p.numel() for p in model.parameters()) / 1e6)

    checkpoints = arguments.output / "checkpoints"
    trainer = BackboneTrainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(checkpoints),
            num_train_epochs=arguments.epochs,
            max_steps=arguments.max_steps,
            learning_rate=arguments.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=0.05,
            adam_beta2=0.98,
            weight_decay=0.05,
            max_grad_norm=1.0,
            bf16=True,
            use_cpu=not torch.cuda.is_available(),
            eval_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=2,
            load_best_model_at_end=True,
            metric_for_best_model="eval_loss",
            greater_is_better=False,
            logging_steps=50,
            prediction_loss_only=True,
            remove_unused_columns=False,
            report_to="none",
            seed=arguments.seed,
        ),
        train_dataset=[encode(pair) for pair in train_pairs],
        eval_dataset=[encode(pair) for pair in dev_pairs],
        max_tokens=arguments.max_tokens,
        collate=collate,
    )
    newest = get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None
    trainer.train(resume_from_checkpoint=newest)
    trainer.model.config.use_cache = True  # the trainer has turned it off
    trainer.model.to(torch.bfloat16).save_pretrained(arguments.output)
    tokenizer.save_pretrained(arguments.output)
    (arguments.output / "log.json").write_text(json.dumps(trainer.state.log_history, indent=1))


if __name__ == "__main__":
    main()
