"""PO files: plural forms, comments, flags, charsets, and another library's view of them."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from made_documents import made_document

from headwise.data.documents import DocumentFormat, DocumentOptions, read_document
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

Write = Callable[..., bytes]
PO = DocumentFormat.PO
OPTIONS = DocumentOptions()
HEADER = 'msgid ""\nmsgstr ""\n"Language: cs\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], Path]:
    def saved(text: str, encoding: str = "utf-8") -> Path:
        path = tmp_path / "a.po"
        path.write_bytes(text.encode(encoding))
        return path

    return saved


def texts(path: Path, options: DocumentOptions = OPTIONS) -> list[tuple[str | None, str]]:
    rows = read_document(path, PO, options)
    return [(row.source, row.hypothesis) for row in rows if isinstance(row, Pair)]


def test_forms_of_a_plural(saved: Callable[[str], Path]) -> None:
    path = saved(
        f'{HEADER}#: a.c:1\nmsgctxt "menu"\nmsgid "%d file"\nmsgid_plural "%d files"\n'
        'msgstr[0] "%d soubor"\nmsgstr[1] "%d soubory"\nmsgstr[2] "%d souborů"\n'
    )
    rows = list(read_document(path, PO, OPTIONS))
    assert texts(path) == [
        ("%d file", "%d soubor"),
        ("%d files", "%d soubory"),
        ("%d files", "%d souborů"),
    ]
    assert isinstance(rows[2], Pair)
    assert rows[2].extra == {
        "unit": "7",
        "segment": "2",
        "state": "translated",
        "source_language": "en",
        "target_language": "cs",
    }


def test_what_is_no_translation(saved: Callable[[str], Path]) -> None:
    path = saved(
        f'{HEADER}#, fuzzy\nmsgid "a"\nmsgstr "b"\n\nmsgid "c"\nmsgstr ""\n\n'
        '#~ msgid "old"\n#~ msgstr "alt"\n'
    )
    skipped: Counter[str] = Counter()
    (row,) = read_document(path, PO, OPTIONS, skipped=skipped)
    assert isinstance(row, Pair)
    assert row.extra["state"] == "fuzzy"
    assert skipped == {"without a translation": 1}
    assert texts(path, DocumentOptions(states=("translated",))) == []
    assert texts(path, DocumentOptions(states=("fuzzy",))) == [("a", "b")]


def test_strings_of_c(saved: Callable[[str], Path]) -> None:
    said = r'"a\"b\\n\n" "\tc\101\x42"'
    path = saved(f'{HEADER}msgid "x"\nmsgstr ""\n{said}\n  "d"\n')
    assert texts(path) == [("x", 'a"b\\n\n\tcABd')]


def test_languages_and_charset(saved: Callable[[str], Path]) -> None:
    header = HEADER.replace("UTF-8", "ISO-8859-2").replace(
        "Language: cs", 'Language: pl\\n"\n"X-Source-Language: de'
    )
    path = saved(f'{header}msgid "Hände"\nmsgstr "ręce"\n', "iso-8859-2")
    (row,) = read_document(path, PO, OPTIONS)
    assert isinstance(row, Pair)
    assert (row.source, row.hypothesis) == ("Hände", "ręce")
    assert (row.extra["source_language"], row.extra["target_language"]) == ("de", "pl")


def test_comments_and_flags(saved: Callable[[str], Path], write: Write) -> None:
    path = saved(
        f'{HEADER}# by people\n#. by tools\n#: a.c:1\n#, c-format\n#| msgid "b"\nmsgid "a"\n'
        'msgstr "b \\"ě\\""\n\nmsgid "c"\nmsgstr "d"'
    )
    options = {"spans": lambda segment: [(0, 1)] if segment.target != "d" else []}
    written = write(path, PO, flagged=True, states=True, **options).decode()
    assert written == (
        f'{HEADER}# by people\n# headwise: 0.5000; check: "b"\n#. by tools\n#: a.c:1\n'
        '#, fuzzy, c-format\n#| msgid "b"\nmsgid "a"\nmsgstr "b \\"ě\\""\n\n'
        '# headwise: 0.5000\n#, fuzzy\nmsgid "c"\nmsgstr "d"'
    )
    scored = saved(written)
    assert write(scored, PO, flagged=True, states=True, **options).decode() == written
    without = write(scored, PO).decode()
    assert "fuzzy" in without  # what was found once is for people to take back
    assert "check" not in without


def test_line_ends_and_mark_stay(saved: Callable[[str], Path], write: Write) -> None:
    text = '\ufeffmsgid "a"\nmsgstr "b"\n'.replace("\n", "\r\n")
    written = write(saved(text), PO, flagged=True, states=True).decode()
    assert written == '\ufeff# headwise: 0.5000\r\n#, fuzzy\r\nmsgid "a"\r\nmsgstr "b"\r\n'


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ('msgid "a"\nmsgstr "b\n', "must be a text in quotation marks"),
        ('msgid "a"\nmsgid "c"\nmsgstr "b"\n', "has a second msgid"),
        ('msgid "a"\n', "has no msgstr"),
        ('msgstr "b"\n', "has msgstr and no msgid"),
        ("a dog\n", "is no part of an entry"),
        ('msgid "a"\nmsgstr "\udcff"\n', "is not utf-8"),
        ('msgid "a"\nmsgid_plural "c"\nmsgstr[0] "b"\nmsgstr[1] x\n', "in quotation marks"),
    ],
)
def test_entries_that_are_bad_are_rejects(tmp_path: Path, entry: str, reason: str) -> None:
    path = tmp_path / "a.po"
    text = f'{HEADER}{entry}\nmsgid "good"\nmsgstr "gut"\n'
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    bad, good = read_document(path, PO, OPTIONS)
    assert isinstance(bad, Reject)
    assert reason in bad.reason
    assert bad.reason.startswith("Unit ")
    assert good.content == "good\tgut"


def test_files_that_are_none(saved: Callable[[str], Path]) -> None:
    for content, said in (
        ("a dog\n", "is no PO file. Line 1 is no part of an entry"),
        (HEADER.replace("UTF-8", "klingon"), "'klingon', which is not known"),
    ):
        with pytest.raises(DataError, match=said):
            list(read_document(saved(content), PO, OPTIONS))
    with pytest.raises(DataError, match="UTF-16"):
        list(read_document(saved(HEADER, "utf-16"), PO, OPTIONS))


def test_another_library_reads_the_same(tmp_path: Path, write: Write) -> None:
    polib = pytest.importorskip("polib")
    import random

    dice = random.Random(5)
    for _ in range(30):
        made = made_document("po", dice)
        path = tmp_path / "a.po"
        path.write_bytes(made.content)
        if made.content.startswith(b"\xef\xbb\xbf"):
            continue  # which it does not know
        for content in (made.content, write(path, PO, flagged=True, states=True)):
            path.write_bytes(content)
            pairs = []
            for entry in polib.pofile(str(path)):
                forms = [said for _, said in sorted(entry.msgstr_plural.items())]
                sources = [entry.msgid, *([entry.msgid_plural] * (len(forms) - 1))]
                known = zip(sources, forms or [entry.msgstr], strict=True)
                pairs += [one for one in known if not entry.obsolete and one[1].strip()]
            assert pairs == made.pairs
