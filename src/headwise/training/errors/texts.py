"""The texts that an error head learns from: correct ones with copies, and marked ones."""

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from headwise.backbones import Backbone, PromptTemplate
from headwise.corruption import ErrorTexts, sampled_errors, with_error_copies
from headwise.corruption.by_language import by_language
from headwise.corruption.error_copies import group_of, mixed_errors
from headwise.corruption.source_edits import translated_source
from headwise.data.readers.nested_rows import as_pairs
from headwise.data.records.error_spans import missing_places
from headwise.data.records.pairs import Pair, Pairlike
from headwise.data.records.token_marks import has_error
from headwise.errors import TrainingError
from headwise.training.errors.settings import ErrorTraining

logger = logging.getLogger(__name__)

# The same dev errors, whatever the seed of the run
_DEV_SEED = 0


def correct_pairs(pairs: Sequence[Pairlike], *, part: str) -> list[Pair]:
    """Pairs of a part without those that people found errors in; a message says how many.

    Raises:
        TrainingError: If no pair is left.
    """
    given = as_pairs(pairs)
    if not pairs:
        raise TrainingError(f"There are no {part} pairs.")
    found = [replace(pair, errors=(), tags=None) for pair in given if not has_error(pair)]
    if not found:
        raise TrainingError(
            f"All {len(given):,} {part} pairs have errors that people marked; give correct pairs "
            "as data, and these as labels."
        )
    if rejected := len(given) - len(found):
        logger.warning(
            "%d %s pairs have errors that people marked and are left out; give them as labels.",
            rejected,
            part,
        )
    return found


def labelled_pairs(pairs: Sequence[Pairlike], *, part: str) -> list[Pair]:
    """Pairs of a part with what people marked as their ``errors``, be it spans or words.

    Raises:
        TrainingError: If nobody looked for the errors of a pair.
    """
    given = as_pairs(pairs)
    found = []
    for index, pair in enumerate(given):
        if pair.errors is None and pair.tags is None:
            place = f"line {pair.line}" if pair.line else f"index {index}"
            raise TrainingError(
                f"The {part} pair at {place} does not say what is wrong in it; labels need "
                "`annotations` or `word_tags`, or MQM rows. Give correct pairs as data."
            )
        if pair.errors is None and pair.tags is not None:
            pair = replace(pair, errors=pair.tags.errors)
        found.append(pair)
    return found


def split_labels(
    pairs: Sequence[Pair], *, dev_share: float, seed: int
) -> tuple[list[Pair], list[Pair]]:
    """Pairs to learn from, and a share of the sources in (0, 1), held out with all their texts.

    Raises:
        TrainingError: If there are fewer than two sources.
    """
    names = [group_of(pair, pair.hypothesis) for pair in pairs]
    sources = list(dict.fromkeys(names))
    if len(sources) < 2:
        raise TrainingError(
            f"There are marked texts of {len(sources)} source, so that none can be held out; give "
            "marked dev texts."
        )
    count = min(len(sources) - 1, max(1, round(dev_share * len(sources))))
    held_out = set(random.Random(seed).sample(sources, count))
    parts: tuple[list[Pair], list[Pair]] = ([], [])
    for pair, name in zip(pairs, names, strict=True):
        parts[name in held_out].append(pair)
    return parts


def gaps_are_marked(pairs: Sequence[Pair]) -> bool:
    """Whether who marked spans also marked gaps: some text without word tags has one."""
    return any(missing_places(pair.errors or ()) for pair in pairs if pair.tags is None)


def error_copies(
    train: Sequence[Pair],
    dev: Sequence[Pair],
    settings: ErrorTraining,
    *,
    backbone: Backbone,
    prompt: PromptTemplate,
    progress: bool,
    folder: Path | None = None,
) -> dict[str, ErrorTexts]:
    """Correct texts of both parts with their copies; those of dev have one error each.

    Behind them come translations that the model draws itself, if the settings ask for any; they
    are kept in the folder.

    Raises:
        TrainingError: If no text allows an error of the mix.
    """
    mix = settings.mix
    parts = {
        "train": (train, mix, settings.seed),
        "dev": (dev, replace(mix, errors_per_text={1: 1.0}), _DEV_SEED),
    }
    # Words that errors bring in come from training texts of the language, in dev as well
    known = by_language(train, prompt)
    found = {}
    for part, (pairs, own, seed) in parts.items():
        made = mixed_errors(
            backbone,
            pairs,
            prompt,
            mix=own,
            seed=seed,
            copies=settings.copies,
            corpora=known,
            progress=progress,
        )
        if not made:
            raise TrainingError(
                f"None of the {len(pairs):,} texts allows an error of the mix; give longer "
                "texts, or other families."
            )
        found[part] = with_error_copies(pairs, made)
    if not settings.sampled:
        return found
    return _with_sampled(
        found,
        train,
        dev,
        settings,
        backbone=backbone,
        prompt=prompt,
        folder=folder,
        progress=progress,
    )


def check_sources(pairs: Sequence[Pair], settings: ErrorTraining, *, part: str) -> None:
    """Refuse to let the model translate what has no source, before anything is read or written.

    Raises:
        TrainingError: If samples are asked for and no pair of the part translates a source.
    """
    if settings.sampled and all(translated_source(pair) is None for pair in pairs):
        raise TrainingError(
            f"Sampled translations (`sampled`, got {settings.sampled}) need {part} pairs that "
            f"translate a source; none of the {len(pairs):,} does. Give parallel text, or 0."
        )


def _with_sampled(
    copies: Mapping[str, ErrorTexts],
    train: Sequence[Pair],
    dev: Sequence[Pair],
    settings: ErrorTraining,
    *,
    backbone: Backbone,
    prompt: PromptTemplate,
    folder: Path | None,
    progress: bool,
) -> dict[str, ErrorTexts]:
    """The texts of both parts with translations that the language model draws of their sources.

    Draws are kept in the folder, where a call that was killed finds them; dev has one a source.
    """
    parts = {"train": (train, settings.sampled, settings.seed), "dev": (dev, 1, _DEV_SEED)}
    return {
        part: copies[part].with_samples(
            sampled_errors(
                backbone,
                pairs,
                prompt,
                samples=samples,
                temperature=settings.sample_temperature,
                seed=seed,
                # What words are common is said by the training texts, for dev as well
                corpus=train,
                file=None if folder is None else folder / f"{part}.jsonl",
                progress=progress,
            )
        )
        for part, (pairs, samples, seed) in parts.items()
    }
