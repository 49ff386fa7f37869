"""Store trained heads in half precision: what is bundled, with its card and run files."""

import argparse
import shutil
from pathlib import Path

import torch
from huggingface_hub import ModelCard

from headwise.heads import load_task_heads, save_task_heads

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("heads", type=Path, help="folder that `headwise train abstention` wrote")
parser.add_argument("output", type=Path)
parser.add_argument("--terms", type=Path, required=True, help="metadata and end of the model card")
arguments = parser.parse_args()

card, terms = (
    ModelCard(path.read_text("utf-8")) for path in (arguments.heads / "README.md", arguments.terms)
)
card.content = f"---\n{terms.data.to_yaml()}\n---\n{card.text}{terms.text}"
heads = load_task_heads(arguments.heads)
save_task_heads(heads, arguments.output, dtype=torch.float16, model_card=card.content)
for name in ("curves.png", "run.yaml", "abstention.yaml"):
    shutil.copy(arguments.heads / name, arguments.output)
