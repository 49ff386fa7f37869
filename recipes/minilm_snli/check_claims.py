"""How often `validate` says what about claims whose truth is known, from pairs with labels.

Sources are four premises one after another. Of every pair, the hypothesis is a claim about a source
that holds its premise, and (as "absent") about one that does not.
"""

import argparse
import random
from collections import Counter
from pathlib import Path

from headwise.data.readers.inferences import read_inferences
from headwise.data.records.inferences import InferencePair
from headwise.entailment import EntailmentModel, Verdict

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("pairs", type=Path, help="labelled pairs")
parser.add_argument("--model", default="all-MiniLM-L6-v2")
parser.add_argument("--heads", help="folder of heads, instead of the model's")
parser.add_argument("--claims", type=int, default=400, help="of each kind at most")
parser.add_argument("--min-similarity", type=float, nargs="+", default=[0.3])
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

model = EntailmentModel.from_pretrained(arguments.model, arguments.heads)
pairs = [row for row in read_inferences(arguments.pairs) if isinstance(row, InferencePair)]
generator = random.Random(arguments.seed)
generator.shuffle(pairs)
premises = list(dict.fromkeys(pair.premise for pair in pairs))
groups = [premises[start : start + 4] for start in range(0, len(premises) - 3, 4)]
sources = [" ".join(text.rstrip(" .") + "." for text in group) for group in groups]
home = {premise: number for number, group in enumerate(groups) for premise in group}

asked: dict[str, list[tuple[str, str]]] = {}
for pair in pairs:
    if (number := home.get(pair.premise)) is not None and pair.label is not None:
        elsewhere = sources[(number + 1) % len(sources)]
        asked.setdefault(pair.label.value, []).append((sources[number], pair.hypothesis))
        asked.setdefault("absent", []).append((elsewhere, pair.hypothesis))

print("| `min_similarity` | claim | claims | " + " | ".join(Verdict) + " |")
print("| --- | --- | --- |" + " --- |" * len(Verdict))
for floor in arguments.min_similarity:
    for kind in ("entailment", "neutral", "contradiction", "absent"):
        claims = asked[kind][: arguments.claims]
        found = Counter(
            model.validate(source, claim, min_similarity=floor).verdict for source, claim in claims
        )
        shares = " | ".join(f"{found[verdict] / len(claims):.0%}" for verdict in Verdict)
        print(f"| {floor:g} | {kind} | {len(claims)} | {shares} |")
