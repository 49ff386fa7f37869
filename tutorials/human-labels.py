# %% [markdown]
# # Evaluate on human labels
#
# Figures measured with errors that rules put in say how well a head finds the errors of rules. What of those that a reader finds? Here you mark a few
# translations, ask which signal agrees with the marks, and see how little 24 texts allow one to say: wide intervals, and a
# refusal. It needs `pip install headwise`, and reads German.
#
# ## Mark
#
# The bundled model translated 24 sentences, and we read them. The judgements are ours, one reader's, made for this page: `[...]` is wrong,
# `{...}` a small thing, and `^` a place where something is missing. You would write such marks in a tool for translators, or as MQM; the file
# below has the form that all of headwise reads.

# %%
import json
import re
from pathlib import Path
from textwrap import fill

import matplotlib.pyplot as plt

from headwise import QualityEstimator
from headwise.data.readers import read_pairs
from headwise.data.records.signals import Signal
from headwise.evaluation import Question, Source, evaluate
from headwise.evaluation.triage import Segments, make_promise, read_segments
from headwise.quality.calibrate import calibrate

MARKED = {
    "A man is selling balloons in the park.": "Ein Mann verkauft Ballons im Park.",
    "Two women are drinking coffee at a small table.": "Zwei Frauen trinken^ an einem kleinen Tisch.",
    "The boy is afraid of the big dog.": "Der Junge hat [den großen Hund] Angst vor dem großen Hund.",
    "A girl with long hair is reading a book.": "Ein Mädchen mit langen Haaren liest ein Buch.",
    "An old man is feeding pigeons in front of a church.": "Ein alter Mann füttert^ vor einer Kirche.",
    "My brother forgot his keys at home.": "Mein Bruder [habe] {die} Schlüssel [nach] Hause [getroffen].",
    "The train leaves in ten minutes.": "Der Zug [im Regenschirmen].",
    "A cook is cutting onions in a kitchen.": "Ein Koch schneidet^ in einer Küche [auf der Küchenmaschine].",
    "Three soldiers are resting in the shade.": "Drei Soldaten ruhen im Schatten.",
    "She has been waiting for an hour.": "Sie [war] eine Stunde^.",
    "A child is hiding behind a curtain.": "Ein Kind versteckt sich hinter einem [Löwenst].",
    "The woman in the blue dress is laughing.": "Die Frau in {einem} blauen Kleid lacht.",
    "We could not find the museum.": "Wir [könnten] das [Bürgerme] nicht finden.",
    "A cat is sleeping on the roof of a car.": "Eine Katze schläft auf dem Dach eines Autos.",
    "Somebody has stolen my bicycle.": "Jemand hat mein Fahrrad gestohlen.",
    "The tired players are leaving the field.": "Die Spieler [sind müde auf] dem Feld.",
    "A nurse is holding a newborn baby.": "Eine Krankenschwester hält ein neugeborenes Baby.",
    "It was too cold to swim.": "Es war zu kalt [zu schwierig].",
    "A farmer is driving a tractor through the snow.": "Ein [Bauerfahrer] fährt^ durch den Schnee.",
    "He cut his finger with a knife.": "Er schnitt [mit seinem Finger].",
    "The bus driver did not see the cyclist.": "Der [Bus ist] nicht [von dem Fahrer].",
    "Many people are standing on the bridge.": "Viele Menschen stehen auf {einer} Brücke.",
    "A woman is teaching her daughter to swim.": "Eine Frau unterrichtet ihre Tochter {beim} Schwimmen.",
    "The children built a house of snow.": "Die Kinder [hat] ein Haus^ gebaut.",
}


def row_of(source, marked):
    """A row with the text without its marks, and where they stood."""
    text, annotations = "", []
    for piece in re.findall(r"\[.*?\]|\{.*?\}|\^|[^\[{^]+", marked):
        plain = piece.strip("[]{}^")
        if plain != piece:
            severity = "minor" if piece[0] == "{" else "major"
            span = {"start": len(text), "end": len(text) + len(plain), "severity": severity}
            annotations.append(span)
        text += plain
    return {"source": source, "hypothesis": text, "annotations": annotations}


rows = [row_of(source, marked) for source, marked in MARKED.items()]
lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
Path("marked.jsonl").write_text("".join(lines), "utf-8")
print(lines[1])
spans = [span for row in rows for span in row["annotations"]]
print(f"{sum(not row['annotations'] for row in rows)} of {len(rows)} texts have no mark,")
print(f"{len(spans)} marks, {sum(span['start'] == span['end'] for span in spans)} of them gaps")

# %% [markdown]
# ## Which signal agrees?
#
# `evaluate` reads the marks, scores with all signals in one pass, and asks how well each tells wrong tokens from right ones (ROC AUC; 0.5 is chance).
# An interval holds 95 % of what comes out when sources are drawn anew, a thousand times.

# %%
qe = QualityEstimator.from_pretrained("tiny-en-de")
signals = (Signal.ERROR, Signal.SIGMOID, Signal.SOFTMAX, Signal.ENTROPY)
question = Question(source=Source(path="marked.jsonl"), signals=signals, units=("token",))
found = evaluate(question, lambda: qe).evaluation
tokens = found.tables[0]
for row in tokens.rows:
    area = row.metrics[0]
    print(f"{row.signal:9} {area.value:.2f} [{area.low:.2f}, {area.high:.2f}]  {area.count} tokens")

# %%
# ROC AUC of wrong tokens by signal with its 95 % interval
figure, axes = plt.subplots(figsize=(7, 2.4))
shown = [row for row in reversed(tokens.rows) if row.metrics[0].low is not None]
for place, row in enumerate(shown):
    area = row.metrics[0]
    axes.plot([area.low, area.high], [place, place], "C0", linewidth=3, alpha=0.5)
    axes.plot(area.value, place, "C0o")
axes.axvline(0.5, color="C3", linestyle="--", linewidth=1)
axes.set_yticks(range(len(shown)), [row.signal for row in shown])
axes.set(xlabel="ROC AUC of wrong tokens", xlim=(0.3, 1))
plt.show()

# %%
for comparison in tokens.comparisons:
    if comparison.metric == "roc_auc":
        said = "told apart" if comparison.distinguishable else "not told apart"
        print(f"{comparison.best} and {comparison.other}: {said}, p = {comparison.p_value:.2f}")

# %% [markdown]
# All four beat the length and chance: they see something of what we marked. Which of them sees most cannot be said. The error head, which is far ahead of the
# softmax where rules put errors in ([Results](../results.md)), comes out last here, and no test tells it from the best. Two things are
# behind that. With 24 sources, intervals are a tenth wide. And these are a model's own translations: what it does not know, it writes with
# a low probability, while the head learned to see errors that somebody put into good text.
#
# To halve an interval takes four times the texts. To know which of two signals is better by 0.03, count on a hundred or
# two: here, differences between the best and the other three have standard errors of 0.010 to 0.024.
#
# ## Calibrate
#
# `calibrate` looks at the same marks and chooses what `quality` is to be made of. It splits the sources in two, so that each half has about
# a dozen, and its notes say what it could not do.

# %%
mine = calibrate(qe, list(read_pairs("marked.jsonl")), method="platt")
for note in mine.provenance.notes:
    print(fill(note, 90))
for name, threshold in mine.thresholds.items():
    print(name, threshold.reason if threshold.value is None else f"{threshold.value:.2f}")

# %% [markdown]
# It takes the softmax, as the table has it, and keeps quiet about whole texts. Thresholds from a dozen sources are guesses, and a
# promise about missed errors there is none: take this calibration as a sign that more labels are needed, and do not save it.
#
# ## What may go out unread?
#
# `make_promise` looks for a line above which at most 5 % of the segments have an error, with 95 % confidence. `text_quality` decides, as the bundled calibration has it.

# %%
scored = list(qe.score_many(read_pairs("marked.jsonl"), signals=["quality", "softmax"]))
lines = [json.dumps(text.as_dict(), ensure_ascii=False) + "\n" for text in scored]
Path("scored.jsonl").write_text("".join(lines), "utf-8")
labelled = Segments.of(read_segments([Path("scored.jsonl")]))
print(fill(make_promise(labelled, missed=0.05, severity="major").said, 90))

# %% [markdown]
# To refuse is right. That no number of labels would do is more than these texts can say: the rule looks at the 20 texts that the signal is
# surest of, or at a tenth of them where that is more, and here 20 are nearly all. For the same reason, `softmax` gets the same answer below.
# How many would it take at best, if among the surest not one were wrong? As many as make it improbable (0.05) that
# 5 % are wrong and none of them is seen:

# %%
print(next(number for number in range(1, 1000) if 0.95**number <= 0.05))

# %%
# Each text by its mean softmax and its text quality; crosses have a major error
figure, axes = plt.subplots(figsize=(7, 3))
for is_wrong, marker in ((False, "C0o"), (True, "C1X")):
    texts = [
        text for text in scored if any(span.severity == "major" for span in text.errors) == is_wrong
    ]
    values = [text.aggregate(signal="softmax") for text in texts]
    label = "major error" if is_wrong else "none"
    axes.plot(values, [text.quality for text in texts], marker, alpha=0.8, label=label)
axes.set(xlabel="mean softmax of the text", ylabel="probability of no error")
axes.legend(loc="lower right")
plt.show()

# %% [markdown]
# From the right, the texts look sorted. From above, they are sorted less well, and the height is wrong:

# %%
sure = [text for text in scored if text.quality > 0.99]
major = sum(any(span.severity == "major" for span in text.errors) for text in sure)
marked = sum(bool(text.errors) for text in sure)
print(f"{len(sure)} texts above 0.99: {marked} have a mark, {major} a major one")
for missed in (0.05, 0.3, 0.4):
    promise = make_promise(labelled, missed=missed, severity="major", signal="softmax")
    print(f"softmax, {missed:.0%}: {'refused' if promise.publish_above is None else 'promised'}")

# %% [markdown]
# Of texts with a probability above 0.99, at most one in a hundred should have a mark. It is tempting to name `softmax` instead, but 24 texts
# let it promise nothing that anybody would want. And we have looked: a promise for the signal that came out best on these very
# texts is worth less than it says. Name it, label some hundred others, and ask again.
#
# ## What it is worth
#
# Reading 24 texts was enough to see that the bundled probabilities of texts are too high for this model's own translations, and which signal
# to try. It proved nothing else, and the tools said so. The marks are one reader's; another would put some elsewhere, and intervals know
# nothing of that.
#
# ## Where next
#
# - [Evaluating scores](../evaluation.md): all protocols, several systems, slices; `headwise evaluate marked.jsonl --report out/` is the command
# - [Triage](../triage.md): what promises were worth on real translations
# - [Which words are wrong?](../errors.md#human-labels): train an error head on marks, from some hundred texts on
