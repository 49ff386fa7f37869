"""What counts as the same output."""

import pytest
from shown_output import is_shown


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("score 0.95", "score 0.9478"),
        ("2.1e-05 s", "2.1379e-05 s"),
        ("a  table\n of   cells", "a table of cells\n"),
        ("first\n...\nlast 3", "first\n1\n2\nlast 3"),
        ('{"id": "chatcmpl-...", "score": 0.908}', '{"id": "chatcmpl-9f", "score": 0.90809}'),
        ("[0.035, 0.009, ...", "[0.03536, 0.00873, 0.5, 1]"),
        ("... rows", "12 rows"),
        ("a ... a b", "a a a b"),
    ],
)
def test_the_same(shown: str, printed: str) -> None:
    assert is_shown(shown, printed)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("score 0.95", "score 0.9438"),
        ("score 0.95", "score 0.96"),
        ("score 0.950", "score 0.95"),
        ("12 rows", "12.4 rows"),
        ("12 rows", "13 rows"),
        ("-0.5", "0.5"),
        ("v2e7", "v3e7"),
        ("one two", "onetwo"),
        ("first ...", "second"),
        ("... last", "last one"),
    ],
)
def test_another(shown: str, printed: str) -> None:
    assert not is_shown(shown, printed)
