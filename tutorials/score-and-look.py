# %% [markdown]
# # Score and look
#
# You have translations, and time to read a few words of them, not all. Which words? Here the bundled model
# says so for eleven translations, and you look at why, and at where it is wrong. It needs nothing but
# `pip install headwise`: the model and the sentences come with it.

# %%
import matplotlib.pyplot as plt
from IPython.display import IFrame

from headwise import QualityEstimator
from headwise.bundled import example_pairs
from headwise.report import write_html_report

qe = QualityEstimator.from_pretrained("tiny-en-de")

# %% [markdown]
# ## Which words?
#
# Some of the bundled translations are right, and into others somebody put an error. The model does not know which.

# %%
pairs = example_pairs()
for scored in qe.score_many(pairs):
    words = ", ".join(f"{span.text} {span.quality:.2f}" for span in scored.to_check)
    print(f"{'look' if scored.flagged else '    '}  {scored.hypothesis:46}  {words}")

# %% [markdown]
# `to_check` has the words whose probability of being right lies below a line, and `flagged` says whether the text as a
# whole deserves a reader. Both lines come from the calibration that lies beside the heads; you need not think
# of a number.
#
# It names the word of all five errors: `Bahnhof` (a station, where the dog ran along a beach), `kaufen` (the children
# buy football), `Ein` (of `Ein Mann`, where the source has a woman), `sieben` (seven apples for three), and
# `entlang` behind the beach that is missing.
#
# It also doubts three words that are right: `in` in both sentences about Berlin, and `drei`. The model is small and learned from
# captions of pictures; nobody has been to Berlin there. So: of eleven texts you read eight, and find five errors in them.

# %% [markdown]
# ## One text, closely
#
# In a notebook, a scored text shows itself: the darker the shade, the greater the doubt. What is to be checked is
# underlined; the pointer on a word shows its number.

# %%
scored = qe.score(
    "A dog runs along the beach.",
    "Ein Hund läuft am Bahnhof entlang.",
    signals=["quality", "softmax", "error"],
    alternatives=3,
)
scored

# %% [markdown]
# Every token has its place in the text, its signals, and what the language model itself would have written there.

# %%
for token in scored.tokens:
    others = ", ".join(f"{a.text.strip()} {a.probability:.2f}" for a in token.alternatives)
    print(f"{token.text:9} quality {token.quality:.2f}  softmax {token.softmax:.2f}   {others}")

# %% [markdown]
# ## Why not the probability?
#
# Look at `läuft` and `entlang`. The model would rather have written `rennt`, and ended the sentence after the
# beach. So their probability is low, although both are right: a softmax has to share its mass among all
# that is right. `quality` is made of a head that learned to tell wrong words from right ones, and has no mass to share.

# %%
# Each token of the sentence by its probability and by its quality
places = range(len(scored.tokens))
figure, axes = plt.subplots()
axes.bar([p - 0.2 for p in places], [t.softmax for t in scored.tokens], 0.4, label="softmax")
axes.bar([p + 0.2 for p in places], [t.quality for t in scored.tokens], 0.4, label="quality")
axes.axhline(scored.threshold, color="C3", linewidth=1, linestyle="--", label="threshold")
axes.set_xticks(places, [t.text for t in scored.tokens])
axes.set_ylabel("probability")
axes.legend(loc="lower center", ncols=3, bbox_to_anchor=(0.5, 1.0))
plt.show()

# %% [markdown]
# Here a line on the softmax could be drawn too: below 0.05, between `Bahnhof` and `entlang`. Over all bundled sentences there is
# none:

# %%
# Quality and softmax of the words that are wrong, and of all others, sentence by sentence
wrong = {1: "Bahnhof", 3: "kaufen", 5: "Ein Mann", 9: "sieben", 10: "entlang"}
words = [
    (number, word, word.text in wrong.get(number, "").split())
    for number, text in enumerate(qe.score_many(pairs, signals=["quality", "softmax"]))
    for word in text.words
]
figure, panels = plt.subplots(1, 2, sharey=True, layout="constrained")
for axes, signal in zip(panels, ("softmax", "quality"), strict=True):
    for is_wrong, marker in ((False, "C0o"), (True, "C1X")):
        numbers = [number for number, _, bad in words if bad == is_wrong]
        values = [getattr(word, signal) for _, word, bad in words if bad == is_wrong]
        label = "wrong" if is_wrong else "right"
        axes.plot(numbers, values, marker, alpha=0.8, label=label)
    axes.set(title=signal, xlabel="sentence", ylim=(-0.05, 1.05), xticks=range(len(pairs)))
panels[0].set_ylabel("probability")
panels[1].legend(loc="lower left")
plt.show()

# %% [markdown]
# The crosses are the wrong words. On the left, words that are right lie among them, down to the bottom. On the right the
# crosses lie below nearly everything else. The one near the top is `Mann`: the head finds the error in `Ein`, where it
# begins, and nothing wrong with a man behind that.
#
# ## Something is missing
#
# A word that is not there has no token. The signal `omission` is about the gap after each token. Here a word is missing in
# each text but the first, and `^` stands in the likeliest gap.

# %%
source = "A woman in a red jacket is riding a bicycle."
for hypothesis in (
    "Eine Frau in einer roten Jacke fährt Fahrrad.",
    "Eine Frau in einer Jacke fährt Fahrrad.",
    "Eine Frau in einer roten Jacke fährt.",
    "Eine Frau in einer roten fährt Fahrrad.",
    "Eine Frau in einer roten Jacke fährt Fahrrad",
):
    scored = qe.score(source, hypothesis, signals=["omission"])
    gap = max(scored.gaps(above=0.0), key=lambda gap: gap.omission)
    print(f"{gap.omission:.2f}  {hypothesis[: gap.place]}^{hypothesis[gap.place :]}")

# %% [markdown]
# The gap is found each time, and in the whole sentence every gap is tiny. But only a missing full stop passes 0.5: left to its
# own line, this signal keeps quiet about the red, the bicycle and the jacket. Use it to see *where*, not *whether*.
#
# ## A report to hand on
#
# The same as a file that works without a network, for somebody who does not open notebooks. Point at a token for all
# its signals and the alternatives; move the threshold.

# %%
write_html_report(
    qe.score_many(pairs, signals=["quality", "error", "softmax", "omission"], alternatives=3),
    "report.html",
    threshold=qe.calibration.threshold,
    model="tiny-en-de",
)
IFrame("report.html", width="100%", height=560)

# %% [markdown]
# On the command line that is `headwise score pairs.tsv -o scored.jsonl --html report.html`, and for these very sentences
# `headwise demo`.
#
# ## What it is worth, and where it fails
#
# Eleven sentences show how it works and prove nothing. On held-out captions and everyday sentences, with errors by rules that no
# head had learned from, the head tells wrong tokens from right ones with a ROC AUC of 0.95, and softmax with 0.89
# ([Results](../results.md)). On sentences from Wikipedia, judged by people, no signal of this model says much: it does not
# know such text. It is a model to try things with; for real work take one that knows your texts.
#
# ## Where next
#
# - [Find errors in Gemma's translations](gemma-translations.md): a real language model, in many languages
# - [Train a head on your pairs](train-a-head.md)
# - [Scoring text](../quality.md): all signals, levels and options
