"""Scored text in a terminal: coloured where there is colour, marked where there is none."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.padding import Padding
from rich.style import Style
from rich.table import Table
from rich.text import Text

from headwise.data.records.scored import ScoredHypothesis, ScoredSpan, ScoredToken
from headwise.data.records.signals import Signal
from headwise.report.scored_text.display import (
    GAP_MARK,
    Gap,
    alternative_label,
    check_threshold,
    confidence,
    gap_threshold,
    gaps_to_check,
    no_error_share,
    scale_description,
    words_to_check,
)
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
            :func:`~headwise.report.scored_text.display.confidence`.
        threshold: Words whose confidence lies below it are marked, in [0, 1]. For gaps see
            :func:`~headwise.report.scored_text.display.gap_threshold`.

    Raises:
        ValueError: If ``threshold`` is not in [0, 1].
    """
    check_threshold(threshold)
    return _ScoredView(scored, threshold)


def render_table(
    scored: Iterable[ScoredHypothesis], *, threshold: float = 0.5, title: str | None = None
) -> RenderableType:
    """A table of hypotheses: scores, texts, and the words and gaps to check.

    Args:
        scored: What to show, one row each.
        threshold: Words whose confidence lies below it are listed, in [0, 1].
        title: Heading of the table.

    Raises:
        ValueError: If ``threshold`` is not in [0, 1].
    """
    check_threshold(threshold)
    return _TableView(tuple(scored), threshold, title)


def render_legend(
    signal: Signal | str, *, threshold: float = 0.5, gaps: bool = False
) -> RenderableType:
    """Some lines that say what the shades and marks mean.

    Args:
        signal: The main signal of what is shown.
        threshold: The threshold it is shown with.
        gaps: Whether the signal ``omission`` is among those that are shown.
    """
    return _LegendView(Signal(signal), threshold, gaps)


@dataclass(frozen=True)
class _ScoredView:
    scored: ScoredHypothesis
    threshold: float

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        main = _main_signal(self.scored)
        flagged = words_to_check(self.scored, self.threshold, main)
        gaps = gaps_to_check(self.scored, self.threshold, main)
        scores = Text.assemble(
            (f"{main} ", "dim"),
            (_number(self.scored.score), "bold"),
            *_no_error(self.scored, "  "),
            *((f"  {s} {_number(self.scored.aggregate(signal=s))}", "dim")
              for s in self.scored.signals[1:]),
        )  # fmt: skip
        yield scores
        width = max(options.max_width - _INDENT, 1)
        if self.scored.source is not None:
            yield _indented(_plain_text(self.scored.source, "dim"))
        hypothesis = _shaded(self.scored, self.threshold, main, gaps, console)
        if _has_colour(console):
            yield _indented(hypothesis)
        else:
            yield _indented(_with_carets(hypothesis, console, width))
        if flagged:
            yield _indented(Text.assemble(("to check: ", "dim"), _join(flagged, main)))
        if gaps:
            listed = Text(", ").join(map(_gap_to_check, gaps))
            yield _indented(Text.assemble((f"something missing {GAP_MARK}: ", "dim"), listed))


@dataclass(frozen=True)
class _TableView:
    scored: tuple[ScoredHypothesis, ...]
    threshold: float
    title: str | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table = Table(
            title=None if self.title is None else _plain_text(self.title),
            box=box.SIMPLE_HEAD,
            show_lines=False,
            padding=(0, 1),
            pad_edge=False,
        )
        table.add_column("#", justify="right", style="dim", no_wrap=True)
        table.add_column("score", no_wrap=True)
        narrow = options.max_width < _NARROW
        table.add_column("text", ratio=3, overflow="fold")
        if not narrow:
            table.add_column("to check", ratio=2, overflow="fold")
        for number, scored in enumerate(self.scored, start=1):
            main = _main_signal(scored)
            flagged = words_to_check(scored, self.threshold, main)
            gaps = gaps_to_check(scored, self.threshold, main)
            texts = [_shaded(scored, self.threshold, main, gaps, console)]
            if scored.source is not None:
                texts.insert(0, _plain_text(scored.source, "dim"))
            to_check = [_join(flagged, main, "\n"), *(_marked_gap(gap) for gap in gaps)]
            row = [Text("\n").join(texts), Text("\n").join(line for line in to_check if line)]
            if narrow:
                row = [Text("\n").join(text for text in row if text)]
            table.add_row(
                str(number),
                _score_column(scored, main),
                *row,
                end_section=number < len(self.scored),
            )
        yield table


@dataclass(frozen=True)
class _LegendView:
    signal: Signal
    threshold: float
    gaps: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        limit = f"{self.threshold:.2f}"
        shown = Text.assemble(
            (f"{self.signal}: {scale_description(self.signal)}. Words below ", "dim"),
            (limit, _FLAGGED if _has_colour(console) else ""),
            (" are underlined." if _has_colour(console) else " have ^ under them.", "dim"),
        )
        if self.gaps:
            above = f"{1.0 - gap_threshold(self.threshold, self.signal):.2f}"
            shown.append(f" {GAP_MARK} stands where something seems to be missing, with ", "dim")
            shown.append(f"a probability above {above}.", "dim")
        yield shown


def _main_signal(scored: ScoredHypothesis) -> Signal:
    return scored.signals[0]


def _has_colour(console: Console) -> bool:
    return console.color_system is not None and not console.no_color


def _shade(level: float, console: Console) -> Style:
    few = console.color_system in ("standard", "windows")
    for limit, style in _FEW_SHADES if few else _SHADES:
        if level < limit:
            return Style.parse(style)
    return Style.null()


def _plain_text(text: str, style: str = "") -> Text:
    """Text as it is: no markup, and no character that would steer the terminal."""
    return Text(printable(text), style)


def _shaded(
    scored: ScoredHypothesis,
    threshold: float,
    main: Signal,
    gaps: list[Gap],
    console: Console,
) -> Text:
    text = _plain_text(scored.hypothesis)
    for word in scored.words:
        level = confidence(getattr(word, main), main)
        if level is not None:
            style = _shade(level, console) + (_FLAGGED if level < threshold else Style.null())
            text.stylize(style, word.start, word.end)
    if not gaps:
        return text
    mark = Text.assemble((GAP_MARK, _shade(0.0, console) + Style(bold=True)))
    return mark.join(text.divide([gap.place for gap in gaps]))


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


def _score_column(scored: ScoredHypothesis, main: Signal) -> Text:
    column = Text.assemble(
        (_number(scored.score), "bold"), (f" {main}", "dim"), *_no_error(scored, "\n")
    )
    for signal in scored.signals[1:]:
        column.append(f"\n{_number(scored.aggregate(signal=signal))} {signal}", "dim")
    return column


def _no_error(scored: ScoredHypothesis, separator: str) -> list[tuple[str, str]]:
    share = no_error_share(scored)
    return [] if share is None else [(f"{separator}no error {share}", "")]


def _join(flagged: list[tuple[ScoredSpan, float]], main: Signal, separator: str = ", ") -> Text:
    return Text(separator).join(_word_to_check(word, level, main) for word, level in flagged)


def _word_to_check(word: ScoredSpan, level: float, main: Signal) -> Text:
    """A word, its confidence, and what the language model would rather have put there."""
    text = Text.assemble((printable(word.text), "bold"), f" {level:.2f}")
    worst = min(word.tokens, key=lambda token: _level(token, main))
    shown = printable(worst.text).strip()
    others = [
        (alternative_label(alternative.text), alternative.probability)
        for alternative in worst.alternatives or ()
        if alternative_label(alternative.text) != shown
    ][:2]
    if others:
        listed = ", ".join(f"{label} {share:.0%}" for label, share in others)
        # In a word of several tokens the alternatives stand for one of them only.
        place = "" if shown == word.text else f"{shown}: "
        text.append(f" ({place}{listed})", "dim")
    return text


def _gap_to_check(gap: Gap) -> Text:
    return Text.assemble(gap.where, f" {gap.omission:.2f}")


def _marked_gap(gap: Gap) -> Text:
    return Text.assemble((f"{GAP_MARK} ", "bold"), _gap_to_check(gap))


def _level(token: ScoredToken, main: Signal) -> float:
    level = confidence(getattr(token, main), main)
    return 1.0 if level is None else level


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _indented(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, _INDENT), expand=False)
