"""What else than the probabilities might tell a head's errors: alone, and beside the probabilities.

Beside them: a logistic regression, fitted without the premise that it judges.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from headwise.data.readers.inferences import read_inferences
from headwise.data.records.inferences import InferencePair
from headwise.entailment import EntailmentModel
from headwise.features.inference_features import encode_inferences, live_inferences
from headwise.metrics import risk_coverage_area, roc_auc

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("pairs", type=Path, help="labelled pairs")
parser.add_argument("--train", type=Path, required=True, help="pairs that the heads learned from")
parser.add_argument("--model", default="all-MiniLM-L6-v2")
parser.add_argument("--heads", help="folder of heads")
arguments = parser.parse_args()

model = EntailmentModel.from_pretrained(arguments.model, arguments.heads)
backbone, heads = model.encoder.backbone, model.heads
assert heads is not None


def labelled(path: Path) -> list[InferencePair]:
    rows = [row for row in read_inferences(path) if isinstance(row, InferencePair)]
    return [row for row in rows if row.label is not None]


@torch.inference_mode()
def unit_vectors(texts: list[str]) -> torch.Tensor:
    vectors = torch.as_tensor(model.embed(texts)).float()
    return torch.nn.functional.normalize(vectors, dim=-1)


pairs = labelled(arguments.pairs)
codes = encode_inferences(backbone, pairs, heads.config.features)
source = live_inferences(backbone, codes, heads.config.features, layers=heads.config.layers)
with torch.inference_mode():
    read = [heads.read(source.batch(part)) for part in torch.arange(len(pairs)).split(256)]
hidden, logits, evidence = (torch.cat(part).double().numpy() for part in zip(*read, strict=True))
wrong = logits.argmax(-1) != codes.labels.numpy()
probabilities = torch.from_numpy(logits).softmax(-1).numpy()

known = unit_vectors(sorted({text for pair in labelled(arguments.train) for text in pair.texts}))
far = [
    1 - (unit_vectors(list(side)) @ known.T).amax(1).double().numpy()
    for side in zip(*(pair.texts for pair in pairs), strict=True)
]
unknown = backbone.tokenizer.unk_token_id
parts = [[codes.texts[i] for i in side.tolist()] for side in (codes.premises, codes.hypotheses)]
unknowns = [
    np.array([sum(token == unknown for token in code.input_ids) / len(code) for code in side])
    for side in parts
]
top = np.sort(np.log(probabilities), axis=1)
columns = {
    "distance of premise and hypothesis from the nearest training text": np.stack(far, 1),
    "share of unknown tokens": np.stack(unknowns, 1),
    "alignments, lengths": evidence[:, :6],
    "probabilities of the second head": evidence[:, 6:],
    "hidden layer": hidden,
}
groups = np.unique([pair.premise for pair in pairs], return_inverse=True)[1]
one = np.ones((1, len(wrong)))


def beside(more: np.ndarray | None) -> np.ndarray:
    told = top if more is None else np.concatenate([top, more], axis=1)
    fit = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    folds = GroupKFold(5)
    return cross_val_predict(fit, told, wrong, groups=groups, cv=folds, method="predict_proba")[
        :, 1
    ]


def area(doubt: np.ndarray) -> float:
    return float(risk_coverage_area.weighted(-doubt, wrong.astype(float))(one)[0])


print(f"{len(wrong)} pairs, {wrong.mean():.3f} answered wrong\n")
print("| what | AUROC of errors, by each of its numbers | area under risk-coverage beside the "
      "probabilities |\n| --- | --- | --- |")  # fmt: skip
print(f"| nothing more | | {area(beside(None)):.4f} |")
for name, values in columns.items():
    if not values.shape[1]:
        continue
    alone = [float(roc_auc.weighted(-column, ~wrong)(one)[0]) for column in values.T[:6]]
    shown = "" if name == "hidden layer" else ", ".join(f"{one_area:.3f}" for one_area in alone)
    print(f"| {name} | {shown} | {area(beside(values)):.4f} |")
