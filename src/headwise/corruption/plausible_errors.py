"""Errors that the language model itself finds possible: words it would write, but rarely."""

import random
from collections.abc import Sequence

from headwise.backbones import EncodedPair, LanguageBackbone, PromptTemplate
from headwise.corruption.families import CorruptedPair, ErrorKind
from headwise.corruption.known_translations import KnownTranslations, pair_generator
from headwise.corruption.text_words import TextWords
from headwise.corruption.token_texts import TokenTexts, is_one_word
from headwise.corruption.unlikely_words import WordPlace, unlikely_words
from headwise.data.records.pairs import Pair

# Words to try in a hypothesis; nearly all errors succeed at one of the first two
_MAX_ATTEMPTS = 8


def plausible_errors(
    backbone: LanguageBackbone,
    pairs: Sequence[Pair],
    prompt: PromptTemplate,
    *,
    seed: int,
    batch_tokens: int = 4096,
) -> list[CorruptedPair]:
    """Replace one word of each hypothesis by an unlikely one of the language model's own.

    At the first token of a random word, a token is drawn in proportion to its probability out of
    those that begin a word, rank 15th to 150th, stay below a probability of 0.01 and do not
    dominate; greedy decoding completes it. The result counts if it is another word than before,
    stands in no other translation that the pairs hold for the source, and if the new hypothesis
    is tokenised into the very tokens that were drawn. Otherwise another word is tried.

    Args:
        backbone: The frozen language model.
        pairs: Correct pairs.
        prompt: How a source becomes a prompt.
        seed: The same seed gives a pair at the same index the same error, whatever the batches
            are, up to rounding in the model.
        batch_tokens: Bound on the padded tokens of a batch.

    Returns:
        One corrupted pair a pair, in order; pairs that cannot be encoded or allow no error are
        left out.

    Raises:
        PromptError: If the prompt does not fit the backbone.
    """
    made = plausible_copies(
        backbone,
        pairs,
        prompt,
        generators=[pair_generator(seed, index) for index in range(len(pairs))],
        known=KnownTranslations(pairs),
        batch_tokens=batch_tokens,
    )
    return [pair for pair in made if pair is not None]


def plausible_copies(
    backbone: LanguageBackbone,
    pairs: Sequence[Pair],
    prompt: PromptTemplate,
    *,
    generators: Sequence[random.Random],
    known: KnownTranslations,
    batch_tokens: int = 4096,
) -> list[CorruptedPair | None]:
    """Do what `plausible_errors` does, with randomness and known translations from outside.

    Args:
        backbone: The frozen language model.
        pairs: Correct pairs; one may occur several times.
        prompt: How a source becomes a prompt.
        generators: Source of randomness of each pair.
        known: What no error may turn a text into, or take words from.
        batch_tokens: Bound on the padded tokens of a batch.

    Returns:
        For each pair a copy with an error, ``None`` if it cannot be encoded or allows none.

    Raises:
        PromptError: If the prompt does not fit the backbone.
    """
    backbone.check_prompt(prompt)
    texts = TokenTexts(backbone.tokenizer)
    words = [TextWords(pair.hypothesis) for pair in pairs]
    untried: dict[int, list[tuple[int, WordPlace]]] = {}
    encoded = backbone.encode([(pair.given, pair.hypothesis) for pair in pairs], prompt)
    for index, code in enumerate(encoded):
        if isinstance(code, EncodedPair):
            places = _word_places(code, words[index])
            untried[index] = generators[index].sample(places, min(len(places), _MAX_ATTEMPTS))

    corrupted: dict[int, CorruptedPair] = {}
    while untried := {i: places for i, places in untried.items() if places and i not in corrupted}:
        tried = {index: places.pop() for index, places in untried.items()}
        drawn = unlikely_words(
            backbone,
            [place for _, place in tried.values()],
            [generators[index] for index in tried],
            texts,
            batch_tokens=batch_tokens,
        )
        made: list[tuple[int, CorruptedPair, tuple[int, ...]]] = []
        for (index, (at, place)), tokens in zip(tried.items(), drawn, strict=True):
            word = texts.of(tokens or ()).lstrip()
            refused = known.other_words(pairs[index]) | {words[index][at].casefold()}
            if tokens is None or not is_one_word(word) or word.casefold() in refused:
                continue
            pair = CorruptedPair.of(
                pairs[index], words[index].with_other(at, word), ErrorKind.PLAUSIBLE
            )
            made.append((index, pair, place.encoded.targets[: place.position] + tokens))
        marked = [pair.marked() for _, pair, _ in made]
        codes = backbone.encode([(pair.given, pair.hypothesis) for pair in marked], prompt)
        for (index, pair, expected), code in zip(made, codes, strict=True):
            if isinstance(code, EncodedPair) and code.targets[: len(expected)] == expected:
                corrupted[index] = pair
    return [corrupted.get(index) for index in range(len(pairs))]


def _word_places(encoded: EncodedPair, words: TextWords) -> list[tuple[int, WordPlace]]:
    """Words of letters, by index, that begin where a token does."""
    starting: dict[int, int] = {}
    reached = 0
    for position, (start, end) in enumerate(encoded.ranges):
        if start >= reached:
            starting.setdefault(start, position)
        reached = max(reached, end)
    return [
        (index, WordPlace(encoded, starting[start]))
        for index, (start, _) in enumerate(words.ranges)
        if start in starting and words.has_letter(index)
    ]
