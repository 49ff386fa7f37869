"""The terminal view, with colour and without."""

import dataclasses
import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from headwise.report.scored_text.terminal import render_legend, render_scored, render_table


def _console(width=80, colour=None, **options):
    return Console(
        width=width,
        file=io.StringIO(),
        force_terminal=colour is not None,
        color_system=colour,
        legacy_windows=False,
        **options,
    )


def _printed(renderable, console):
    console.print(renderable)
    return console.file.getvalue()


def _lines(renderable, **options):
    return [line.rstrip() for line in _printed(renderable, _console(**options)).splitlines()]


def test_without_colour_carets_stand_under_the_words_to_check(examples):
    assert _lines(render_scored(examples[0])) == [
        "sigmoid 0.85  softmax 0.73  entropy 0.63  rank 1.73",
        "  A dog runs along the beach near the old harbour.",
        "  Ein Hund läuft am Strandkorb in der Nähe des alten Hafens entlang.",
        "                    ^^^^^^^^^^                              ^^^^^^^",
        "  to check: Strandkorb 0.06 (korb: ∅ 71%, entlang 18%), entlang 0.38 (. 64%,",
        "  vorbei 13%)",
    ]


def test_carets_follow_the_text_onto_the_next_line(examples):
    lines = _lines(render_scored(examples[0]), width=40)

    assert lines[4:8] == [
        "  Ein Hund läuft am Strandkorb in der",
        "                    ^^^^^^^^^^",
        "  Nähe des alten Hafens entlang.",
        "                        ^^^^^^^",
    ]


def test_carets_are_as_wide_as_wide_characters(examples, make_scored):
    chinese = _lines(render_scored(examples[4]))
    assert chinese[2:4] == ["  会议七点开始。", "      ^^"]

    emoji = make_scored(None, "Oh 👩\u200d🚀 ja", ("Oh", 0.9), ("👩\u200d🚀", 0.9), ("ja", 0.1))
    line, marks = _lines(render_scored(emoji))[1:3]
    assert len(marks) == cell_len(line)
    assert marks.count("^") == 2


def test_a_long_chinese_line_wraps_and_keeps_its_carets(make_scored):
    text = "会议七点开始" * 4
    scored = make_scored(None, text, *((char, 0.1 if char == "七" else 0.9) for char in text))

    lines = _lines(render_scored(scored), width=22)

    assert lines[1:3] == ["  会议七点开始会议七点", "      ^^          ^^"]
    assert all(cell_len(line) <= 22 for line in lines)


def test_right_to_left_text_gets_no_carets_but_its_list(examples):
    lines = _lines(render_scored(examples[3]))

    assert not any("^" in line for line in lines)
    assert lines[-1] == "  to check: السابعة 0.08 (التاسعة 91%, الثامنة 3%)"


def test_with_colour_words_to_check_are_also_underlined(examples):
    output = _printed(render_scored(examples[0]), _console(colour="truecolor"))

    assert re.search(r"\x1b\[1;4;[\d;]*m[^\x1b]*Strandkorb", output)
    assert "^" not in output
    assert "38;2;31;35;40;48;2;238;138;60" in output


@pytest.mark.parametrize("colour", ["standard", "256", "truecolor"])
def test_no_color_gives_carets(examples, colour):
    output = _printed(render_scored(examples[0]), _console(colour=colour, no_color=True))

    assert "^^^^^^^^^^" in output
    assert not re.search(r"\x1b\[[\d;]*(3|4)8;", output)


def test_sixteen_colours_use_ink_that_can_be_read(examples):
    output = _printed(render_scored(examples[0]), _console(colour="standard"))

    assert "\x1b[1;4;30;43mStrandkorb" in output
    assert "48;" not in output


def test_text_is_neither_markup_nor_steers_the_terminal(make_scored):
    text = "[bold]fett[/bold] :smile: \x1b[31mrot\x07 \x9b0m"
    scored = make_scored(text, text, (text, 0.1, [("\x1b]0;title\x07", 0.9)]))

    output = _printed(render_scored(scored), _console(width=120))

    assert "[bold]fett[/bold] :smile: ␛[31mrot␇ \ufffd0m" in output
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", output)


def test_sentences_without_source_tokens_or_alternatives(make_scored):
    assert _lines(render_scored(make_scored(None, ""))) == ["sigmoid -"]
    plain = make_scored(None, "Ein Hnud", ("Ein", 0.9), ("Hnud", 0.2))
    assert _lines(render_scored(plain)) == [
        "sigmoid 0.55",
        "  Ein Hnud",
        "      ^^^^",
        "  to check: Hnud 0.20",
    ]


def test_the_threshold_is_applied_to_mapped_values(make_scored):
    scored = make_scored(None, "gut schlecht", ("gut", 1), ("schlecht", 4), signals="rank")

    assert _lines(render_scored(scored))[-1] == "  to check: schlecht 0.25"
    assert _lines(render_scored(scored, threshold=0.2))[-1] == "  gut schlecht"
    with pytest.raises(ValueError, match="threshold"):
        render_scored(scored, threshold=4)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_table_fits_its_console(examples, width):
    lines = _lines(render_table(examples, title="Zwölf [Sätze]"), width=width)

    assert all(cell_len(line) <= width for line in lines)
    assert "Zwölf [Sätze]" in lines[0]
    text = " ".join(lines)
    for expected in ("0.85 sigmoid", "0.73 softmax", "Strandkorb 0.06", "Söhne 0.47"):
        assert expected in text


def test_table_of_nothing(make_scored):
    assert _lines(render_table([]))[1].split() == ["#", "score", "text", "to", "check"]
    assert "- sigmoid" in " ".join(_lines(render_table([make_scored("Nobody.", "")])))


def test_legend_says_how_words_are_marked():
    assert "have ^ under them" in " ".join(_lines(render_legend("sigmoid")))
    of_table = " ".join(_lines(render_legend("sigmoid", table=True)))
    assert "are listed to check" in of_table
    assert "are underlined" in _printed(render_legend("rank"), _console(colour="256", width=200))


@pytest.fixture
def gappy(make_scored):
    return make_scored(
        "A dog runs on the beach.",
        "Ein Hund am Strandkorb.",
        ("Ein", (0.98, 0.01)),
        ("Hund", (0.97, 0.93)),
        ("am", (0.9, 0.02)),
        ("Strandkorb", (0.06, 0.02)),
        (".", (0.96, 0.7)),
        signals="quality,omission",
    )


def test_gaps_are_marked_and_named(gappy):
    assert _lines(render_scored(gappy)) == [
        "quality 0.77  omission 0.34",
        "  A dog runs on the beach.",
        "  Ein Hund ‸am Strandkorb.‸",
        "               ^^^^^^^^^^",
        "  to check: Strandkorb 0.06",
        "  something missing ‸: before “am” 0.93, at the end 0.70",
    ]


def test_a_gap_in_front_of_the_text(gappy):
    scored = dataclasses.replace(gappy, opening_omission=0.9)

    assert _lines(render_scored(scored))[2] == "  ‸Ein Hund ‸am Strandkorb.‸"


def test_only_the_mark_of_a_gap_takes_its_colour(gappy):
    output = _printed(render_scored(gappy), _console(colour="truecolor"))

    assert re.search(r"Ein Hund \x1b\[1;38;2;31;35;40;48;2;238;138;60m‸\x1b\[0mam ", output)


@pytest.mark.parametrize("width", [40, 80])
def test_gaps_in_the_table(gappy, width):
    lines = _lines(render_table([gappy]), width=width)

    assert all(cell_len(line) <= width for line in lines)
    text = " ".join(" ".join(lines).split())
    assert "‸ before “am” 0.93" in text
    assert "Strandkorb 0.06" in text


def test_legend_explains_the_mark_of_a_gap_only_where_there_can_be_one():
    def shown(*arguments, **options):
        return " ".join(_lines(render_legend(*arguments, **options)))

    assert "‸" not in shown("quality")
    assert "‸ stands where something seems to be missing" in shown("quality", gaps=True)
    assert "above 0.50" in shown("quality", threshold=0.9, gaps=True)
    assert "above 0.70" in shown("error", threshold=0.3, gaps=True)


def test_the_probability_of_a_text_stands_beside_its_score(examples):
    known = dataclasses.replace(examples[1], quality=0.204)
    assert _lines(render_scored(known))[0].startswith("sigmoid 0.90  no error 20%  softmax 0.79")
    assert not any("no error" in line for line in _lines(render_scored(examples[1])))
    lines = _lines(render_table([known]), width=100)
    assert sum("no error 20%" in line for line in lines) == 1
