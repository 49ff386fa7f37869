"""Check a file of claims row by row; a job killed at any moment goes on where it stopped."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from headwise.data.jobs import JobDone, run_job, timed_windows
from headwise.data.readers.claims import ClaimLayout, read_claims
from headwise.data.records.claims import ClaimRow
from headwise.data.records.pairs import Reject
from headwise.data.writers import CellKind, TableColumns, beside_reserved
from headwise.entailment.claims.sources import CheckOptions, ReadSource
from headwise.entailment.claims.validating import Verdict, validation_steps
from headwise.entailment.inputs import all_good
from headwise.entailment.model import EntailmentModel
from headwise.entailment.passages import result_of
from headwise.entailment.predicting import Prediction
from headwise.entailment.rows import validation_row
from headwise.errors import InputError
from headwise.heads import NLI_LABELS

# Claims that are embedded together
_ROWS = 64
# Sources that are kept: rows about one source mostly stand together
_SOURCES = 8
_EVIDENCE = {
    "text": "string",
    **dict.fromkeys(("start", "end"), "int64"),
    "similarity": "double",
    "label": "string",
    **dict.fromkeys(("confidence", *(label.value for label in NLI_LABELS)), "double"),
    "abstain": "bool",
    "uncertainty": "double",
    "decides": "bool",
    "passages": "string",
}
_KINDS: dict[str, CellKind] = {
    **dict.fromkeys(("source", "claim", "verdict"), "string"),
    "confidence": "double",
    "deciding": "string",
    "evidence": _EVIDENCE,
}
# The last two have a shape of their own in every table
_RESERVED = frozenset({*_KINDS, "annotations", "word_tags"})

Show = Callable[[Mapping[str, Any]], object]


@dataclass(frozen=True, slots=True)
class ClaimColumns:
    """The columns of a table of checked claims.

    Attributes:
        has_source: Whether there is a column with the source.
    """

    has_source: bool

    @property
    def kinds(self) -> Mapping[str, CellKind]:
        """Texts, verdict, confidence, what decides, and all evidence."""
        left_out = () if self.has_source else ("source",)
        return {name: kind for name, kind in _KINDS.items() if name not in left_out}

    def flatten(self, line: bytes) -> dict[str, Any]:
        """A line as a row; what decides has a column of its own, and places are written out."""
        row: dict[str, Any] = json.loads(line)
        for one in row["evidence"]:
            one |= one.pop("probabilities")
            one["passages"] = " ".join(f"{part['start']}-{part['end']}" for part in one["passages"])
        first = row["evidence"][0]
        return row | {"deciding": first["text"] if first["decides"] else None}


@dataclass(slots=True, kw_only=True)
class RowChecking:
    """Checks the claims of a file, as :class:`~headwise.data.jobs.RowWork`.

    Attributes:
        source: That of all claims; ``None`` if each has its own.
        options: How claims are checked.
        show: Is given every row of the output with its ``line``, in order, those of earlier runs
            included.
        verdicts: How often each was found.
    """

    model: EntailmentModel
    source: str | None
    options: CheckOptions
    show: Show | None = None
    verdicts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys([verdict.value for verdict in Verdict], 0)
    )
    _read: OrderedDict[str, ReadSource] = field(default_factory=OrderedDict)

    @property
    def most_rows(self) -> int:
        """Enough to embed many at a time."""
        return _ROWS

    def output_rows(self, rows: Sequence[ClaimRow]) -> Iterator[dict[str, Any] | InputError]:
        """The claims and what was found, behind the other columns of the rows.

        Another column of the input that has the name of one that is written here keeps its values
        under ``input_<name>``.
        """
        # One by one they would be read one by one
        self.model.encoder.remembered.embed([row.claim for row in rows], what="claim")
        for row in rows:
            text = row.source if self.source is None else self.source
            assert text is not None
            steps = validation_steps(self._source(text), row.claim, predict=self._predict)
            try:
                found = validation_row(result_of(steps))
            except InputError as error:
                yield error
                continue
            result = {
                **beside_reserved(row.extra, _RESERVED),
                **({"source": row.source} if self.source is None else {}),
                "claim": row.claim,
                **found,
            }
            if self.show is not None:
                self.show({**result, "line": row.line})
            yield result

    def check_again(self, rows: Iterator[ClaimRow | Reject]) -> int:
        """Check what earlier runs have checked for those who look; how many rows there are."""
        count = 0
        for window in timed_windows(rows, most=_ROWS):
            for _ in self.output_rows([row for row in window if not isinstance(row, Reject)]):
                pass
            count += len(window)
        return count

    def count(self, output_row: Mapping[str, Any]) -> None:
        """Count the verdict."""
        self.verdicts[output_row["verdict"]] += 1

    def content_of(self, output_row: Mapping[str, Any]) -> str:
        """Source, if the row has its own, and claim."""
        return ClaimRow(output_row["claim"], output_row.get("source")).content

    def figures(self) -> dict[str, Any]:
        """The counts."""
        return {"verdicts": self.verdicts}

    def columns(self) -> TableColumns:
        """With a source or without."""
        return ClaimColumns(has_source=self.source is None)

    def _predict(self, premises: list[str], hypothesis: str) -> list[Prediction]:
        pairs = [(premise, hypothesis) for premise in premises]
        return all_good(self.model.predict_window(pairs), name=None)

    def _source(self, text: str) -> ReadSource:
        read = self._read.pop(text, None)
        if read is None:
            read = ReadSource(text, encoder=self.model.encoder, options=self.options)
        self._read[text] = read
        if len(self._read) > _SOURCES:
            self._read.popitem(last=False)
        return read


def check_file(
    checker: EntailmentModel,
    claims: str | Path,
    output: str | Path | None,
    *,
    model: str,
    heads: str | None = None,
    threshold: float | None = None,
    source: str | None = None,
    options: CheckOptions | None = None,
    layout: ClaimLayout | None = None,
    output_format: str | None = None,
    overwrite: bool = False,
    show: Show | None = None,
    progress: bool = False,
) -> JobDone:
    """Check the claims of a file, or go on doing so where an earlier run was stopped.

    Args:
        checker: Checks claims.
        claims: The file to read; ``-`` for standard input.
        output: The file to write; :class:`~headwise.data.jobs.RunFiles` says which files there are
            beside it. ``-`` writes JSONL to standard output and rejects to standard error, and
            cannot be resumed. With ``None``, nothing is kept.
        model: Name of the model; a job is resumed only with the same one, and only if what it
            computes with is the same, see :meth:`EntailmentModel.content`.
        heads: Name of the heads, likewise.
        threshold: Uncertainty from which on the model abstains, likewise; that of the checker.
        source: The source of all claims; by default each row has its own.
        options: How claims are checked, likewise.
        layout: Format and columns of the input, as far as they should not be found out; whether
            rows have sources follows from ``source``.
        output_format: ``jsonl``, ``tsv``, ``csv``, ``parquet`` or ``xlsx``; by default the suffix
            says it.
        overwrite: Start anew and replace what is there, instead of resuming.
        show: Is given every row of the output besides, with its ``line``; claims of earlier runs
            are checked again for it.
        progress: Whether to show a progress bar on standard error.

    Returns:
        What was done; its figure ``verdicts`` says how often each was found.

    Raises:
        InputError: If the one source cannot be read.
        DataError: If the input cannot be read.
        OutputError: If the output belongs to another job, or cannot be written.
        ValueError: If the model has no heads.
    """
    options = options or CheckOptions()
    told = asdict(layout or ClaimLayout()) | {"has_source": source is None}
    # What is wrong with all rows is said here, before a file is written
    checker.encoder.heads_for("validate")
    if source is not None:
        checker.backbone.check_text(source, what="source")
    given = None if source is None else source.encode("utf-8", "surrogatepass")
    work = RowChecking(model=checker, source=source, options=options, show=show)
    read = partial(read_claims, claims, ClaimLayout(**told))
    return run_job(
        work,
        read(),
        output,
        inputs=[claims],
        settings=lambda: {
            **told,
            **asdict(options),
            "source": None if given is None else hashlib.sha256(given).hexdigest(),
            "model": model,
            "heads": heads,
            "threshold": None,
            **checker.content(),
            **({} if threshold is None else {"threshold": threshold}),
        },
        output_format=output_format,
        overwrite=overwrite,
        revisit=None if show is None else work.check_again,
        progress="Checking" if progress else None,
        reread=read,
    )
