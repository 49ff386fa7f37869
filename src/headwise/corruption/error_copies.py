"""The texts that an error head learns from: correct ones with copies, and marked ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from headwise.backbones import Backbone, PromptTemplate
from headwise.corruption import CorruptionMix, corrupt
from headwise.data.records.pairs import Pair
from headwise.errors import TrainingError


@dataclass(frozen=True, slots=True)
class ErrorTexts:
    """Texts whose errors are known.

    Attributes:
        pairs: Pairs with ``errors``, ``()`` where there are none.
        families: What kind of error each has, ``None`` for none.
        groups: What each is a version of: its source, or the correct text where there is none.
    """

    pairs: tuple[Pair, ...]
    families: tuple[str | None, ...]
    groups: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """How many texts have errors of each family, by name."""
        return dict(sorted(Counter(one for one in self.families if one is not None).items()))


def with_error_copies(
    pairs: Sequence[Pair],
    *,
    mix: CorruptionMix,
    seed: int,
    copies: int,
    corpus: Sequence[str],
    backbone: Backbone,
    prompt: PromptTemplate,
    progress: bool = False,
) -> ErrorTexts:
    """Correct pairs, and after them their copies with errors.

    Raises:
        TrainingError: If no text allows any error, or no family can be made.
    """
    made = corrupt(
        pairs,
        mix=mix,
        seed=seed,
        copies=copies,
        corpus=corpus,
        backbone=backbone,
        prompt=prompt,
        progress=progress,
    )
    if not made:
        raise TrainingError(
            f"None of the {len(pairs):,} texts allows an error of the mix; give longer texts, or "
            "other families."
        )
    return ErrorTexts(
        (*pairs, *(corruption.pair for corruption in made)),
        (*(None for _ in pairs), *(corruption.family.value for corruption in made)),
        (
            *(group_of(pair, pair.hypothesis) for pair in pairs),
            *(group_of(corruption.pair, corruption.original) for corruption in made),
        ),
    )


def group_of(pair: Pair, text: str) -> str:
    """What a text is a version of: its source or conversation, or itself if it has none."""
    return text if pair.given is None else repr(pair.given)
