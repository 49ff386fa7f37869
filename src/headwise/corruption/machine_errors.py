"""Which words of a machine's translation its references say are right, or wrong, or neither."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import regex

from headwise.choices import SAMPLED
from headwise.corruption.alignment import Alignment, Nearness, Similarity, folded, is_number
from headwise.corruption.known_texts import folded_words
from headwise.corruption.text_words import TextWords
from headwise.data.records.error_spans import ErrorSpan, Range

# Of scripts that put no spaces between words, the signs; a word has two of them or so
_SIGN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
_SIGN_WEIGHT = 0.5
# A name may have two words
_UNTRANSLATED = 3
# Names in Latin letters stand in texts of all languages
_SCRIPTS = {
    name: regex.compile(rf"\p{{{name}}}")
    for name in (
        *("Arabic", "Armenian", "Bengali", "Cyrillic", "Devanagari", "Georgian", "Greek", "Han"),
        *("Hangul", "Hebrew", "Hiragana", "Katakana", "Tamil", "Thai"),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkSettings:
    """When a word counts as right or as wrong; all others are unsure.

    Attributes:
        alike: Share of pairs of letters from which on a word may be a form of another, or a name
            that is spelled otherwise. Too low a bar for words costs a label, too high a bar a
            right label.
        near: Similarity from which on one word may stand for another. By the static embeddings of
            Gemma 3 270M, one pair of English words in ten reaches 0.3, and translators' synonyms
            0.3 to 0.7; so do words of one kind, as *dog* and *cat*, which stay unsure. With 0.3,
            1.6 % of the words of a second human translation are marked, and 4.8 % of those of a
            poor machine's; with 0.42, 4.7 % and 10.7 %.
        farthest: How far from its partner, as a share of the text, a word that changed places may
            stand and still be right.
        longest_run: So many words that carry meaning, of the text or of the reference, may lack a
            partner in a row; of longer runs it cannot be told which words are wrong.
        least_shared: Share of the words that carry meaning that must have a partner in a reference
            for it to judge the text. With fewer, it is another statement, or another translation.
        least_missing: Words that carry meaning that must be missing in a row to be a gap.
            Translators often leave a single one to the reader.
    """

    alike: float = 0.5
    near: float = 0.3
    farthest: float = 0.35
    longest_run: int = 6
    least_shared: float = 0.2
    least_missing: int = 2


@dataclass(frozen=True, slots=True)
class MarkedText:
    """A text with what references say of its words.

    Attributes:
        text: The text.
        errors: Its wrong words; what is missing has ``start == end``.
        unsure: Words of which nobody knows whether they are right, and, with ``start == end``,
            places of which nobody knows whether something is missing. All else is right.
    """

    text: str
    errors: tuple[ErrorSpan, ...] = ()
    unsure: tuple[Range, ...] = ()

    @property
    def tells(self) -> bool:
        """Whether it is known of any word that it is right, or wrong."""
        known = len("".join(self.text.split())) - sum(end - start for start, end in self.unsure)
        return known > 0


class _Is(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    UNSURE = "unsure"


def mark_machine_errors(
    hypothesis: str,
    references: Sequence[str],
    *,
    source: str | None = None,
    common: Container[str] = (),
    similarity: Similarity | None = None,
    settings: MarkSettings = MarkSettings(),
) -> MarkedText:
    """Mark the words of a machine's translation that no reference explains.

    A word is right if a reference has it in its place. It is wrong if it carries meaning and no
    reference has a word that is equal, spelled alike or near in meaning; also if it is said more
    often than there, written in another script, left in the language of the source, or said again
    at once. All else is unsure: words with little meaning, marks, and what is said in other words.
    A text that shares next to nothing with any reference is unsure as a whole, but for what
    repeats itself, is untranslated or in another script.

    With several references, a word is right if one of them says so, and wrong if all of them do
    that share enough with the text.

    Args:
        hypothesis: The machine's translation.
        references: Correct translations of the same source, at least one.
        source: What it translates: three words of it in a row that no reference has were left as
            they are. Names are less.
        common: Words, case-folded, that carry little meaning: the most frequent of the language.
        similarity: How near in meaning two words are; without it, spelling alone decides.
        settings: Thresholds.

    Raises:
        ValueError: If there is no reference.
    """
    if not references:
        raise ValueError("`references` must hold at least one text, got none.")
    if folded_words(hypothesis) in map(folded_words, references):
        return MarkedText(hypothesis)
    words = TextWords(hypothesis)
    laid = [Alignment(words, TextWords(text), common) for text in references]
    near = Nearness(words, laid, alike=settings.alike, near=settings.near, similarity=similarity)
    judged = [_judged(one, near, settings) for one in laid if one.shared >= settings.least_shared]
    states = [_agreed([of_words[i] for of_words, _ in judged]) for i in range(len(words))]
    gaps = [_agreed([of_gaps[i] for _, of_gaps in judged]) for i in range(len(words) + 1)]
    plainly = {*_said_again(words, laid), *_in_other_scripts(laid), *_left(words, laid, source)}
    for i in plainly:
        states[i] = _Is.WRONG
    places = [*(start for start, _ in words.ranges), len(hypothesis)]
    found = [
        *zip(words.ranges, states, strict=True),
        *zip(((place, place) for place in places), gaps, strict=True),
    ]
    found.sort(key=lambda one: one[0])
    return MarkedText(
        hypothesis,
        tuple(ErrorSpan(*place, category=SAMPLED) for place, state in found if state is _Is.WRONG),
        tuple(place for place, state in found if state is _Is.UNSURE),
    )


def _judged(laid: Alignment, near: Nearness, settings: MarkSettings) -> tuple[list[_Is], list[_Is]]:
    """What one reference says of the W words and of the W + 1 places around them."""
    count = len(laid.words)
    right = {i for i in range(count) if laid.is_in_place(i, settings.farthest)}
    states = [_Is.RIGHT if i in right else _Is.UNSURE for i in range(count)]
    gaps = [_Is.RIGHT] * (count + 1)
    free = set(laid.unpaired)
    for run, of_other in laid.stretches(right):
        odd = [i for i in run if i not in right]
        lost = [j for j in of_other if j in free]
        if lost:
            # Where other words stand, they may stand for those that are lost
            state = _Is.UNSURE if odd else _missing(laid, lost, near, settings)
            gaps[run.start : run.stop + 1] = [state] * (len(run) + 1)
        longest = max(
            _weight(laid.folded, laid.heavy, odd), _weight(laid.of_other, laid.other_heavy, lost)
        )
        if longest <= settings.longest_run:
            for i in odd:
                if laid.heavy[i] and not laid.is_paired(i) and _is_wrong(i, laid, lost, near):
                    states[i] = _Is.WRONG
    return states, gaps


def _is_wrong(index: int, laid: Alignment, lost: Sequence[int], near: Nearness) -> bool:
    """Whether nothing explains a word that carries meaning and has no partner."""
    word, unpaired = laid.folded[index], [laid.of_other[j] for j in laid.unpaired]
    if is_number(word):
        # *3* may stand for *three*, which nobody here can read
        in_words = any(laid.others.has_letter(j) for j in lost)
        return not near.explains(word, ()) and (any(map(is_number, unpaired)) or not in_words)
    if any(is_number(laid.of_other[j]) for j in lost):
        return False
    if not _is_sign(word):
        return not near.explains(word, unpaired)
    # A sign is half a word: if its neighbours are explained, so is the word
    around = [
        laid.folded[i]
        for i in range(max(0, index - 1), min(index + 2, len(laid.words)))
        if _is_sign(laid.folded[i]) and not laid.is_paired(i)
    ]
    return len(around) > 1 and not any(near.explains(sign, unpaired) for sign in around)


def _missing(laid: Alignment, lost: Sequence[int], near: Nearness, settings: MarkSettings) -> _Is:
    """Whether words of the reference that nothing stands for are a gap."""
    own = [word for word in laid.folded if any(map(str.isalnum, word))]
    unsaid = [
        j
        for j in lost
        if laid.other_heavy[j] and not any(near.close(laid.of_other[j], word) for word in own)
    ]
    enough = _weight(laid.of_other, laid.other_heavy, unsaid) >= settings.least_missing
    return _Is.WRONG if enough else _Is.UNSURE


def _agreed(states: Sequence[_Is]) -> _Is:
    """What references say together: one suffices for right, all are needed for wrong."""
    if _Is.RIGHT in states:
        return _Is.RIGHT
    return _Is.WRONG if states and _Is.UNSURE not in states else _Is.UNSURE


def _said_again(words: TextWords, laid: Sequence[Alignment]) -> Iterator[int]:
    """Words that say at once again what was said, where no reference does."""
    own = laid[0].folded
    for length in range(1, len(own) // 2 + 1):
        for start in range(length, len(own) - length + 1):
            again = range(start, start + length)
            said = own[start - length : start] == own[start : start + length]
            if said and any(map(words.is_word, again)):
                yield from (i for i in again if not any(one.is_paired(i) for one in laid))


def _in_other_scripts(laid: Sequence[Alignment]) -> Iterator[int]:
    """Words with letters of a script that no reference has."""
    known = _scripts("".join(one.others.text for one in laid))
    yield from (i for i, word in enumerate(laid[0].folded) if _scripts(word) - known)


def _left(words: TextWords, laid: Sequence[Alignment], source: str | None) -> Iterator[int]:
    """Words that were left untranslated: runs of the source's, marks between them aside."""
    if source is None:
        return
    of_source = set(folded(TextWords(source)))
    run: list[int] = []
    for i, word in enumerate([*laid[0].folded, ""]):
        if word and not words.is_word(i):
            continue
        if word in of_source and word.isalpha() and not any(one.is_paired(i) for one in laid):
            run.append(i)
            continue
        if len(run) >= _UNTRANSLATED:
            yield from run
        run = []


def _scripts(text: str) -> set[str]:
    """Scripts other than Latin that it has letters of."""
    return set() if text.isascii() else {name for name, of in _SCRIPTS.items() if of.search(text)}


def _weight(words: Sequence[str], heavy: Sequence[bool], chosen: Sequence[int]) -> float:
    """How many words that carry meaning are among the chosen ones."""
    return sum(_SIGN_WEIGHT if _is_sign(words[i]) else 1.0 for i in chosen if heavy[i])


def _is_sign(word: str) -> bool:
    return len(word) == 1 and _SIGN.match(word) is not None
