# %% [markdown]
# # Evaluate on human labels
#
# You have marked what is wrong in some translations, and want to know what that lets you say: whether the scores find your errors, how sure
# that is, where to draw a line, and what may go out unread. Here are twenty translations of the bundled model that we marked ourselves. It
# needs nothing but `pip install headwise`, and takes about as long as reading it.

# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt

from headwise import QualityEstimator
from headwise.data.readers import read_pairs
from headwise.data.records.signals import Signal
from headwise.evaluation import Question, Source, evaluate
from headwise.evaluation.triage import Segments, make_promise, read_segments
from headwise.quality.calibrate import calibrate

qe = QualityEstimator.from_pretrained("tiny-en-de")

# %% [markdown]
# ## Marks
#
# Each source has the pieces of its translation that are wrong: none where the list is empty. They are our judgement, made by reading
# before anything was scored. Where something is missing and nothing is wrong, we marked the word that would have to change.

# %%
MARKED = {
    "A dog runs along the beach.": [],
    "Three people are sitting on a bench.": [],
    "The girl is eating an apple.": [],
    "A child is sleeping in its mother's arms.": ["in seiner Mutter auf seiner Mutter"],
    "A man in a blue shirt is cooking.": [],
    "The cat is lying on the sofa.": [],
    "A young man is jumping over a fence.": [],
    "Some children are building a sandcastle.": ["einen Sandstrand"],
    "Can you tell me where the station is?": [", wo du es das", "steht"],
    "I have lost my keys.": [],
    "The shop opens at nine o'clock.": ["den Nebel von der Aufschrift „Werse“"],
    "She has lived in Berlin for ten years.": ["sich in Riesen"],
    "The train to Hamburg is delayed by twenty minutes.": ["wird von der Dämmerung angefeuert"],
    "Please send me the invoice by Friday.": ["ein Aufschreiben", "ein Aufschiff an"],
    "He forgot to pay the bill.": ["vergessen"],
    "The bridge was closed for repairs last week.": ["kostente Woche"],
    "My sister works as a doctor in a hospital.": ["Mama"],
    "You should drink more water.": [],
    "The film was better than the book.": ["Die", "kann die Fruchtung gezwungen"],
    "Nobody knew the answer to the question.": ["gewählt"],
}
with Path("marked.jsonl").open("w", encoding="utf-8") as file:
    for source, pieces in MARKED.items():
        text = qe.generate(source).hypothesis
        starts = [text.index(piece) for piece in pieces]
        marks = [
            {"start": start, "end": start + len(piece)}
            for start, piece in zip(starts, pieces, strict=True)
        ]
        row = {"source": source, "hypothesis": text, "annotations": marks}
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
print(Path("marked.jsonl").read_text("utf-8").splitlines()[7])

# %% [markdown]
# `annotations` is a list, which is empty where somebody looked and found nothing: that is another thing than a row without it. MQM files,
# tags of words and XLIFF with marks are read as well ([what `score` reads](../command-line.md#what-score-reads)).
#
# ## Do the scores find them?

# %%
SIGNALS = ("softmax", "boosted", "sigmoid", "error", "quality")
question = Question(
    source=Source(path="marked.jsonl"),
    signals=tuple(map(Signal, SIGNALS)),
    units=("token",),
    aggregations=("mean",),
)
evaluation = evaluate(question, lambda: qe).evaluation
areas = {row.signal: row.metrics[0] for row in evaluation.tables[0].rows}
for name in SIGNALS:
    print(f"{name:8} {areas[name].value:.2f} [{areas[name].low:.2f}, {areas[name].high:.2f}]")

# %%
# The area of each signal with its interval
figure, axes = plt.subplots(figsize=(7, 2.6))
for place, name in enumerate(reversed(SIGNALS)):
    area = areas[name]
    axes.plot([area.low, area.high], [place, place], "C0", linewidth=2, alpha=0.5)
    axes.plot(area.value, place, "C0o")
axes.set_yticks(range(len(SIGNALS)), [*reversed(SIGNALS)])
axes.axvline(0.5, linestyle=":", color="#7b8490")
axes.set_xlabel("ROC AUC of wrong tokens, 95% interval (0.5: chance)")
plt.show()

# %% [markdown]
# Every signal is far above chance. Which is the *best* of them, twenty texts hardly say: the intervals lie upon each other, and
# `headwise evaluate` puts a mark on all that no test tells from the best one. They are intervals over texts, because the tokens of one
# text are wrong together: a text more or less changes much.
#
# `quality` and `error`, which are best on captions with a mistake put in, are not ahead here: in half of these texts whole clauses are
# invented, which is no error that their head was taught. Labels of your own tell you such things, and figures of others do not.
#
# ## A line for my texts
#
# A calibration learns from marks what the scores mean, and where the line is. One half of the texts fits it, the other chooses
# thresholds.

# %%
pairs = list(read_pairs("marked.jsonl"))
mine = calibrate(qe, pairs, signal="softmax", method="platt", ranking="texts")
print(mine.described["tokens"])
print(f"words below {mine.threshold:.2f} are marked, by {len(pairs)} texts")
print(f"by the bundled calibration, below {qe.calibration.threshold:.2f}")

# %% [markdown]
# It works, and a line from ten texts is one that ten other texts would draw elsewhere. Take such a calibration from a few hundred.
#
# ## What may go out unread?
#
# Triage promises: at most 5 % of the segments that go out unread have an error, with 95 % confidence.

# %%
with Path("scored.jsonl").open("w", encoding="utf-8") as file:
    for scored in qe.score_many(pairs, signals=("quality",)):
        file.write(json.dumps(scored.as_dict(), ensure_ascii=False) + "\n")
segments = Segments.of(read_segments([Path("scored.jsonl")]))
print(make_promise(segments, missed=0.05).said)

# %% [markdown]
# It does not promise, and says what it saw instead of making something up. If not one of the twenty had an error, even that would not
# be enough: 59 texts without an error are what a promise of 5 % takes at least ([what a guarantee is](../explain/guarantee.md)). And
# of texts like these, of which more than half are wrong, none would go out; [a cascade](cascade.md) shows which signal is surer of
# this model's own translations.
#
# ## What to do
#
# - **Mark texts that are drawn at random** from what you will decide about, some hundred. Chosen ones, as these are, say
#   how it is done and nothing of your texts.
# - **Look at intervals before you look at values**, and at the marks that say "not told apart".
# - **Keep a part for the end**: texts that chose a signal or a line flatter it.
# - The same on the command line: `headwise evaluate marked.jsonl --report out`, `headwise calibrate marked.jsonl`, `headwise
#   triage new.jsonl --labelled scored.jsonl`.
#
# Next: [Evaluating scores](../evaluation.md), [Calibration](../calibration.md), [Triage](../triage.md).
