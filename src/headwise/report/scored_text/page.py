"""A report of scored text as one HTML file that works offline, without colour and on paper.

The file is written sentence by sentence, so memory stays bounded however long the input is. Every
sentence stands in it as plain, marked text, which can be read without JavaScript; next to it lies
a compact JSON record, from which the scripts in ``template/`` build the shaded tokens and
their tooltips once a sentence comes near the window.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from headwise.data.records.scored import ScoredHypothesis, ScoredSpan
from headwise.data.records.scored_pieces import gap_threshold
from headwise.data.records.signals import Signal
from headwise.files import atomic_path, naming_output
from headwise.report.page import PageFolder, script_json
from headwise.report.scored_text import display
from headwise.report.scored_text.drawing import HIGHEST_THRESHOLD, drawing_record
from headwise.report.text import number

_BINS = 20
_PAGE = PageFolder("headwise.report.scored_text", "template")
_STYLES = ("texts.css", "summary.css", "report.css")
_SCRIPTS = ("values.js", "drawing.js", "tooltip.js", "sentences.js", "tools.js")


@dataclass(slots=True)
class ReportSummary:
    """What the top of a report says.

    Attributes:
        signals: The signals it shows; the first is the one that shades.
        flagged: Number of texts that a person should look at.
        words_to_check: Number of words below the threshold.
        gaps: Number of places where something seems to be missing.
        histogram: How many sentence scores fall into each of 20 equal bins of confidence.
    """

    signals: tuple[Signal, ...]
    segments: int = 0
    flagged: int = 0
    words_to_check: int = 0
    gaps: int = 0
    histogram: list[int] = field(default_factory=lambda: [0] * _BINS)
    _total: float = field(default=0.0, init=False, repr=False)

    @property
    def mean_score(self) -> float | None:
        """Mean of the sentence scores, in the main signal's own range; ``None`` without any."""
        count = sum(self.histogram)
        return self._total / count if count else None

    def add(
        self, score: float | None, level: float | None, *, words_to_check: int, gaps: int
    ) -> None:
        """Count one hypothesis: its score, the score's confidence, its words and gaps to check."""
        self.segments += 1
        self.words_to_check += words_to_check
        self.gaps += gaps
        if score is not None and level is not None:
            self._total += score
            self.histogram[min(int(level * _BINS), _BINS - 1)] += 1


def write_html_report(
    scored: Iterable[ScoredHypothesis],
    path: str | os.PathLike[str],
    *,
    title: str = "Words worth a second look",
    threshold: float = 0.5,
    model: str = "",
    flagged_only: bool = False,
    details: Mapping[str, str] | None = None,
    made_of: str = "",
) -> ReportSummary:
    """Write a self-contained HTML report of scored text.

    The confidence of the first hypothesis's main signal shades tokens and decides which words are
    to be checked. With ``omission``, a mark stands where something seems to be missing.

    Args:
        scored: What to show; read once, one item at a time.
        path: The file to write. It appears, or is replaced, only when it is complete.
        title: Heading of the report.
        threshold: Words whose confidence lies below it are marked, in [0, 1]. The reader can
            move it. For gaps see :func:`~headwise.data.records.scored_pieces.gap_threshold`.
        model: Name of the model that scored, shown under the title.
        flagged_only: Whether to leave out what is not flagged; all texts are counted.
        details: What else to say of the run, such as its input, its command, its date.
        made_of: What ``quality`` is made of, for the legend if it is the main signal.

    Returns:
        The figures at the top of the report.

    Raises:
        ValueError: If ``threshold`` is not in [0, 1]; ``OutputError`` if nothing can be written.
    """
    display.check_threshold(threshold)
    path = Path(path)
    rest = iter(scored)
    first = next(rest, None)
    summary = ReportSummary((first and first.signals) or (Signal.SIGMOID,))
    # The top of the page is known only when the last sentence is, so the sentences wait in a file.
    with _waiting_room(path) as body:
        sentence = _PAGE.template("sentence.html")
        for item in itertools.chain([first] if first else [], rest):
            view = _sentence_view(item, summary, threshold)
            if flagged_only and not item.flagged:
                continue
            html = sentence.render(view)
            with naming_output(path):
                body.write(html)
        page = _PAGE.template("page.html").render(
            _page_view(
                summary,
                title=title,
                threshold=threshold,
                model=model,
                details=details or {},
                made_of=made_of,
                segment_threshold=None if first is None else first.segment_threshold,
                flagged_only=flagged_only,
            )
        )
        top, bottom = page.split("<!-- sentences -->")
        with (
            naming_output(path),
            atomic_path(path) as temporary,
            temporary.open("w", encoding="utf-8") as out,
        ):
            out.write(top)
            body.seek(0)
            shutil.copyfileobj(body, out, 1 << 16)
            out.write(bottom)
    return summary


def _sentence_view(
    scored: ScoredHypothesis, summary: ReportSummary, threshold: float
) -> dict[str, Any]:
    """What ``sentence.html`` shows of one hypothesis; counts it in the summary."""
    main = summary.signals[0]
    means = {s: scored.aggregate(signal=s) for s in summary.signals if s in scored.signals}
    level = main.confidence(means.get(main))
    flagged = display.words_to_check(scored, threshold, main)
    with_gaps = display.shows_gaps(summary.signals)
    gaps = display.gaps_to_check(scored, threshold, main) if with_gaps else []
    summary.add(means.get(main), level, words_to_check=len(flagged), gaps=len(gaps))
    summary.flagged += scored.flagged
    return {
        "number": summary.segments,
        "row": display.row_name(scored),
        "is_flagged": scored.flagged,
        "shows_flag": display.shows_flag(scored),
        "level": level,
        "score": number(means.get(main), 2),
        "other_means": [(s.value, number(v, 2)) for s, v in means.items() if s is not main],
        "no_error": display.no_error_share(scored),
        "source": scored.source,
        "pieces": _pieces(scored.hypothesis, [word for word, _ in flagged], gaps),
        "shows_gaps": with_gaps,
        "flagged": [(w.text, f"{value:.2f}") for w, value in flagged],
        "gaps": [(gap.where, f"{gap.omission:.2f}") for gap in gaps],
        "record": script_json(drawing_record(scored, summary.signals)),
    }


def _pieces(
    text: str, flagged: Sequence[ScoredSpan], gaps: Sequence[display.Gap]
) -> list[tuple[Literal["text", "word", "gap"], str]]:
    """The text cut at the words and gaps to check; a gap is a piece that says its probability."""
    starts, ends = {word.start for word in flagged}, {word.end for word in flagged}
    missing = {gap.place: f"{gap.omission:.2f}" for gap in gaps}
    edges = sorted({0, len(text)} | starts | ends | missing.keys())
    pieces: list[tuple[Literal["text", "word", "gap"], str]] = []
    inside = False
    for start, end in itertools.pairwise([*edges, len(text)]):
        inside = start in starts or (inside and start not in ends)
        if start in missing:
            pieces.append(("gap", missing[start]))
        pieces.append(("word" if inside else "text", text[start:end]))
    return pieces


def _page_view(
    summary: ReportSummary,
    *,
    title: str,
    threshold: float,
    model: str,
    details: Mapping[str, str],
    made_of: str,
    segment_threshold: float | None,
    flagged_only: bool,
) -> dict[str, Any]:
    """What ``page.html`` shows besides the sentences."""
    highest = max(summary.histogram) or 1
    main = summary.signals[0]
    limit = gap_threshold(threshold, main)
    moving = gap_threshold(HIGHEST_THRESHOLD, main) == HIGHEST_THRESHOLD
    return {
        "title": title,
        "model": model,
        "details": details,
        "segment_threshold": number(segment_threshold, 2) if segment_threshold else None,
        "flagged_only": flagged_only,
        "threshold": f"{threshold:.2f}",
        "summary": summary,
        "main": main.value,
        "mean_score": number(summary.mean_score, 2),
        "scale": display.scale_description(main, made_of),
        "shows_gaps": display.shows_gaps(summary.signals),
        "gap_limit": f"{1.0 - limit:.2f}",
        "bars": [
            {"low": i / _BINS, "high": (i + 1) / _BINS, "count": n, "share": n / highest}
            for i, n in enumerate(summary.histogram)
        ],
        "config": script_json(
            {
                "signals": summary.signals,
                "threshold": threshold,
                "gapThreshold": None if moving else limit,
            }
        ),
        **_PAGE.head(styles=_STYLES, scripts=_SCRIPTS),
    }


@contextmanager
def _waiting_room(path: Path) -> Iterator[IO[str]]:
    """A nameless file next to ``path`` that is gone afterwards."""
    with naming_output(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = tempfile.TemporaryFile("w+", encoding="utf-8", dir=path.parent)  # noqa: SIM115
    try:
        yield file
    finally:
        # On a full disk closing fails once more; the first error has been raised already.
        with suppress(OSError):
            file.close()
