"""Placeholders and tags are found, what only looks like them is not, and neither takes long."""

import time

import pytest

from headwise.data.records.words import placeholder_ranges, word_ranges


def found(text: str) -> list[str]:
    return [text[a:b] for a, b in placeholder_ranges(text)]


@pytest.mark.parametrize(
    ("text", "placeholders"),
    [
        ("%1$s Dateien in {name}", ["%1$s", "{name}"]),
        ("${x}, {{y}} und {{ y | upper }}", ["${x}", "{{y}}", "{{ y | upper }}"]),
        ("%d von %(n)s, %.2f %5d %@ %lld", ["%d", "%(n)s", "%.2f", "%5d", "%@", "%lld"]),
        ("%dx%d Pixel, %dpx", ["%d", "%d", "%d"]),
        ("<b>fett</b>&nbsp;gut &#160;", ["<b>", "</b>", "&nbsp;", "&#160;"]),
        ('<a href="x y" class=z>hier</a><br/>', ['<a href="x y" class=z>', "</a>", "<br/>"]),
        ("<0>hier</0> <x id='1'/> <!-- k -->", ["<0>", "</0>", "<x id='1'/>", "<!-- k -->"]),
        (
            "{0:.2f} {} { name } %{x} #{x} $t(a.b)",
            ["{0:.2f}", "{}", "{ name }", "%{x}", "#{x}", "$t(a.b)"],
        ),
        ("{% if x %}ja{% endif %}", ["{% if x %}", "{% endif %}"]),
        (
            "{n, plural, one {# Datei} other {# Dateien}}",
            ["{n, plural, one {", "} other {", "}}"],
        ),
        ("%PATH% und __NAME__", ["%PATH%", "__NAME__"]),
        (r"Zeile\nZeile\t1 \r\n", [r"\n", r"\t", r"\r", r"\n"]),
        (r"C:\neu\readme und 1\2", []),
        ("100%ige 100 %ige, 5 % der 50% des Geldes", []),
        ("a < b und c > d, ich <3 dich>", []),
        ("$5 und US$ 7, Müller & Söhne; __wichtig__", []),
        ("{siehe dort} und [1]", []),
    ],
)
def test_placeholders(text: str, placeholders: list[str]) -> None:
    assert found(text) == placeholders


def test_words_are_what_is_left() -> None:
    text = "<b>Zwei</b>&nbsp;{n}s von %dpx"
    assert [text[a:b] for a, b in word_ranges(text)] == ["Zwei", "s", "von", "px"]


@pytest.mark.parametrize(
    "text",
    ["<a b=x" + " b=x" * 20_000, "{" * 50_000, "<a" + " " * 50_000, "[b=" * 20_000, "%(" * 20_000],
)
def test_hostile_text_is_read_in_linear_time(text: str) -> None:
    before = time.process_time()
    placeholder_ranges(text)
    assert time.process_time() - before < 2.0
