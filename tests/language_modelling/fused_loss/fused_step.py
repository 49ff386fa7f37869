"""Two steps of a patched model, alone or as one of several processes: losses and weights.

Run as a script, with torchrun for several processes; the argument is the file to write.
"""

import sys
from pathlib import Path

import torch
import torch.distributed
from random_language_models import batch, random_model
from torch.nn.parallel import DistributedDataParallel

from headwise.files import write_tensors
from headwise.language_modelling.fused_loss.fused_lm_loss import patch_lm_loss


def main(output: Path) -> None:
    """Every process has its own rows; they are weighted as the batch of all of them."""
    alone = not torch.distributed.is_torchelastic_launched()
    if not alone:
        torch.distributed.init_process_group("gloo")
    rank, world = (0, 1) if alone else (torch.distributed.get_rank(), 2)
    model = patch_lm_loss(random_model("llama-tied"))
    module = model if alone else DistributedDataParallel(model)
    inputs = {name: value[rank::world] for name, value in batch(rows=4).items()}
    count = batch(rows=4)["labels"][:, 1:].ne(-100).sum()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses = []
    for _ in range(2):
        optimizer.zero_grad()
        # Gradients are averaged over processes, so that each counts its tokens as many times more
        loss = module(**inputs, num_items_in_batch=count / world).loss
        loss.backward()
        optimizer.step()
        total = loss.detach() / world
        if not alone:
            torch.distributed.all_reduce(total)
        losses.append(total)
    if rank == 0:
        weights = {name: value.detach() for name, value in model.named_parameters()}
        write_tensors(output, weights | {"losses": torch.stack(losses)})
    if not alone:
        torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
