"""Scored texts made by hand, with gold that is known."""

from collections.abc import Mapping, Sequence

import numpy as np

from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.scored import ScoredHypothesis, ScoredToken
from headwise.data.records.signals import Signal
from headwise.data.records.word_tags import WordTags
from headwise.evaluation.quality.judged_texts import JudgedText


def scored_text(
    words: Sequence[str],
    values: Mapping[str, Sequence[float]],
    *,
    wrong: Sequence[int] | None = None,
    source: str | None = "source",
    tags: WordTags | None = None,
    extra: dict[str, object] | None = None,
    closing: Mapping[str, float] | None = None,
) -> ScoredHypothesis:
    """A text whose words are its tokens; `wrong` are the places of marked words."""
    places = []
    start = 0
    for word in words:
        places.append((start, start + len(word)))
        start += len(word) + 1
    tokens = tuple(
        ScoredToken(
            text=word,
            token_id=index,
            start=a,
            end=b,
            **{name: float(of[index]) for name, of in values.items()},
        )
        for index, (word, (a, b)) in enumerate(zip(words, places, strict=True))
    )
    text = " ".join(words)
    end = len(text)
    special = (
        ()
        if closing is None
        else (ScoredToken(text="</s>", token_id=0, start=end, end=end, special=True, **closing),)
    )
    errors = None if wrong is None else tuple(ErrorSpan(*places[index]) for index in wrong)
    return ScoredHypothesis(
        source,
        text,
        tokens,
        special,
        tuple(map(Signal, values)),
        extra,
        errors=errors,
        tags=tags,
    )


def judged_texts(
    count: int, *, seed: int = 0, per_source: int = 2, noise: float = 0.3
) -> list[JudgedText]:
    """Texts in which `sigmoid` knows the errors, up to noise, and `softmax` knows nothing.

    The gold of a text is minus its number of wrong words.
    """
    rng = np.random.default_rng(seed)
    texts = []
    for index in range(count):
        words = [f"w{i}" for i in range(int(rng.integers(3, 9)))]
        wrong = [i for i in range(len(words)) if rng.random() < 0.2]
        clean = np.array([float(i not in wrong) for i in range(len(words))])
        sigmoid = np.clip(clean * 0.6 + 0.2 + rng.normal(0, noise, len(words)), 0.01, 0.99)
        source = f"source {index // per_source}"
        scored = scored_text(
            words,
            {
                "sigmoid": sigmoid.tolist(),
                "softmax": rng.uniform(0.01, 0.99, len(words)).tolist(),
                "entropy": (1 - sigmoid).tolist(),
            },
            wrong=wrong,
            source=source,
        )
        texts.append(JudgedText(scored=scored, group=source, gold=-float(len(wrong))))
    return texts
