"""The language model's own translations as texts with errors, as far as references explain them."""

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from headwise.backbones import LanguageBackbone, PromptTemplate
from headwise.backbones.content import model_digests
from headwise.backbones.generation.sampling import draw_hypotheses
from headwise.backbones.word_vectors import WordVectors
from headwise.corruption.alignment import folded
from headwise.corruption.by_language import by_language
from headwise.corruption.machine_errors import MarkedText, MarkSettings, mark_machine_errors
from headwise.corruption.source_edits import translated_source
from headwise.corruption.text_words import TextWords
from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.pairs import Pair, Pairlike
from headwise.data.writers import LineFile, json_line
from headwise.errors import TrainingError
from headwise.files import naming_output
from headwise.progress import progress_bar

logger = logging.getLogger(__name__)

# Sources that are drawn for at a time: what a kill costs, at most
_WINDOW = 64
_MOST_TOKENS = 128
# Words that carry little meaning: so many at most, of so many of all words, and more than a few
_MOST_COMMON, _COMMON_SHARE, _FEW = 150, 1e-3, 2
# Words are near in meaning if so many pairs of words of the language are less near
_USUAL = 0.85


@dataclass(frozen=True, slots=True)
class _Asked:
    """A source, its language, and all its translations that are known to be right."""

    pair: Pair
    language: str | None
    texts: tuple[str, ...]


def sampled_errors(
    backbone: LanguageBackbone,
    pairs: Sequence[Pairlike],
    prompt: PromptTemplate,
    *,
    samples: int = 1,
    temperature: float = 1.0,
    seed: int = 0,
    max_new_tokens: int = _MOST_TOKENS,
    corpus: Sequence[Pairlike] | None = None,
    settings: MarkSettings | None = None,
    file: Path | None = None,
    progress: bool = False,
) -> list[Pair]:
    """Let the language model translate each source, and mark what its references do not explain.

    Samples that are empty or do not end are left out; so are those of which references say
    nothing, and what is drawn twice for a source. A source that several pairs have is asked once,
    and all their texts are its references.

    Args:
        backbone: The frozen language model.
        pairs: Correct pairs. Those without a source, and answers in conversations, translate
            nothing and are left out.
        prompt: How a source becomes a prompt, that of its row if it takes columns.
        samples: How many to draw for each source, at least 1.
        temperature: Divides the logits; above 0.
        seed: Of the draws; the same gives the same texts on the same machine.
        max_new_tokens: What is not ended by then counts as endless.
        corpus: Correct pairs whose texts say which words are common; the same pairs by default.
        settings: Thresholds of the marks. By default, words are near in meaning by the rows of the
            model's input embedding: nearer than most pairs of words of the language are.
        file: Where draws are kept (JSON Lines), so that a call that was killed goes on. Draws of
            something else that are there are dropped.
        progress: Whether to show a bar on standard error.

    Returns:
        Samples as pairs with ``errors`` and ``unsure`` parts, in the order of their sources,
        language by language.

    Raises:
        TrainingError: If no pair translates a source.
        ValueError: If ``samples`` or ``temperature`` is out of range.
        OutputError: If the file cannot be written.
    """
    given = as_pairs(pairs)
    asked = _asked(given, prompt)
    if not asked:
        raise TrainingError(
            f"Sampled translations need texts that translate a source, and none of the "
            f"{len(given):,} does. Give parallel text, or ask for no samples."
        )
    drawn = _drawn(
        backbone,
        asked,
        prompt,
        file=file,
        progress=progress,
        samples=samples,
        temperature=temperature,
        seed=seed,
        max_new_tokens=max_new_tokens,
    )
    known = by_language(given if corpus is None else as_pairs(corpus), prompt)
    vectors = WordVectors(backbone)
    markers: dict[str | None, _Marker] = {}
    found: list[Pair] = []
    for one, texts in zip(asked, drawn, strict=True):
        if one.language not in markers:
            own = known.get(one.language, one).texts
            markers[one.language] = _Marker.of(own, vectors, settings)
        marked = [markers[one.language].mark(text, one) for text in dict.fromkeys(texts)]
        found += [
            replace(one.pair, hypothesis=m.text, errors=m.errors, unsure=m.unsure, tags=None)
            for m in marked
            if m.tells
        ]
    logger.info(
        "Of %d sampled translations of %d sources, %d can be told right words from wrong ones in; "
        "%d of them have errors.",
        sum(map(len, drawn)),
        len(asked),
        len(found),
        sum(bool(pair.errors) for pair in found),
    )
    return found


def common_words(texts: Iterable[str]) -> tuple[frozenset[str], list[str]]:
    """The words of a language, as marks compare them, that carry little meaning; and the others.

    They are the 150 most frequent ones that are at least one in 1,000 of all words.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        words = TextWords(text)
        compared = folded(words)
        counts.update(word for i, word in enumerate(compared) if words.has_letter(i))
    least = max(_FEW + 1, _COMMON_SHARE * counts.total())
    common = [word for word, count in counts.most_common(_MOST_COMMON) if count >= least]
    return frozenset(common), sorted(counts.keys() - common)


@dataclass(frozen=True, slots=True)
class _Marker:
    """What is known of a language when its texts are marked."""

    common: frozenset[str]
    vectors: WordVectors
    settings: MarkSettings

    @classmethod
    def of(
        cls, texts: Iterable[str], vectors: WordVectors, settings: MarkSettings | None
    ) -> "_Marker":
        common, others = common_words(texts)
        if settings is None:
            near = vectors.usual(others, share=_USUAL)
            settings = MarkSettings() if near is None else MarkSettings(near=near)
        return cls(common, vectors, settings)

    def mark(self, text: str, of: _Asked) -> MarkedText:
        return mark_machine_errors(
            text,
            of.texts,
            source=of.pair.source,
            common=self.common,
            similarity=self.vectors.similarity,
            settings=self.settings,
        )


def _asked(pairs: Sequence[Pair], prompt: PromptTemplate) -> list[_Asked]:
    """Each source that is translated, once for all that its prompt may be."""
    texts: defaultdict[tuple[str | None, str], list[Pair]] = defaultdict(list)
    for language, group in by_language(pairs, prompt).items():
        for pair in group.pairs:
            if (source := translated_source(pair)) is not None:
                columns = [pair.extra.get(column) for column in prompt.columns.values()]
                texts[language, repr((source, columns))].append(pair)
    return [
        _Asked(same[0], language, tuple(pair.hypothesis for pair in same))
        for (language, _), same in texts.items()
    ]


def _drawn(
    backbone: LanguageBackbone,
    asked: Sequence[_Asked],
    prompt: PromptTemplate,
    *,
    file: Path | None,
    progress: bool,
    **draws: Any,
) -> list[list[str]]:
    """Texts of each source that are not empty and come to an end, from the file or the model."""
    # Sources of one length are read together
    order = sorted(range(len(asked)), key=lambda i: (len(asked[i].pair.source or ""), i))
    found: list[list[str]] = []
    wanted = _plan(backbone, asked, prompt, draws)
    with ExitStack() as held:
        kept = None
        if file is not None:
            held.enter_context(naming_output(file))
            file.parent.mkdir(parents=True, exist_ok=True)
            kept = held.enter_context(LineFile(file))
            found = _recovered(kept, wanted)
        advance = held.enter_context(
            progress_bar("Sampling translations", total=len(asked), enabled=progress)
        )
        advance(len(found))
        while len(found) < len(asked):
            # A window has draws of its own, so that it does not matter where a call began
            first = len(found) - len(found) % _WINDOW
            window = [asked[i].pair for i in order[first : first + _WINDOW]]
            texts = draw_hypotheses(
                backbone,
                [pair.source for pair in window],
                prompt,
                rows=[pair.extra for pair in window],
                **{**draws, "seed": draws["seed"] + first},
            )
            # Of a window that a kill cut, some are there
            missing = list(zip(window, texts, strict=True))[len(found) - first :]
            for pair, of_source in missing:
                found.append([one.text for one in of_source if one.whole and one.text])
                if kept is not None:
                    kept.append(json_line({"source": pair.source, "texts": found[-1]}))
            advance(len(missing))
    placed: list[list[str]] = [[] for _ in asked]
    for i, own in zip(order, found, strict=True):
        placed[i] = own
    return placed


def _plan(
    backbone: LanguageBackbone,
    asked: Sequence[_Asked],
    prompt: PromptTemplate,
    draws: Mapping[str, Any],
) -> dict[str, Any]:
    """What draws depend on."""
    columns = tuple(prompt.columns.values())
    sources = [(one.pair.source, [one.pair.extra.get(c) for c in columns]) for one in asked]
    return {
        "backbone": " ".join(model_digests(backbone.model).values()),
        "prompt": prompt.model_dump(),
        "sources": sha256(repr(sources).encode("utf-8", "surrogatepass")).hexdigest(),
        **draws,
    }


def _recovered(kept: LineFile, wanted: Mapping[str, Any]) -> list[list[str]]:
    """Texts that an earlier call left in its file, unless it drew something else."""
    head, *lines = [*kept.recover()] or [b""]
    if head == json_line(wanted):
        return [json.loads(line)["texts"] for line in lines]
    kept.clear()
    kept.append(json_line(wanted))
    return []
