"""Errors that the language model itself finds possible: words it would write, but rarely."""

import random
from collections.abc import Sequence

from headwise.backbones import EncodedPair, LanguageBackbone, PromptTemplate
from headwise.corruption.changes import Change, apply_changes
from headwise.corruption.families import Corruption, ErrorFamily
from headwise.corruption.known_texts import KnownTranslations, pair_generator
from headwise.corruption.text_words import TextWords
from headwise.corruption.unlikely_words import TokenTexts, WordPlace, is_one_word, unlikely_words
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
) -> list[Corruption]:
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
    changes = plausible_changes(
        backbone,
        pairs,
        prompt,
        generators=[pair_generator(seed, index) for index in range(len(pairs))],
        known=KnownTranslations(pairs),
        batch_tokens=batch_tokens,
    )
    return [
        Corruption.of(pair, (change,), [ErrorFamily.PLAUSIBLE])
        for pair, change in zip(pairs, changes, strict=True)
        if change is not None
    ]


def plausible_changes(
    backbone: LanguageBackbone,
    pairs: Sequence[Pair],
    prompt: PromptTemplate,
    *,
    generators: Sequence[random.Random],
    known: KnownTranslations,
    batch_tokens: int = 4096,
) -> list[Change | None]:
    """Find what `plausible_errors` puts in, with randomness and known translations from outside.

    ``None`` stands for a pair whose hypothesis cannot be encoded or allows no change.
    """
    backbone.check_prompt(prompt)
    texts = TokenTexts(backbone.tokenizer)
    words = [TextWords(pair.hypothesis) for pair in pairs]
    untried: dict[int, list[tuple[int, WordPlace]]] = {}
    texts_of_pairs = [(pair.given, pair.hypothesis) for pair in pairs]
    encoded = backbone.encode(texts_of_pairs, prompt, rows=[pair.extra for pair in pairs])
    for index, code in enumerate(encoded):
        if isinstance(code, EncodedPair):
            places = _word_places(code, words[index])
            untried[index] = generators[index].sample(places, min(len(places), _MAX_ATTEMPTS))

    found: dict[int, Change] = {}
    while untried := {i: places for i, places in untried.items() if places and i not in found}:
        tried = {index: places.pop() for index, places in untried.items()}
        drawn = unlikely_words(
            backbone,
            [place for _, place in tried.values()],
            [generators[index] for index in tried],
            texts,
            batch_tokens=batch_tokens,
        )
        made: dict[int, tuple[Change, tuple[int, ...]]] = {}
        for (index, (at, place)), tokens in zip(tried.items(), drawn, strict=True):
            word = texts.of(tokens or ()).lstrip()
            refused = known.other_words(pairs[index]) | {words[index][at].casefold()}
            if tokens is None or not is_one_word(word) or word.casefold() in refused:
                continue
            change = words[index].with_other(at, word)
            made[index] = (change, place.encoded.targets[: place.position] + tokens)
        changed = [
            (pairs[index].given, apply_changes(pairs[index].hypothesis, [change])[0])
            for index, (change, _) in made.items()
        ]
        codes = backbone.encode(changed, prompt, rows=[pairs[index].extra for index in made])
        for (index, (change, expected)), code in zip(made.items(), codes, strict=True):
            # A tokeniser may part the new text otherwise than the model wrote it
            if isinstance(code, EncodedPair) and code.targets[: len(expected)] == expected:
                found[index] = change
    return [found.get(index) for index in range(len(pairs))]


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
