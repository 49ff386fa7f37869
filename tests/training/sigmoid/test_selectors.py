import pytest

from headwise.functional import EpsilonCut, EtaCut, LargestDrop, MinP, TopK, TopP
from headwise.training.sigmoid.selectors import SELECTORS, format_selector, parse_selector


@pytest.mark.parametrize(
    "selector",
    [None, LargestDrop(), LargestDrop(0.5, 0.01), EpsilonCut(), EtaCut(), TopK(7), TopP(), MinP()],
)
def test_round_trip(selector: object) -> None:
    assert parse_selector(format_selector(selector)) == selector


def test_names_alone_have_defaults() -> None:
    assert [parse_selector(name) for name in SELECTORS] == [kind() for kind in SELECTORS.values()]
    assert parse_selector("largest-drop:jump=0.4") == LargestDrop(jump=0.4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nucleus", "choose from"),
        ("none:k=3", "choose from"),
        ("top-k:p=3", "it has k"),
        ("top-k:k=many", "must be a number"),
        ("top-k:k=2.5", "must be a number"),
        ("top-k:k", "must be a number"),
    ],
)
def test_what_is_no_selector_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_selector(text)
