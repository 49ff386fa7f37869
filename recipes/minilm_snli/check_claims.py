"""How often `validate` says what about claims whose truth is known, from pairs with labels.

Sources are four premises one after another. Of every pair, the hypothesis is a claim about a
source that holds its premise, and (as "absent") about one that does not. Claims that need two
sentences are two hypotheses with "and" between them, of two premises of one source: both entailed,
or the second one contradicted, or of a premise that the source does not hold.
"""

import argparse
import random
from collections import Counter
from itertools import product
from pathlib import Path

from headwise.choices import DEFAULT_TOGETHER, NLILabel
from headwise.data.readers.inferences import read_inferences
from headwise.data.records.inferences import InferencePair
from headwise.entailment import EntailmentModel, Verdict

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("pairs", type=Path, help="labelled pairs")
parser.add_argument("--model", default="all-MiniLM-L6-v2")
parser.add_argument("--heads", help="folder of heads, instead of the model's")
parser.add_argument("--claims", type=int, default=400, help="of each kind at most")
parser.add_argument("--min-similarity", type=float, nargs="+", default=[0.3])
parser.add_argument("--together", type=int, nargs="+", default=[1, DEFAULT_TOGETHER])
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

by_premise: dict[tuple[str, str], list[str]] = {}
for pair in pairs:
    if pair.label is not None:
        by_premise.setdefault((pair.premise, pair.label.value), []).append(pair.hypothesis)


def hypothesis(premise: str, label: str) -> str | None:
    return next(iter(by_premise.get((premise, label), ())), None)


def joined(first: str, second: str) -> str:
    second = second if second[:2].isupper() else second[0].lower() + second[1:]
    return f"{first.strip().rstrip(' .')} and {second.strip()}"


for number, group in enumerate(groups):
    other = groups[(number + 1) % len(groups)]
    for first, second in ((group[0], group[2]), (group[1], group[3])):
        entailed = hypothesis(first, NLILabel.ENTAILMENT)
        for kind, premise, label in (
            ("both entailed", second, NLILabel.ENTAILMENT),
            ("second contradicted", second, NLILabel.CONTRADICTION),
            ("second absent", other[0], NLILabel.ENTAILMENT),
        ):
            if entailed and (half := hypothesis(premise, label)):
                asked.setdefault(kind, []).append((sources[number], joined(entailed, half)))

print("| `together` | `min_similarity` | claim | claims | " + " | ".join(Verdict) + " |")
print("| --- | --- | --- | --- |" + " --- |" * len(Verdict))
for together, floor in product(arguments.together, arguments.min_similarity):
    for kind, all_claims in asked.items():
        claims = all_claims[: arguments.claims]
        found = Counter(
            model.validate(source, claim, min_similarity=floor, together=together).verdict
            for source, claim in claims
        )
        shares = " | ".join(f"{found[verdict] / len(claims):.0%}" for verdict in Verdict)
        print(f"| {together} | {floor:g} | {kind} | {len(claims)} | {shares} |")
