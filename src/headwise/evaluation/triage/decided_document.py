"""A translators' document with what becomes of each of its segments."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headwise.data.documents import DocumentOptions, Marking, Results, write_document
from headwise.data.jobs import OutputFormat, RunFiles
from headwise.data.jobs.inputs import input_settings
from headwise.data.jobs.record import JobRecord
from headwise.data.readers import Layout, document_format
from headwise.data.readers.layout import Format
from headwise.data.readers.rows import Row
from headwise.data.readers.tables import open_table
from headwise.data.writers import json_line
from headwise.errors import DataError
from headwise.evaluation.triage.promise import Action
from headwise.files import naming_output


def write_decided_document(
    scored: Path, decisions: Sequence[Action], output: Path, *, output_format: OutputFormat
) -> None:
    """Copy the document that segments were scored from, with scores and states.

    Segments that do not go out unread get the state of those that need a review; no state is
    raised.

    Args:
        scored: JSON lines of the document's segments, with the record of the job beside it.
        decisions: One a segment.
        output: The file to write. It appears, or is replaced, only when it is complete.
        output_format: Its format, which is that of the document.

    Raises:
        DataError: If nothing says which document that is, or it is another one by now.
        OutputError: If nothing can be written.
    """
    document, settings = _document_of(scored)
    kind = document_format(document, Layout(format=_format(settings)))
    if kind is None or kind.value != output_format.value:
        raise DataError(
            f"`{scored}` was scored from `{document}`, of which `{output}` cannot be a copy; name "
            "one of the same format, or a table."
        )
    options = DocumentOptions(**{k: _value(v) for k, v in settings["documents"].items()})
    marking = Marking(engine=Path(settings["model"]).name, states=True)
    with naming_output(output), tempfile.TemporaryDirectory(prefix="headwise-") as folder:
        output.parent.mkdir(parents=True, exist_ok=True)
        lines = Path(folder) / "rows.jsonl"
        with lines.open("wb") as stream, open_table(scored, Format.JSONL) as table:
            for row, decision in zip(table.rows, decisions, strict=True):
                assert isinstance(row, Row)
                stream.write(json_line(row.values | {"flagged": decision is not Action.PUBLISH}))
        results = Results(lines, RunFiles.of(scored).rejects)
        write_document(document, kind, output, results, options=options, marking=marking)


def _document_of(scored: Path) -> tuple[Path, Mapping[str, Any]]:
    """The document that a file of scores comes from, and the settings of that job."""
    record = JobRecord.read(RunFiles.of(scored).sidecar)
    if record is None or "documents" not in record.settings:
        raise DataError(
            f"Nothing beside `{scored}` says which document it was scored from; score that with "
            f"`headwise score DOCUMENT -o {scored.name}`, or write decisions to a table."
        )
    (name, *_) = record.settings["input"]
    found = input_settings([name])
    if found["input content"] != record.settings["input content"]:
        raise DataError(
            f"`{name}` is not the document any more that `{scored}` was scored from; score it anew."
        )
    return Path(name), record.settings


def _format(settings: Mapping[str, Any]) -> Format | None:
    return None if settings["format"] is None else Format(settings["format"])


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
