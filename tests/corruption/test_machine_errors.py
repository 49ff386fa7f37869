"""What references say of a machine's translation: right, wrong, unsure, missing."""

import pytest

from headwise.corruption.machine_errors import MarkSettings, mark_machine_errors

COMMON = frozenset(("the", "a", "of", "in", "on", "is", "to", "with", "at", "and", "an"))
REFERENCE = "The dog runs along the beach with an old ball."


def marked(hypothesis: str, *references: str, **options: object) -> str:
    """The text with wrong words in [brackets], unsure ones in {braces}, gaps as [] and {}."""
    found = mark_machine_errors(hypothesis, references, common=COMMON, **options)  # type: ignore[arg-type]
    signs = [(e.start, e.end, "[", "]") for e in found.errors]
    signs += [(start, end, "{", "}") for start, end in found.unsure]
    text = hypothesis
    for start, end, left, right in sorted(signs, reverse=True):
        text = text[:start] + left + text[start:end] + right + text[end:]
    return text


@pytest.mark.parametrize(
    ("hypothesis", "expected"),
    [
        # The very words, letter case and spaces aside
        ("the dog runs along the  beach with an old ball.",) * 2,
        # Another word in a place of its own
        (
            "The dog runs along the theory with an old ball.",
            "The dog runs along the {}[theory] {}with an old ball.",
        ),
        # A form, a name spelled otherwise: it may be right
        (
            "The dogs runs along the beach with an old ball.",
            "{}{The} {}{dogs} {}runs along the beach with an old ball.",
        ),
        # A word too many
        (
            "The dog runs along the muddy beach with an old ball.",
            "The dog runs along the [muddy] beach with an old ball.",
        ),
        # Said twice where the reference says it once: the second time
        (
            "The dog runs along the beach beach with an old ball.",
            "The dog runs along the beach [beach] with an old ball.",
        ),
        (
            "The dog runs along the the beach with an old ball.",
            "The dog runs along the [the] beach with an old ball.",
        ),
        # Words and marks that say little without a partner
        (
            "The dog runs along the beach, at an old ball.",
            "The dog runs along the beach{}{,} {}{at} {}an old ball.",
        ),
        # Out of place: near it is the same word, far from it perhaps another
        (
            "Along the beach the dog runs with an old ball.",
            "Along the beach {the} dog runs with an old ball.",
        ),
        (
            "Ball the dog runs along the beach with an old.",
            "{Ball} the dog runs along the beach with an old.",
        ),
        # A script that no reference has; Latin names are everywhere
        (
            "The dog runs along the пляж with an old ball.",
            "The dog runs along the {}[пляж] {}with an old ball.",
        ),
        # Two words that carry meaning are missing; a single one may be left to the reader
        (
            "The dog runs along the beach with.",
            "The dog runs along the beach with[].",
        ),
        (
            "The dog runs along the beach with an ball.",
            "The dog runs along the beach with an {}ball.",
        ),
    ],
)
def test_words_are_right_wrong_or_unsure(hypothesis: str, expected: str) -> None:
    assert marked(hypothesis, REFERENCE) == expected


@pytest.mark.parametrize(
    ("hypothesis", "reference", "expected"),
    [
        ("He has 3 old dogs.", "He has 5 old dogs.", "He has {}[3] {}old dogs."),
        ("He has 3 old dogs.", "He has three old dogs.", "He has {}{3} {}old dogs."),
        ("He has three old dogs.", "He has 3 old dogs.", "He has {}{three} {}old dogs."),
        ("He has 3 old dogs.", "He has old dogs.", "He has [3] old dogs."),
        ("He has 1,000 old dogs.", "He has 1000 old dogs.", "He has 1,000 old dogs."),
        ("He has 1 000 old dogs.", "He has 1,000 old dogs.", "He has {}{1} {}{000} {}old dogs."),
        ("He has 1.5 old dogs.", "He has 15 old dogs.", "He has {}[1.5] {}old dogs."),
    ],
)
def test_numbers(hypothesis: str, reference: str, expected: str) -> None:
    assert marked(hypothesis, reference) == expected


def test_what_is_left_in_the_language_of_the_source_is_wrong() -> None:
    source = "Der alte Hund läuft am Strand, mit John Duns Scotus."
    reference = "The old dog runs on the beach, with John Duns Scotus."
    left = "The old Hund läuft am Strand, with John Duns Scotus."
    found = mark_machine_errors(left, [reference], source=source, common=COMMON)
    words = [left[e.start : e.end] for e in found.errors]
    assert words == ["Hund", "läuft", "am", "Strand"]
    # Two words may be a name that the reference writes in another way
    two = mark_machine_errors("Hund läuft.", [reference], source=source, common=COMMON)
    assert two.errors == ()


def test_short_forms_of_common_words_say_little() -> None:
    common = {*COMMON, "i"}
    found = mark_machine_errors(
        "I'm an old man\u2019s dog.", ["I am an old man's dog."], common=common
    )
    assert (found.errors, found.unsure[:2]) == ((), ((0, 0), (0, 3)))


def test_a_synonym_is_unsure_where_somebody_knows_it() -> None:
    hypothesis, reference = "An old quarrel ended here.", "An old fight ended here."

    def similarity(word: str, other: str) -> float:
        return 0.9 if {word, other} == {"quarrel", "fight"} else 0.0

    assert marked(hypothesis, reference) == "An old {}[quarrel] {}ended here."
    known = marked(hypothesis, reference, similarity=similarity)
    assert known == "An old {}{quarrel} {}ended here."


def test_of_several_references_one_says_right_and_all_say_wrong() -> None:
    references = ("An old fight ended here.", "An old quarrel stopped here.")
    assert marked("An old quarrel ended here.", *references) == "An old quarrel {}ended here."
    wrong = marked("An old river ended here.", *references)
    assert wrong == "An old {}[river] {}ended here."
    # The second of equal words belongs to whoever has two of them
    twice = marked("An old old fight ended here.", references[0], "An old, old fight ended here.")
    assert twice == "An old old fight ended here."


def test_chinese_is_read_sign_by_sign() -> None:
    reference = "那只狗在海滩上跑。"
    assert marked("那只狗在电影上跑。", reference) == "那只狗在{}[电]{}[影]{}上跑。"
    # One sign of a word is shared: it may be another word for it
    assert marked("那只狗在海边上跑。", reference) == "那只狗在海{}{边}{}上跑。"


def test_a_text_that_shares_next_to_nothing_is_unsure() -> None:
    hypothesis = "Nobody believes that story any more."
    found = mark_machine_errors(hypothesis, [REFERENCE], common=COMMON)
    assert (found.errors, found.tells) == ((), False)
    # What says the same again and again is plainly broken
    broken = marked("My story, my story, my story", REFERENCE)
    assert broken.count("[story]") == 2
    assert broken.startswith("{}{My} {}{story}")


def test_a_long_run_of_other_words_is_unsure() -> None:
    hypothesis = "The dog runs and nobody sees why it with an old ball."
    short, long = (
        mark_machine_errors(
            hypothesis, [REFERENCE], common=COMMON, settings=MarkSettings(longest_run=longest)
        )
        for longest in (9, 2)
    )
    assert {e.category for e in short.errors} == {"sampled"}
    assert [hypothesis[e.start : e.end] for e in short.errors] == ["nobody", "sees", "why", "it"]
    assert long.errors == ()
    assert long.tells


def test_nothing_can_be_said_without_a_reference() -> None:
    with pytest.raises(ValueError, match="at least one text"):
        mark_machine_errors("A dog.", [])
