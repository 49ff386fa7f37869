"""Score a file row by row, so that a job killed at any moment goes on where it stopped."""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from headwise.data.documents import Marking, Results, place_in_document, write_document
from headwise.data.jobs import JobDone, RunFiles, run_job, timed_windows
from headwise.data.jobs.record import JobRecord
from headwise.data.readers import Layout, document_format, read_pairs, read_parallel_text
from headwise.data.records.pairs import Pair, Reject
from headwise.data.records.scored import Level, ScoredHypothesis
from headwise.data.records.signals import Signal, parse_signals
from headwise.data.writers import TableLayout, scored_row
from headwise.errors import DataError, InputError
from headwise.quality.estimator import QualityEstimator
from headwise.quality.scorer import Scorer
from headwise.quality.unlike_texts import UnlikeTexts

# The setting of a job that names those others which its scores follow from
_FOLLOW_FROM = "scores follow from"


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks at scored texts while a job goes on; what the job writes stays the same.

    Attributes:
        show: Is given every scored text, in input order, those of earlier runs included.
        alternatives: How many of the model's own choices it sees a token, no less than the rows.
    """

    show: Callable[[ScoredHypothesis], object]
    alternatives: int = 0


@dataclass(slots=True, kw_only=True)
class RowScoring:
    """Scores the rows of a file, as :class:`~headwise.data.jobs.RowWork`.

    Attributes:
        signals: The signals that it computes; the first one is the score.
        level: What a row of output holds beside its sentence score.
        look: Who looks at the scored texts besides.
        alternatives: How many of them a row of output keeps a token.
        with_score: Rows in the output that have a score; a hypothesis without tokens has none.
        score_sum: Sum of these scores, in row order, so that a resumed job adds up the same.
        flagged: Rows in the output that a person should look at.
        skipped: Segments of a document that are not read, by reason; ``None`` if it is a table.
        unlike: Counts rows whose texts are far from what the heads know.
    """

    scorer: Scorer
    signals: tuple[Signal, ...]
    level: Level
    has_source: bool
    look: Look | None = None
    alternatives: int = 0
    with_score: int = 0
    score_sum: float = 0.0
    flagged: int = 0
    skipped: Counter[str] | None = None
    unlike: UnlikeTexts = field(init=False)

    def __post_init__(self) -> None:
        self.unlike = UnlikeTexts(self.scorer.calibration)

    @property
    def most_rows(self) -> int:
        """As many as the scorer wants."""
        return self.scorer.most_pairs

    def output_rows(self, rows: Sequence[Pair]) -> Iterator[dict[str, Any] | InputError]:
        """Scored pairs; they bring the other columns of their rows."""
        pairs = iter(rows)
        for result in self.scorer.score_window(rows):
            pair = next(pairs, None)
            if isinstance(result, InputError):
                yield self._with_place(result, pair)
                continue
            row = scored_row(result, self.level)
            if self.look is not None:
                self.look.show(result)
                for token in row.get("tokens", ()):
                    # Those who look may have asked for more
                    if "alternatives" in token and not self.alternatives:
                        del token["alternatives"]
            yield row

    def _with_place(self, error: InputError, pair: Pair | None) -> InputError:
        """What is wrong with a segment of a document, and where it stands in it."""
        if self.skipped is None or pair is None:
            return error
        return InputError(f"{place_in_document(pair.extra)}: {error}")

    def score_again(self, rows: Iterator[Pair | Reject]) -> int:
        """Score what earlier runs have scored for those who look; how many rows there are."""
        assert self.look is not None
        count = 0
        for window in timed_windows(rows, most=self.most_rows, size=lambda row: len(row.content)):
            pairs = [row for row in window if not isinstance(row, Reject)]
            for result in self.scorer.score_window(pairs):
                if not isinstance(result, InputError):
                    self.look.show(result)
            count += len(window)
        return count

    def count(self, output_row: Mapping[str, Any]) -> None:
        """Add a row's score, and whether it is to be looked at."""
        score = output_row["score"]
        if score is not None and math.isfinite(score):
            self.with_score += 1
            self.score_sum += score
        self.flagged += output_row["flagged"]
        self.unlike.add(output_row.get("source"), output_row["hypothesis"])

    def content_of(self, output_row: Mapping[str, Any]) -> str:
        """Source and hypothesis."""
        return Pair(output_row.get("source"), output_row["hypothesis"]).content

    def figures(self) -> dict[str, Any]:
        """The mean of the scores, ``None`` if there are none, rows that are flagged, a warning.

        Of documents, also how many segments are skipped, by reason.
        """
        mean = self.score_sum / self.with_score if self.with_score else None
        figures = {"mean_score": mean, "flagged": self.flagged, "warning": self.unlike.warning}
        return figures if self.skipped is None else figures | {"skipped": dict(self.skipped)}

    def columns(self) -> TableLayout:
        """Signals, texts and detail."""
        return TableLayout(
            signals=self.signals,
            level=self.level,
            has_source=self.has_source,
            alternatives=self.alternatives > 0,
        )


def score_file(
    estimator: QualityEstimator,
    source: str | Path,
    output: str | Path | None,
    *,
    model: str,
    head: str | None = None,
    hypotheses: str | Path | None = None,
    layout: Layout | None = None,
    output_format: str | None = None,
    level: Level = "sentence",
    signals: Iterable[Signal | str] | None = None,
    alternatives: int = 0,
    mark_spans: bool = False,
    set_state: bool = False,
    overwrite: bool = False,
    look: Look | None = None,
    progress: bool = False,
) -> JobDone:
    """Score the rows of a file, or go on doing so where an earlier run was stopped.

    Args:
        estimator: Scores pairs.
        source: The file to read, ``-`` for standard input; with ``hypotheses`` the source texts.
        output: The file to write; :class:`~headwise.data.jobs.RunFiles` says which files there are
            beside it. ``-`` writes JSONL to standard output and rejects to standard error, and
            cannot be resumed. With ``None``, nothing is kept.
        model: Name of the model; a job is resumed only with the same one, and only if what the
            estimator computes with is the same, see :meth:`Scorer.content`.
        head: Name of the head, likewise.
        hypotheses: Text file with a hypothesis for each line of ``source``.
        layout: Format and columns of the input, as far as they should not be found out.
        output_format: ``jsonl``, ``tsv``, ``csv``, ``parquet`` or ``xlsx``, or of a translators'
            document its own; by default the suffix says it.
        level: What a row of output holds beside its sentence score.
        signals: The signals to compute; the first one is the score. By default the estimator's.
        alternatives: How many of the model's own choices to keep a token, at token level.
        mark_spans: Whether words to check are marked in the text of a document.
        set_state: Whether flagged segments of a document get the state of those to review.
        overwrite: Start anew and replace what is there, instead of resuming.
        look: Who looks at the scored texts besides; texts of earlier runs are scored again for it.
        progress: Whether to show a progress bar on standard error.

    Returns:
        What was done; among its figures are ``mean_score``, ``None`` if no row has a score,
        ``flagged``, the number of rows that a person should look at, and ``warning``, which says
        that the texts are far from what the heads know, or is ``None``; of a document also
        ``skipped``, the number of segments that are not scored by reason.

    Raises:
        DataError: If the input cannot be read.
        OutputError: If the output belongs to another job, or cannot be written.
    """
    if hypotheses is not None and (columns := estimator.prompt.columns):
        raise DataError(
            f"The prompt takes {', '.join(columns)} from columns, which two text files do not "
            "have; give a table, or give values as variables of the prompt (--prompt-variable)."
        )
    layout = layout or Layout()
    kind = None if hypotheses is not None else document_format(source, layout)
    skipped: Counter[str] = Counter()
    engine = Path(model).name if Path(model).exists() else model  # where it lies is nobody's
    marking = Marking(engine=engine, spans=mark_spans, states=set_state)
    signals = (estimator.default_signal,) if signals is None else parse_signals(signals)
    shown = 0 if look is None else look.alternatives
    work = RowScoring(
        scorer=estimator.scorer(signals, max(alternatives, shown)),
        signals=signals,
        level=level,
        has_source=layout.has_source,
        look=look,
        alternatives=alternatives,
        skipped=None if kind is None else skipped,
    )

    def write(files: RunFiles) -> None:
        assert kind is not None
        results = Results(files.work, files.rejects)
        write_document(
            source, kind, files.output, results, options=layout.documents, marking=marking
        )

    read = (
        partial(read_pairs, source, layout)
        if hypotheses is None
        else partial(read_parallel_text, source, hypotheses, encoding=layout.encoding)
    )
    return run_job(
        work,
        read() if kind is None else read_pairs(source, layout, skipped=skipped),
        output,
        inputs=[path for path in (source, hypotheses) if path is not None],
        settings=lambda: {
            **asdict(layout),
            "level": level,
            "signals": list(signals),
            "alternatives": alternatives,
            "model": model,
            "head": head,
            "threshold": work.scorer.request.threshold,
            "segment_threshold": work.scorer.request.segment_threshold,
            **({} if kind is None else {"mark_spans": mark_spans, "set_state": set_state}),
            **(content := work.scorer.content()),
            _FOLLOW_FROM: list(content),
        },
        output_format=output_format,
        overwrite=overwrite,
        revisit=None if look is None else work.score_again,
        progress="Scoring" if progress else None,
        reread=read,
        documents=None if kind is None else {kind.value: write},
    )


def scored_by(path: str | Path) -> str | None:
    """What scored a file, as a short name: the same for all files with scores of one kind.

    It stands for weights, prompt and calibration, as far as the record of the job beside the file
    tells; ``None`` if there is none.

    Raises:
        OutputError: If that record is damaged.
    """
    if Path(path).suffix.lower() not in (".jsonl", ".ndjson"):
        return None
    record = JobRecord.read(RunFiles.of(path).sidecar)
    if record is None or _FOLLOW_FROM not in record.settings:
        return None
    followed = {name: record.settings.get(name) for name in record.settings[_FOLLOW_FROM]}
    return sha256(json.dumps(followed, sort_keys=True).encode()).hexdigest()[:16]
