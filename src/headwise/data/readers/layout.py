"""Where the texts stand in a row: formats, and what a reader is told about a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from headwise.data.documents import DocumentFormat, DocumentOptions
from headwise.data.readers.column_names import (
    ANSWER,
    CONTEXT,
    HYPOTHESIS,
    SOURCE,
    Role,
    knows_any,
    language_columns,
)
from headwise.data.readers.rows import Columns


class Format(StrEnum):
    """A file format that rows can be read from.

    Attributes:
        TSV: Tab-separated columns, with or without a header; also plain text, a line a row.
        CSV: Columns parted by commas, semicolons or tabs, whichever the file has.
        JSONL: One JSON object a line.
        JSON: A JSON array of objects; a file that is no array is read as JSONL.
        PARQUET: Apache Parquet.
        XLSX: The first sheet of an Excel workbook.
        XLIFF: A translators' document; so are the others that are named after it.
        TMX: A translation memory.
        PO: A catalogue of gettext.
    """

    TSV = "tsv"
    CSV = "csv"
    JSONL = "jsonl"
    JSON = "json"
    PARQUET = "parquet"
    XLSX = "xlsx"
    XLIFF = "xliff"
    TMX = "tmx"
    PO = "po"

    @property
    def document(self) -> DocumentFormat | None:
        """The format of translators' documents that it is; ``None`` for tables."""
        return DocumentFormat(self.value) if self.value in set(DocumentFormat) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a reader is told about a file; what is ``None`` is found out.

    A column named here is taken as it is: rows are then not read as conversations (``messages``)
    or as the marks of raters (MQM), whatever other columns there are.

    Attributes:
        format: The file's format; by default its suffix says it. A folder has only one.
        source_column: Name of the source column or key; by default one of ``source``, ``src``
            and ``original``, in any case, else of ``prompt``, ``question``, ``query``, ``input``
            and ``instruction``, else such a name in another language (``Quelle``), else the first
            of two columns called by languages (``en``, ``de``).
            Where a column ``translation`` holds texts by language, the language of the source; by
            default the first. Of a table without a header, the column's number, from 1.
        hypothesis_column: Name of the hypothesis column or key; by default one of
            ``hypothesis``, ``hyp``, ``mt``, ``target``, ``tgt`` and ``translation``, else of
            ``response``, ``answer``, ``output`` and ``completion``, else such a name in another
            language, else ``text`` or ``sentence``, else the second of two columns called by
            languages. In such a column ``translation``, the language of the hypothesis.
        has_source: Whether the hypotheses have a source. Otherwise a source column, if there is
            one, is handed through like any other.
        header: Whether the first row of a table names the columns; by default it does if one of
            the first names above stands in it, or it names all texts in another way. That of a
            ``.txt`` file does only if it names all texts of more than one column.
        encoding: The encoding of text, by a name that Python knows; by default UTF-8, or UTF-16
            if it is that.
        quotes: Whether quotation marks around cells belong to the format and not to the texts; by
            default those of CSV do, and those of TSV that looks so.
        documents: Which segments of translators' documents are read.
    """

    roles: ClassVar[tuple[Role, Role]] = (SOURCE, HYPOTHESIS)

    format: Format | None = None
    source_column: str | None = None
    hypothesis_column: str | None = None
    has_source: bool = True
    header: bool | None = None
    encoding: str | None = None
    quotes: bool | None = None
    documents: DocumentOptions = DocumentOptions()

    @property
    def names_columns(self) -> bool:
        """Whether a column is named here."""
        return self.source_column is not None or self.hypothesis_column is not None

    def columns(self, present: Sequence[str]) -> Columns:
        """Find the texts among the columns of a table or the keys of an object.

        Args:
            present: Names of the columns, in order.

        Raises:
            LookupError: If a column is not there, or several could be meant. The message says
                which and what to do.
        """
        source, hypothesis = self.source_column, self.hypothesis_column
        of_source, of_hypothesis = self.roles
        if hypothesis is None:
            hypothesis = of_hypothesis.look_for(present)
        if source is None and self.has_source:
            source = of_source.look_for(present)
        languages = [name for name in language_columns(present) if name not in (source, hypothesis)]
        if source is None and hypothesis is None and self.has_source and len(languages) == 2:
            source, hypothesis = languages
        elif len(languages) == 1:
            if hypothesis is None:
                hypothesis = languages[0]
            elif source is None and self.has_source:
                source = languages[0]
        if self.has_source:
            source = of_source.find(present, source)
        return Columns(source, of_hypothesis.find(present, hypothesis))

    def is_header(self, cells: Sequence[str], *, plain_text: bool = False) -> bool:
        """Whether the first row of a table names its columns.

        Args:
            cells: The cells of the row.
            plain_text: Whether the file is called ``.txt``.
        """
        if self.header is not None:
            return self.header
        if self.names_columns:
            return not self.numbers_columns(cells)
        if not plain_text and knows_any(cells, *self.roles):
            return True
        try:
            self.columns(cells)
        except LookupError:
            return False
        return not plain_text or len(cells) > 1

    def numbers_columns(self, cells: Sequence[str]) -> bool:
        """Whether columns are named by their numbers, which do not stand in the first row.

        Args:
            cells: The cells of the first row.
        """
        named = [name for name in (self.source_column, self.hypothesis_column) if name is not None]
        return all(name.isdecimal() and name not in cells for name in named)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundedLayout(Layout):
    """The same of contexts, which are the sources, and answers, which are the hypotheses.

    Their columns are known by other names: ``context`` comes before ``source`` and ``document``,
    ``answer`` before ``response``.
    """

    roles: ClassVar[tuple[Role, Role]] = (CONTEXT, ANSWER)
