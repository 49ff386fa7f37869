import math

import pytest

from headwise.report.text import decimals_for, interval, number, p_value, setting, single


@pytest.mark.parametrize(
    ("values", "decimals"),
    [
        ([], 3),
        ([None], 3),
        ([0.0], 3),
        ([0.883, None, -0.2], 3),
        ([-9.99], 3),
        ([0.01], 3),
        ([0.00123], 5),
        ([1e-30], 6),
        ([10.0, 0.1], 2),
        ([99.9], 1),
        ([12345.6], 0),
        ([12345.6, 0.5], 2),
        ([12345.6, 10.5], 0),
        ([math.inf, 0.5], 3),
    ],
)
def test_a_column_has_three_significant_digits(values, decimals):
    assert decimals_for(values) == decimals


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.8834, "0.883"),
        (-0.5, "\N{MINUS SIGN}0.500"),
        (-0.0001, "0.000"),
        (-0.0, "0.000"),
        (999.9999, "1,000.000"),
        (1234.5, "1,234.50"),
        (-123456.7, "\N{MINUS SIGN}123,457"),
        (9_999_999.0, "9,999,999"),
        (-31_415_926.5, "\N{MINUS SIGN}3.1e7"),
        (None, "\N{EN DASH}"),
        (math.nan, "\N{EN DASH}"),
        (math.inf, "∞"),
        (-math.inf, "\N{MINUS SIGN}∞"),
    ],
)
def test_numbers(value, shown):
    assert number(value) == shown


def test_an_interval_needs_both_ends():
    assert interval(-0.1, 0.25, 2) == "[\N{MINUS SIGN}0.10, 0.25]"
    assert interval(-0.1, 98765.4321) == "[\N{MINUS SIGN}0.100, 98,765.4]"
    assert interval(None, 0.2) is None
    assert interval(0.1, None) is None


def test_p_values():
    assert p_value(0.0321) == "p = 0.032"
    assert p_value(0.00099) == "p < 0.001"
    assert p_value(1.0) == "p = 1.000"
    assert p_value(None) == p_value(math.nan) == "p undefined"


def test_settings():
    assert [setting(v) for v in (True, False, 1000, 12345, 0.05, 1e-7, "a b")] == [
        "yes",
        "no",
        "1000",
        "12,345",
        "0.05",
        "1e-07",
        "a b",
    ]


def test_single_numbers():
    assert [single(v) for v in (1.0, -3.0, 0.58333, 1234.56, math.inf)] == [
        "1",
        "\N{MINUS SIGN}3",
        "0.583",
        "1,234.6",
        "∞",
    ]
