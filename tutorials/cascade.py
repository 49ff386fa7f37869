# %% [markdown]
# # A cascade: answer, ask somebody bigger, or abstain
#
# You have a small model that is fast and often right, and something better that is slow or dear: a big model, a
# person. Whom do you ask? Here the bundled model translates forty sentences, of which half are captions, which it knows, and half are not.
# You let it answer where it is sure, ask somebody better where it is not, see what that saves, and what can be
# guaranteed. It needs nothing but `pip install headwise`.

# %%
import matplotlib.pyplot as plt
import numpy as np

from headwise import Cascade, QualityEstimator
from headwise.cascade import Trials, WriterStage, make_guarantee
from headwise.evaluation.cascade import evaluate_cascade
from headwise.metrics import roc_auc

small = QualityEstimator.from_pretrained("tiny-en-de")

# %% [markdown]
# ## Somebody better
#
# The second stage is whatever turns a question into a text. Here it is a table of translations that we wrote, and stands for
# a person, or for a model that is too big for this page; `ChatModel("http://localhost:8000", "name")` would ask a server.
# An answer of the bundled model costs 1, one of the table 50.

# %%
TRANSLATIONS = {
    "A dog runs along the beach.": "Ein Hund läuft am Strand entlang.",
    "Two children are playing football in the park.": "Zwei Kinder spielen im Park Fußball.",
    "A man is playing guitar on stage.": "Ein Mann spielt auf der Bühne Gitarre.",
    "A woman in a red dress is dancing.": "Eine Frau in einem roten Kleid tanzt.",
    "Three people are sitting on a bench.": "Drei Personen sitzen auf einer Bank.",
    "A boy is riding his bicycle down the street.": "Ein Junge fährt mit dem Fahrrad die Straße entlang.",
    "The girl is eating an apple.": "Das Mädchen isst einen Apfel.",
    "An old man is reading a newspaper.": "Ein alter Mann liest eine Zeitung.",
    "Two women are talking in front of a shop.": "Zwei Frauen unterhalten sich vor einem Laden.",
    "A group of people is waiting for the train.": "Eine Gruppe von Menschen wartet auf den Zug.",
    "A child is sleeping in its mother's arms.": "Ein Kind schläft in den Armen seiner Mutter.",
    "A man in a blue shirt is cooking.": "Ein Mann in einem blauen Hemd kocht.",
    "The cat is lying on the sofa.": "Die Katze liegt auf dem Sofa.",
    "A woman is taking a photo of a mountain.": "Eine Frau macht ein Foto von einem Berg.",
    "Two dogs are fighting over a ball.": "Zwei Hunde kämpfen um einen Ball.",
    "A young man is jumping over a fence.": "Ein junger Mann springt über einen Zaun.",
    "People are swimming in the lake.": "Menschen schwimmen im See.",
    "A girl with long hair is painting a picture.": "Ein Mädchen mit langen Haaren malt ein Bild.",
    "A man is repairing a car.": "Ein Mann repariert ein Auto.",
    "Some children are building a sandcastle.": "Einige Kinder bauen eine Sandburg.",
    "The weather will be fine tomorrow.": "Morgen wird das Wetter schön.",
    "Can you tell me where the station is?": "Können Sie mir sagen, wo der Bahnhof ist?",
    "I have lost my keys.": "Ich habe meine Schlüssel verloren.",
    "The shop opens at nine o'clock.": "Der Laden öffnet um neun Uhr.",
    "She has lived in Berlin for ten years.": "Sie lebt seit zehn Jahren in Berlin.",
    "We need more time to finish the report.": "Wir brauchen mehr Zeit, um den Bericht fertigzustellen.",
    "The train to Hamburg is delayed by twenty minutes.": "Der Zug nach Hamburg hat zwanzig Minuten Verspätung.",
    "Please send me the invoice by Friday.": "Bitte schicken Sie mir die Rechnung bis Freitag.",
    "The museum is closed on Mondays.": "Das Museum ist montags geschlossen.",
    "He forgot to pay the bill.": "Er hat vergessen, die Rechnung zu bezahlen.",
    "The bridge was closed for repairs last week.": "Die Brücke war letzte Woche wegen Reparaturen gesperrt.",
    "My sister works as a doctor in a hospital.": "Meine Schwester arbeitet als Ärztin in einem Krankenhaus.",
    "The price of bread has doubled since January.": "Der Brotpreis hat sich seit Januar verdoppelt.",
    "The government announced new taxes on fuel.": "Die Regierung kündigte neue Steuern auf Kraftstoff an.",
    "Scientists have discovered a new species of frog.": "Forscher haben eine neue Froschart entdeckt.",
    "The contract can be terminated at any time.": "Der Vertrag kann jederzeit gekündigt werden.",
    "You should drink more water.": "Du solltest mehr Wasser trinken.",
    "The film was better than the book.": "Der Film war besser als das Buch.",
    "Nobody knew the answer to the question.": "Niemand kannte die Antwort auf die Frage.",
    "The meeting has been moved to Thursday afternoon.": "Die Besprechung wurde auf Donnerstagnachmittag verschoben.",
}


def person(asked):
    return TRANSLATIONS[asked.source]


cascade = Cascade({"tiny-en-de": small, "person": person}, accept=0.9, costs=[1, 50])
for source in ("A man is repairing a car.", "The contract can be terminated at any time."):
    answer = cascade.answer(source)
    print(f"{answer.text}  by {answer.stage}, quality {answer.quality:.2f}, cost {answer.cost:g}")

# %% [markdown]
# The second answer is nonsense, and the cascade gave it: the probability that a text has no error is 0.93 by these heads. They
# learned from good translations with a mistake put in, and a sentence without any sense was not among them. So before a number is trusted, look.
#
# ## Look first
#
# `ask_all` asks everybody about everything. We read the forty translations of the bundled model, and found these to be right:

# %%
sources = list(TRANSLATIONS)
RIGHT = {*range(1, 11), *range(12, 20), 23, 37}  # numbers of the sentences, from 1
right = np.array([number in RIGHT for number in range(1, 41)])
for number in (11, 20, 30, 32, 36):
    print(number, small.generate(sources[number - 1]).hypothesis)

# %% [markdown]
# A child sleeps *in its mother on its mother*, the sandcastle is a *beach of sand*, he *forgot the bill*, my *mum* works in a
# hospital. Of which signal does the mean say so?

# %%
SIGNALS = ["error", "sigmoid", "softmax", "boosted"]
by_signal = {}
for signal in ["default", *SIGNALS]:
    chosen = None if signal == "default" else signal
    alone = Cascade({"tiny-en-de": small}, accept=0.0, signal=chosen)
    answers = [alone.answer(source) for source in sources]
    quality = np.array([-1.0 if one.quality is None else one.quality for one in answers])
    by_signal[signal] = quality
    print(f"{signal:8} {roc_auc(quality, right).value:.3f}")

# %%
# How many right and wrong answers have which quality, by the default and by `boosted`
figure, axes = plt.subplots(1, 2, figsize=(8, 2.6), layout="constrained", sharey=True)
for axis, signal in zip(axes, ("default", "boosted"), strict=True):
    values = by_signal[signal]
    for label, chosen, colour in (("right", right, "#2f81f7"), ("wrong", ~right, "#d2691e")):
        axis.hist(
            values[chosen], bins=np.linspace(0.5, 1, 21), alpha=0.7, label=label, color=colour
        )
    axis.set(title=f"quality: {signal}", xlabel="quality")
axes[0].set_ylabel("answers")
axes[0].legend(frameon=False)
plt.show()

# %% [markdown]
# The language model's own probability, with all valid tokens credited together (`boosted`), knows best what was a
# guess. Two questions have no quality: the bundled model *declines* what does not look like its languages; the next
# stage is asked, as it should be.
#
# ## Answer, ask, abstain

# %%
cascade = Cascade(
    {"tiny-en-de": small, "person": person}, accept=0.95, costs=[1, 50], signal="boosted"
)
answers = [cascade.answer(source, ask_all=True) for source in sources]
for number in (19, 21, 36, 37):
    answer = answers[number - 1]
    print(f"{answer.source:45} {answer.stage or 'nobody':11} {answer.text or ''}")

# %% [markdown]
# The person's answers were scored as well, by the first model, and not one of the nineteen is good enough for it: a model that does not know what a
# contract is cannot tell that *Vertrag* is right. Such questions stay without an answer. If the last one is to be
# believed whatever it says, let nobody judge it: `WriterStage(write=person, name="person")`.

# %%
believed = Cascade(
    {"tiny-en-de": small, "person": WriterStage(write=person, name="person")},
    accept=0.95,
    costs=[1, 50],
    signal="boosted",
)
for name, one in {"judged": cascade, "believed": believed}.items():
    trials = Trials.of(
        [one.answer(source, ask_all=True) for source in sources],
        [[bool(label), True] for label in right],
    )
    evaluation = evaluate_cascade(trials)
    values = {row.signal: row.metrics for row in evaluation.tables[1].rows}["cascade"]
    print(name, {m.name: None if m.value is None else round(m.value, 3) for m in values})

# %% [markdown]
# A person who is believed answers everything else, and the cascade saves what the small model could do. The same from files:
# `headwise cascade sentences.txt --ask-all -o trials.jsonl`, and `headwise evaluate trials.jsonl --protocol cascade`.
#
# ## A guarantee
#
# Which threshold keeps the share of wrong answers below 15 %, on new questions like these, with 95 % confidence? And below 5 %?

# %%
for risk in (0.15, 0.05):
    print(make_guarantee(trials, risk=risk, signal="boosted").said)

# %% [markdown]
# Forty judged answers buy little: with a share of 5 %, even forty answers without one mistake would not do. Draw a few hundred
# questions at random from your own, judge the answers, and save the guarantee (`.save("guarantee.json")`): `Cascade`, `headwise
# cascade` and `headwise serve` take it instead of a number.
#
# Where it fails: these sentences were chosen, not drawn; the signal was chosen by looking at the same forty answers; and the table
# that stands for a person is never wrong, as no person is. [Cascades](../cascade.md) has the rest.
