# %% [markdown]
# # A loss without logits, and new tokens in a Trainer run
#
# You fine-tune a language model with a large vocabulary, and the logits fill the memory. Or you add a few tokens and do
# not want to train the 100,000 rows that were there. Here both happen in an ordinary run of Transformers' `Trainer`, on a
# model that is made in the notebook: it counts, and then learns two new tokens that say in which direction.
# It needs `pip install headwise`.
#
# ## A tiny model with a large vocabulary

# %%
import copy
import random
from contextlib import redirect_stdout
from io import StringIO
from itertools import accumulate

import matplotlib.pyplot as plt
import torch
from torch.profiler import ProfilerActivity, profile
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Trainer,
    TrainingArguments,
)

from headwise import merge_unembedding, patch_lm_loss, split_parameter_groups, split_unembedding

VOCABULARY, NUMBERS = 50_000, 100
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=VOCABULARY,
    hidden_size=64,
    intermediate_size=128,
    num_hidden_layers=2,
    num_attention_heads=4,
    max_position_embeddings=256,
    tie_word_embeddings=True,
    bos_token_id=None,
    eos_token_id=None,
)
model = LlamaForCausalLM(config)
print(f"{model.num_parameters():,} numbers, {VOCABULARY * 64:,} of them in the vocabulary")

# %% [markdown]
# ## The same loss
#
# `patch_lm_loss` changes the model's `forward`: with labels, the loss comes from hidden states and the output layer's weight, a piece
# of the logits at a time. The loss and its gradients stay what they were.

# %% tags=["varies"]
plain, patched = copy.deepcopy(model), patch_lm_loss(copy.deepcopy(model))
ids = torch.randint(NUMBERS, (12, 128), generator=torch.Generator().manual_seed(0))


def step(one):
    """A training step: forward and backward."""
    one.zero_grad()
    loss = one(input_ids=ids, labels=ids).loss
    loss.backward()
    return loss.item(), one.model.embed_tokens.weight.grad


(loss, gradient), (same_loss, same_gradient) = step(plain), step(patched)
print(f"loss {loss:.5f} and {same_loss:.5f}")
print(f"largest difference of a gradient {(gradient - same_gradient).abs().max():.0e}")
print(patched(input_ids=ids, labels=ids).logits)

# %% [markdown]
# ## Less memory
#
# PyTorch's profiler records what is allocated and freed; the largest sum on the way is what a step needs beside the model.


# %% tags=["varies"]
def peak(one, texts):
    """MiB that a step on so many texts holds at most."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        one(input_ids=ids[:texts], labels=ids[:texts]).loss.backward()
    events = [e for e in recorded.profiler.kineto_results.events() if e.name() == "[memory]"]
    return max(accumulate(e.nbytes() for e in sorted(events, key=lambda e: e.start_ns()))) / 2**20


sizes = (1, 2, 4, 8, 12)
peak(plain, 1)  # what PyTorch allocates once
needed = {
    "all logits": [peak(plain, size) for size in sizes],
    "patched": [peak(patched, size) for size in sizes],
}
for name, found in needed.items():
    print(f"{name:10}", " ".join(f"{mib:4.0f} MiB" for mib in found))

# %%
# Memory of a training step against the positions of a batch, with all logits and patched
figure, axes = plt.subplots(figsize=(7, 2.6))
for name, found in needed.items():
    axes.plot([size * 128 for size in sizes], found, "o-", label=name)
axes.set(xlabel="positions of a batch", ylabel="MiB of a step", ylim=(0, None))
axes.legend()
plt.show()

# %% [markdown]
# With all logits a step grows with every position: 50,000 numbers each, several times. Patched, it stays within `workspace_bytes`
# (128 MiB) and the gradient of the weight. The wider the vocabulary and the longer the batch, the more that is
# ([Large models](../large-models.md) has measurements at 128,000).
#
# ## Train it to count
#
# Nothing in the Trainer changes. Patch before anything wraps the model.


# %% tags=["varies"]
def counting(first, step=1, length=24):
    """A text of the model: numbers from `first` on."""
    return [(first + step * place) % NUMBERS for place in range(length)]


def train(model, texts, name, **options):
    """A run of Trainer; returns the losses that it logged."""
    arguments = TrainingArguments(
        output_dir=name,
        max_steps=100,
        per_device_train_batch_size=16,
        learning_rate=5e-3,
        lr_scheduler_type="cosine",
        logging_steps=10,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,  # a GPU does as well; prompts below would have to go there, too
    )
    rows = [{"input_ids": torch.tensor(text), "labels": torch.tensor(text)} for text in texts]
    trainer = Trainer(model, arguments, train_dataset=rows, **options)
    with redirect_stdout(StringIO()):  # Trainer prints every line of its log
        trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


patch_lm_loss(model)
losses = {"counting": train(model, [counting(first) for first in range(NUMBERS)] * 4, "counting")}
print(" ".join(f"{loss:.2f}" for loss in losses["counting"]))

# %% [markdown]
# What does it say after 7, 8, 9?


# %%
def said(model, prompt, length=6):
    ids = torch.tensor([prompt])
    made = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=length, do_sample=False
    )
    return made[0, len(prompt) :].tolist()


model.eval()
print(said(model, [7, 8, 9]))

# %% [markdown]
# ## Two new tokens
#
# `split_unembedding` puts new tokens into a split of their own, behind the old rows and apart from them. The old 50,000 rows are
# frozen: no gradient, no optimiser state, and a third of the loss's work less. The new rows have a learning rate of their own.

# %%
vocabulary = split_unembedding(model, new_tokens={"directions": 2})
vocabulary.freeze_base()
up, down = vocabulary.ranges["directions"]
print(vocabulary.ranges)
groups = split_parameter_groups(model, learning_rates={"directions": 2e-2}, rest=5e-3)
for group in groups:
    print(
        f"{group['name']:14} {group['lr']:.3f} {sum(p.numel() for p in group['params']):7,} numbers"
    )

# %% tags=["varies"]
before = model.get_input_embeddings().token_embedding["base"].weight.detach().clone()
texts = [
    [token, *counting(first, step)]
    for first in range(NUMBERS)
    for token, step in ((up, 1), (down, -1))
]
random.Random(0).shuffle(texts)
model.train()
losses["directions"] = train(
    model, texts * 2, "directions", optimizers=(torch.optim.AdamW(groups), None)
)
print(" ".join(f"{loss:.2f}" for loss in losses["directions"]))

# %%
model.eval()
print("up  ", said(model, [up, 40]))
print("down", said(model, [down, 40]))
after = model.get_input_embeddings().token_embedding["base"].weight
print("old rows are what they were:", torch.equal(before, after))

# %% [markdown]
# The loss of the second run cannot get below 0.19: of the 24 numbers in a text, the first behind a direction may be any of
# 100, and ln(100) / 24 is 0.19. All others follow.

# %%
# Losses of both runs
figure, axes = plt.subplots(figsize=(7, 2.6))
for name, found in losses.items():
    axes.plot(range(10, 101, 10), found, "o-", label=name)
axes.set(xlabel="step", ylabel="loss", ylim=(0, None))
axes.legend()
plt.show()

# %% [markdown]
# All 200 texts were in the training, so this shows that the run works, and not that the model has understood. What of prompts that were not?

# %% tags=["varies"]
print("no direction, up       ", said(model, [7, 8, 9]))
print("no direction, down     ", said(model, [9, 8, 7]))
print("up, then numbers down  ", said(model, [up, 9, 8, 7]))

# %% [markdown]
# In the run shown it still counts up where nobody said a direction, as it did before. It has not learned to look at the numbers
# themselves: only the new tokens make it count down. The old rows are frozen, but the layers were trained; `freeze_base` does not protect
# what a model knew. Without `rest`, `split_parameter_groups` leaves everything else out, and only the new rows move.
#
# ## Save
#
# Merged, the model is one of Transformers again, with 50,002 rows; nobody needs headwise to load it.

# %%
merge_unembedding(model)
model.save_pretrained("with-directions")
loaded = AutoModelForCausalLM.from_pretrained("with-directions")
print(type(loaded).__name__, loaded.get_input_embeddings().weight.shape, said(loaded, [down, 3]))

# %% [markdown]
# ## What it is worth, and its limits
#
# The gain is in memory, and grows with vocabulary times positions; in a model whose vocabulary is small beside its layers there is none. Chunks cost
# no time on two cores: at 128,000 tokens and 4,096 positions the loss took 0.59 of the plain formula's time
# ([Results](../results.md)). A Trainer with `compute_metrics`, which reads logits, needs `patch_lm_loss(model, keep_eval_logits=True)`; models that do
# something unknown to their logits are refused when they are patched, not trained on another loss.
#
# ## Where next
#
# - [Large models](../large-models.md): which head for which job, options of the loss, PEFT, vocabularies that processes share
# - [Train a head](train-a-head.md): what headwise does with a model that stays frozen
