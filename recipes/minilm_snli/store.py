"""Store trained heads in half precision: what is bundled, with its card and run files."""

import argparse
import shutil
from pathlib import Path

import torch

from headwise.heads import load_task_heads, save_task_heads

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("heads", type=Path, help="folder that `headwise train abstention` wrote")
parser.add_argument("output", type=Path)
parser.add_argument("--terms", type=Path, required=True, help="end of the model card")
arguments = parser.parse_args()

card = (arguments.heads / "README.md").read_text("utf-8") + arguments.terms.read_text("utf-8")
heads = load_task_heads(arguments.heads)
save_task_heads(heads, arguments.output, dtype=torch.float16, model_card=card)
for name in ("curves.png", "run.yaml", "abstention.yaml"):
    shutil.copy(arguments.heads / name, arguments.output)
