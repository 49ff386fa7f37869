"""Scored text in a terminal: coloured where there is colour, marked where there is none."""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import partial

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.style import Style
from rich.text import Text

from headwise.data.records.scored import ScoredHypothesis, ScoredSpan, ScoredToken
from headwise.data.records.scored_pieces import gap_threshold
from headwise.data.records.signals import Signal
from headwise.report.scored_text import display
from headwise.report.scored_text.display import GAP_MARK
from headwise.report.terminal import View, plain, simple_table
from headwise.report.text import printable

# From doubtful to sound in one hue, so that it reads the same to everyone: orange ground, orange
# ink, brown ink. The inks keep their contrast on light and dark terminals alike.
_SHADES = ((0.25, "#1f2328 on #ee8a3c"), (0.5, "#c4641a"), (0.75, "#a8744a"))
# The 16 colours hold no orange, and their yellow ink cannot be read on white.
_FEW_SHADES = ((0.5, "black on yellow"),)
_FLAGGED = Style(bold=True, underline=True)
_INDENT = 2
# Below this width a table has no column of its own for the words to check.
_NARROW = 60


def render_scored(scored: ScoredHypothesis, *, threshold: float = 0.5) -> RenderableType:
    """One hypothesis: its source, its words shaded by their worst token, its words to check.

    Beside the score stands the probability that the text has no error, where that is known.
    Words below the threshold are also underlined; on a console without colour a line of ``^``
    stands under them. With the signal ``omission``, a mark stands where something seems to be
    missing, and a line says where that is and how probable it is.

    Args:
        scored: What to show. Its first signal is the main one; other signals than probabilities
            of being right are mapped onto [0, 1] by
            :meth:`Signal.confidence`.
        threshold: Words whose confidence lies below it are marked, in [0, 1].

    Raises:
        ValueError: If ``threshold`` is not in [0, 1].
    """
    display.check_threshold(threshold)
    return View(partial(_draw_scored, scored, threshold))


def render_table(
    scored: Iterable[ScoredHypothesis], *, threshold: float = 0.5, title: str | None = None
) -> RenderableType:
    """A table of hypotheses, one row each: scores, texts, and the words and gaps to check.

    Args:
        scored: Scored texts.
        title: What stands above the table.
        threshold: Confidence in [0, 1] below which words are to be checked.

    Raises:
        ValueError: If ``threshold`` is not in [0, 1].
    """
    display.check_threshold(threshold)
    return View(partial(_draw_table, tuple(scored), threshold, title))


def render_legend(
    signal: Signal | str, *, threshold: float = 0.5, gaps: bool = False, table: bool = False
) -> RenderableType:
    """Some lines that say what the shades of the main signal and the marks mean.

    The mark of gaps is explained if the signal ``omission`` is among those that are shown.

    Args:
        signal: The main signal.
        threshold: Confidence in [0, 1] below which words are marked.
        gaps: Whether gaps are shown.
        table: Whether it is of :func:`render_table`, which lists words beside the texts.
    """
    return View(partial(_draw_legend, Signal(signal), threshold, gaps, table))


class _Marked:
    """One hypothesis with what is to be checked in it, for a given console."""

    def __init__(self, scored: ScoredHypothesis, threshold: float, console: Console) -> None:
        self.scored, self.threshold, self._console = scored, threshold, console
        self.main, *self.others = scored.signals
        self.words = display.words_to_check(scored, threshold, self.main)
        self.gaps = display.gaps_to_check(scored, threshold, self.main)

    def text(self) -> Text:
        """The hypothesis, shaded, words to check underlined, with the marks of its gaps."""
        text = plain(self.scored.hypothesis)
        for word in self.scored.words:
            level = self.main.confidence(getattr(word, self.main))
            if level is not None:
                flagged = _FLAGGED if level < self.threshold else Style.null()
                text.stylize(_shade(level, self._console) + flagged, word.start, word.end)
        if not self.gaps:
            return text
        mark = Text.assemble((GAP_MARK, _shade(0.0, self._console) + Style(bold=True)))
        return mark.join(text.divide([gap.place for gap in self.gaps]))

    def no_error(self) -> list[str]:
        """The probability that nothing is wrong, where it is known."""
        share = display.no_error_share(self.scored)
        return [] if share is None else [f"no error {share}"]

    def listed(self, separator: str) -> Text:
        """The words to check, each with what could stand there."""
        words = (_word_to_check(word, level, self.main) for word, level in self.words)
        return Text(separator).join(words)


def _draw_scored(
    scored: ScoredHypothesis, threshold: float, console: Console, options: ConsoleOptions
) -> RenderResult:
    marked = _Marked(scored, threshold, console)
    others = [f"{s} {_score(scored.aggregate(signal=s))}" for s in marked.others]
    yield Text("  ").join(
        [
            Text.assemble((f"{marked.main} ", "dim"), (_score(scored.score), "bold")),
            *map(Text, marked.no_error()),
            *([Text("to check", "bold")] if display.shows_flag(scored) else []),
            *(Text(other, "dim") for other in others),
        ]
    )
    if scored.source is not None:
        yield _indented(plain(scored.source, "dim"))
    text = marked.text()
    if not _has_colour(console):
        text = _with_carets(text, console, max(options.max_width - _INDENT, 1))
    yield _indented(text)
    if marked.words:
        yield _indented(Text.assemble(("to check: ", "dim"), marked.listed(", ")))
    if marked.gaps:
        gaps = Text(", ").join(map(_gap_to_check, marked.gaps))
        yield _indented(Text.assemble((f"something missing {GAP_MARK}: ", "dim"), gaps))


def _draw_table(
    rows: Sequence[ScoredHypothesis],
    threshold: float,
    title: str | None,
    console: Console,
    options: ConsoleOptions,
) -> RenderResult:
    table = simple_table(title)
    table.add_column("#", justify="right", style="dim", no_wrap=True)
    table.add_column("score", no_wrap=True)
    narrow = options.max_width < _NARROW
    table.add_column("text", ratio=3, overflow="fold")
    if not narrow:
        table.add_column("to check", ratio=2, overflow="fold")
    for place, scored in enumerate(rows, start=1):
        marked = _Marked(scored, threshold, console)
        scores = [Text.assemble((_score(scored.score), "bold"), (f" {marked.main}", "dim"))]
        scores += map(Text, marked.no_error())
        scores += (Text(f"{_score(scored.aggregate(signal=s))} {s}", "dim") for s in marked.others)
        above = [one for one in (display.row_name(scored), scored.source) if one is not None]
        texts = [*(plain(one, "dim") for one in above), marked.text()]
        gaps = (Text.assemble((f"{GAP_MARK} ", "bold"), _gap_to_check(gap)) for gap in marked.gaps)
        to_check = [line for line in (marked.listed("\n"), *gaps) if line]
        cells = [[*texts, *to_check]] if narrow else [texts, to_check]
        table.add_row(
            str(place),
            *map(Text("\n").join, (scores, *cells)),
            end_section=place < len(rows),
        )
    yield table


def _draw_legend(
    signal: Signal,
    threshold: float,
    gaps: bool,
    table: bool,
    console: Console,
    _options: ConsoleOptions,
) -> RenderResult:
    coloured = _has_colour(console)
    plain_mark = " are listed to check." if table else " have ^ under them."
    shown = Text.assemble(
        (f"{signal}: {display.scale_description(signal)}. Words below ", "dim"),
        (f"{threshold:.2f}", _FLAGGED if coloured else ""),
        (" are underlined." if coloured else plain_mark, "dim"),
    )
    if gaps:
        above = f"{1.0 - gap_threshold(threshold, signal):.2f}"
        shown.append(f" {GAP_MARK} stands where something seems to be missing, with ", "dim")
        shown.append(f"a probability above {above}.", "dim")
    yield shown


def _has_colour(console: Console) -> bool:
    return console.color_system is not None and not console.no_color


def _shade(level: float, console: Console) -> Style:
    few = console.color_system in ("standard", "windows")
    for limit, style in _FEW_SHADES if few else _SHADES:
        if level < limit:
            return Style.parse(style)
    return Style.null()


def _with_carets(text: Text, console: Console, width: int) -> Text:
    """Every line of the wrapped text, and under it carets for what is underlined."""
    # Where letters run from right to left, a terminal may move them; carets would stay behind.
    right_to_left = any(unicodedata.bidirectional(c) in ("R", "AL") for c in text.plain)
    lines: list[Text] = []
    for line in text.wrap(console, width):
        lines.append(line)
        marks = ""
        for span in sorted(line.spans):
            if isinstance(span.style, Style) and span.style.underline:
                before = cell_len(line.plain[: span.start])
                covered = cell_len(line.plain[span.start : span.end])
                marks = marks.ljust(before) + "^" * covered
        if marks and not right_to_left:
            lines.append(Text(marks))
    return Text("\n").join(lines)


def _word_to_check(word: ScoredSpan, level: float, main: Signal) -> Text:
    """A word, its confidence, and what the language model would rather have put there."""
    text = Text.assemble((printable(word.text), "bold"), f" {level:.2f}")

    def level_of(token: ScoredToken) -> float:
        found = main.confidence(getattr(token, main))
        return 1.0 if found is None else found

    worst = min(word.tokens, key=level_of)
    shown = printable(worst.text).strip()
    others = [
        (display.alternative_label(alternative.text), alternative.probability)
        for alternative in worst.alternatives or ()
        if display.alternative_label(alternative.text) != shown
    ][:2]
    if others:
        listed = ", ".join(f"{label} {share:.0%}" for label, share in others)
        # In a word of several tokens the alternatives stand for one of them only.
        place = "" if shown == word.text else f"{shown}: "
        text.append(f" ({place}{listed})", "dim")
    return text


def _gap_to_check(gap: display.Gap) -> Text:
    return Text.assemble(gap.where, f" {gap.omission:.2f}")


def _score(value: float | None) -> str:
    # With hyphens: a terminal without Unicode has neither dash nor minus
    return "-" if value is None else f"{value:.2f}"


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, _INDENT), expand=False)
