"""Two steps of a patched model in one process or in several: losses and weights.

Run as a script, it forks two processes; the argument is the folder to write into.
"""

import datetime
import sys
from pathlib import Path

import torch
import torch.distributed
from random_language_models import batch, random_model
from torch.multiprocessing import start_processes
from torch.nn.parallel import DistributedDataParallel

from headwise.files import write_tensors
from headwise.language_modelling.fused_loss.fused_lm_loss import patch_lm_loss

WEIGHTS = "weights.safetensors"


def train(rank: int, folder: Path, processes: int) -> None:
    """Every process has its own rows; they are weighted as the batch of all of them."""
    alone = processes == 1
    model = patch_lm_loss(random_model("llama-tied"))
    if not alone:
        torch.distributed.init_process_group(
            "gloo",
            init_method=f"file://{folder}/rendezvous",
            rank=rank,
            world_size=processes,
            timeout=datetime.timedelta(seconds=60),
        )
    module = model if alone else DistributedDataParallel(model)
    inputs = {name: value[rank::processes] for name, value in batch(rows=4).items()}
    count = batch(rows=4)["labels"][:, 1:].ne(-100).sum()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses = []
    for _ in range(2):
        optimizer.zero_grad()
        # Gradients are averaged over processes, so that each counts its tokens as many times more
        loss = module(**inputs, num_items_in_batch=count / processes).loss
        loss.backward()
        optimizer.step()
        total = loss.detach() / processes
        if not alone:
            torch.distributed.all_reduce(total)
        losses.append(total)
    if rank == 0:
        weights = {name: value.detach() for name, value in model.named_parameters()}
        write_tensors(folder / WEIGHTS, weights | {"losses": torch.stack(losses)})
    if not alone:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    # Forked, so that PyTorch is imported once for both of them
    start_processes(train, args=(Path(sys.argv[1]), 2), nprocs=2, start_method="fork")
