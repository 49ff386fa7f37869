"""The scale of all signals, and the gaps that views mark."""

import dataclasses
import math

import pytest

from headwise.data.records.scored_pieces import gap_threshold
from headwise.data.records.signals import Signal
from headwise.report.scored_text.display import (
    all_gaps,
    check_threshold,
    gaps_to_check,
    no_error_share,
    scale_description,
    words_to_check,
)


@pytest.mark.parametrize(
    ("signal", "value", "expected"),
    [
        ("quality", 0.25, 0.25),
        ("error", 0.9, 0.1),
        ("error", 0.0, 1.0),
        ("omission", 0.75, 0.25),
        ("entropy", math.log(4), 0.25),
        ("rank", 4, 0.25),
        ("error", math.nan, None),
        ("omission", None, None),
    ],
)
def test_one_scale_for_all_signals(signal, value, expected):
    assert Signal(signal).confidence(value) == expected


@pytest.mark.parametrize("signal", Signal)
def test_every_scale_is_described(signal):
    shown_as_it_is = signal.confidence(0.3) == 0.3
    assert ("shown as" in scale_description(signal)) is not shown_as_it_is


def test_a_wrong_threshold_names_every_map():
    with pytest.raises(ValueError, match="error and omission as 1 - x"):
        check_threshold(1.2)


def test_words_with_a_probable_error_are_to_be_checked(make_scored):
    scored = make_scored(
        None, "gut schlecht", ("gut", 0.1), ("schl", 0.2), ("echt", 0.9), signals="error"
    )

    ((word, level),) = words_to_check(scored, 0.5, Signal.ERROR)

    assert (word.text, level) == ("schlecht", 0.1)


@pytest.fixture
def gappy(make_scored):
    return make_scored(
        None,
        "Ein Hund am Strandkorb.",
        ("Ein", (0.99, 0.01)),
        (" Hund", (0.99, 0.93)),
        (" am", (0.9, 0.0)),
        (" Strand", (0.9, 0.3)),
        ("korb", (0.2, 0.02)),
        (".", (0.9, 0.61)),
        signals="quality,omission",
    )


def test_a_gap_stands_in_front_of_the_next_word(gappy):
    assert [(gap.place, gap.omission, gap.where) for gap in all_gaps(gappy)] == [
        (4, 0.01, "before “Hund”"),
        (9, 0.93, "before “am”"),
        (18, 0.3, "in “Strandkorb”"),
        (22, 0.02, "before “.”"),
        (23, 0.61, "at the end"),
    ]
    assert [gappy.hypothesis[gap.place :][:2] for gap in all_gaps(gappy)][:2] == ["Hu", "am"]


def test_a_gap_in_front_of_the_text(gappy):
    scored = dataclasses.replace(gappy, opening_omission=0.8)

    assert [(gap.place, gap.where) for gap in gaps_to_check(scored, 0.5, Signal.QUALITY)] == [
        (0, "before “Ein”"),
        (9, "before “am”"),
        (23, "at the end"),
    ]


def test_a_gap_divides_no_character(make_scored):
    text = "Abend 👩\u200d🚀!"
    scored = make_scored(
        None,
        *(
            text,
            ("Abend", (0.9, 0.1)),
            ("👩", (0.9, 0.8)),
            ("\u200d🚀", (0.9, 0.2)),
            ("!", (0.9, 0.1)),
        ),
        signals="quality,omission",
    )

    assert [(gap.place, gap.omission) for gap in all_gaps(scored)] == [
        (6, 0.1),
        (9, 0.8),
        (10, 0.1),
    ]


def test_a_threshold_on_the_error_head_holds_for_gaps(gappy):
    def places(threshold, signal):
        return [gap.place for gap in gaps_to_check(gappy, threshold, signal)]

    assert places(0.2, Signal.ERROR) == [9]
    assert places(0.8, Signal.OMISSION) == [9, 18, 23]
    # The calibrated probability of a token says nothing about gaps
    assert places(0.2, Signal.QUALITY) == places(0.95, Signal.QUALITY) == [9, 23]
    assert gap_threshold(0.95, Signal.QUALITY) == 0.5


def test_without_omissions_there_are_no_gaps(examples):
    assert all(all_gaps(scored) == [] for scored in examples)


@pytest.mark.parametrize(
    ("quality", "shown"),
    [(None, None), (0.2, "20%"), (0.99, "99%"), (0.9999, ">99%"), (0.0001, "<1%")],
)
def test_the_share_of_texts_without_error_is_never_certain(examples, quality, shown):
    assert no_error_share(dataclasses.replace(examples[0], quality=quality)) == shown


@pytest.mark.parametrize("signal", [one for one in Signal if one.is_probability])
def test_the_confidence_of_a_probability_is_that_of_being_right(signal):
    values = (0.0, 0.25, 1.0)
    assert [signal.confidence(v) for v in values] == [signal.oriented(v) for v in values]
