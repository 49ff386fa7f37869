"""Documents that attack, are damaged, or were changed at random: named errors or rejects."""

import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from made_documents import DIALECTS, Made, made_document

from headwise.data.documents import (
    DocumentFormat,
    DocumentOptions,
    Marking,
    Results,
    read_document,
    write_document,
)
from headwise.data.records.pairs import Pair, Reject
from headwise.data.records.words import word_ranges
from headwise.errors import DataError

OPTIONS = DocumentOptions()
XLIFF = (
    '<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2" version="1.2"><file original="a" '
    'source-language="en" target-language="de" datatype="x"><body><trans-unit id="1">'
    "<source>a</source><target>{}</target></trans-unit></body></file></xliff>"
)
LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
LARGE = "x" * 100_000
SPICE = (
    *(b"<", b">", b"&", b'"', b"]]>", b"<![CDATA[", b"<!--", b"\x00", b"\xff", b"\xed\xa0\x80"),
    *(b"</target>", b"<target>", b"<trans-unit>", b"<mrk>", b"</mrk>", b"&#0;", b"&#xD800;"),
    *(b"&nbsp;", b'<?xml version="1.0"?>', b"<!DOCTYPE a [", b"<note from='headwise'>", b"\r"),
    *(
        b'mtype="seg"',
        b"msgid",
        b'msgstr "',
        b"#, fuzzy",
        b'msgid_plural "a"',
        b"\\x",
        b"\\",
        b"#~",
    ),
    *(b' its:annotatorsRef="x|headwise:"', b"<segment>", b"<notes>", b"<seg>", b"</tu>", b"\xc3"),
)


def read(path: Path, kind: DocumentFormat = DocumentFormat.XLIFF) -> list[Pair | Reject]:
    return list(read_document(path, kind, OPTIONS))


@pytest.fixture
def refused(tmp_path: Path) -> Callable[[str | bytes], str]:
    """What is said of a document that cannot be read."""

    def refused(content: str | bytes) -> str:
        path = tmp_path / "a.xlf"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(DataError) as error:
            read(path)
        assert "a.xlf" in str(error.value)
        return str(error.value)

    return refused


@pytest.mark.parametrize(
    ("subset", "text"),
    [
        ('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"),
        ('<!ENTITY x SYSTEM "http://127.0.0.1:9/x">', "&x;"),
        ('<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;', "a"),
        (f'<!ENTITY l0 "ha">{LAUGHS}', "&l9;"),
        (f'<!ENTITY x "{LARGE}">', "&x;" * 1000),
        ("<!ELEMENT target ANY>", "a"),
        ("", "a"),
    ],
    ids=["file", "network", "parameter", "billion laughs", "quadratic", "element", "empty"],
)
def test_declarations_are_refused_at_once(
    refused: Callable[[str], str], subset: str, text: str
) -> None:
    started = time.process_time()
    said = refused(f"<!DOCTYPE xliff [{subset}]>{XLIFF.format(text)}")
    assert "refused at line 1" in said
    assert "DOCTYPE" in said
    assert time.process_time() - started < 2


@pytest.mark.parametrize("kind", ["SYSTEM 'file:///etc/passwd'", "PUBLIC '-//x' 'http://x/a.dtd'"])
def test_a_dtd_that_is_only_named_is_never_loaded(
    tmp_path: Path, refused: Callable[[str], str], kind: str
) -> None:
    path = tmp_path / "b.xlf"
    path.write_text(f"<!DOCTYPE xliff {kind}>{XLIFF.format('ein Hund')}")
    assert [row.content for row in read(path)] == ["a\tein Hund"]
    assert "`&nbsp;` is not declared" in refused(f"<!DOCTYPE xliff {kind}>{XLIFF.format('&nbsp;')}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no element found"),
        ("a dog", "line 1, column 1"),
        (XLIFF.format("a")[:-8], "no element found"),
        (XLIFF.format("<g id='1'>a"), "line 1, column 206: mismatched tag"),
        (XLIFF.format("&nbsp;"), "undefined entity"),
        (XLIFF.format("a\0b"), "not well-formed"),
        (XLIFF.format("a").encode() + b"<xliff/>", "junk after document element"),
        (XLIFF.format("a").encode().replace(b">a<", b">\xe4<"), "not well-formed"),
        (XLIFF.format("a").encode("utf-32"), "line 1"),
        (f'<?xml version="1.0" encoding="utf-16"?>{XLIFF.format("a")}', "encoding"),
        (f'<?xml version="1.0" encoding="klingon"?>{XLIFF.format("a")}', "save it as UTF-8"),
        (f'<?xml version="1.0" encoding="shift_jis"?>{XLIFF.format("a")}', "save it as UTF-8"),
        ("<x:xliff/>", "unbound prefix"),
        ('<tmx version="1.4"/>', "must begin with <xliff>, got <tmx>"),
        ('<xliff version="3.0"/>', "its version is '3.0'"),
        (XLIFF.format("<g>" * 300 + "</g>" * 300), "nested more than 256"),
        (XLIFF.format(f"<!--{'x' * 5_000_000}-->"), "longer than 4,194,304 bytes"),
        (XLIFF.format(f'<g id="{"x" * 5_000_000}">a</g>'), "longer than 4,194,304 bytes"),
    ],
)
def test_damage_is_named(refused: Callable[[str | bytes], str], content: str, said: str) -> None:
    assert said in refused(content)


def test_damage_behind_the_first_segments_is_found_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xlf"
    path.write_text(XLIFF.format("a").replace("</body>", " " * 500_000 + "</bode>"))
    rows = read_document(path, DocumentFormat.XLIFF, OPTIONS)
    with pytest.raises(DataError, match="line 1, column 5"):
        next(rows)


def test_units_that_are_bad_are_rejects(tmp_path: Path) -> None:
    path = tmp_path / "a.xlf"
    bad = '</trans-unit><trans-unit id="2"><target>b</target></trans-unit><trans-unit id="3">'
    path.write_text(
        XLIFF.format("a").replace(
            "</target>", f"</target>{bad}<source>c</source><target>d</target>"
        )
    )
    rows = read(path)
    assert [type(row) for row in rows] == [Pair, Reject, Pair]
    assert rows[1] == Reject(2, "Unit 2: The unit has no source.", "\tb")


def changed(content: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.randint(1, 3)):
        place, other = (dice.randrange(len(content) or 1) for _ in "ab")
        match dice.randrange(6):
            case 0:
                content = content[:place] + bytes([dice.randrange(256)]) + content[place + 1 :]
            case 1:
                content = content[:place] + content[place + dice.randint(1, 40) :]
            case 2:
                content = content[:place] if dice.random() < 0.2 else content
            case 3:
                content = content[:place] + dice.choice(SPICE) + content[place:]
            case 4:
                piece = content[other : other + dice.randint(1, 200)]
                content = content[:place] + piece + content[place:]
            case 5:
                first, last = sorted((place, other))
                swapped = content[last : last + 9], content[first : first + 9]
                content = content[:first] + swapped[0] + content[first + 9 :]
    return content


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "count", [40, pytest.param(230, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_documents_changed_at_random(
    dialect: str, count: int, tmp_path: Path, write: Callable[..., bytes]
) -> None:
    dice = random.Random(f"{dialect}{count}")
    outcomes: list[str] = []
    for _ in range(count):
        made = made_document(dialect, dice)
        path = tmp_path / made.name
        path.write_bytes(changed(made.content, dice))
        outcomes.append(outcome(made, path, write))
    assert set(outcomes) <= {"read", "rejects", "refused"}
    assert len(set(outcomes)) > 1


def outcome(made: Made, path: Path, write: Callable[..., bytes]) -> str:
    try:
        rows = read(path, made.kind)
    except DataError:
        return "refused"
    marks = made.kind is DocumentFormat.XLIFF
    assert write(path, made.kind, rows=False) == path.read_bytes()
    written = write(
        path,
        made.kind,
        spans=lambda segment: word_ranges(segment.target)[::2],
        marked=marks,
        flagged=True,
        states=made.kind is not DocumentFormat.TMX,
    )
    again = path.with_name(f"again.{made.name}")
    again.write_bytes(written)
    assert [row.content for row in read(again, made.kind)] == [row.content for row in rows]
    if made.kind is not DocumentFormat.PO and is_whole(path.read_bytes()):
        assert is_whole(written)
    return "rejects" if any(isinstance(row, Reject) for row in rows) else "read"


def is_whole(content: bytes) -> bool:
    """Whether another parser, which is stricter about names of namespaces, can read it."""
    try:
        etree.fromstring(content, etree.XMLParser(resolve_entities=False, huge_tree=True))
    except etree.XMLSyntaxError:
        return False
    return True


def test_memory_is_that_of_a_unit(tmp_path: Path) -> None:
    path = tmp_path / "a.xlf"
    texts = f"<source>a</source><target>b</target><note>{'x' * 2000}</note>"
    filling = f"<trans-unit id='n'>{texts}</trans-unit>"
    with path.open("w") as stream:
        start, end = XLIFF.format("a").split("<trans-unit", 1)
        stream.write(f"{start}<internal-file>{'y' * 20_000_000}</internal-file>")
        for _ in range(4000):
            stream.write(filling)
        stream.write(f"<trans-unit{end}")
    assert path.stat().st_size > 28_000_000
    row = b'{"hypothesis": "b", "score": 0.5, "signals": {"quality": 0.5}}\n'
    lines = tmp_path / "lines"
    lines.write_bytes(row * 4000 + row.replace(b'"b"', b'"a"'))
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_document(path, DocumentFormat.XLIFF, OPTIONS)) == 4001
        write_document(
            path,
            DocumentFormat.XLIFF,
            tmp_path / "b.xlf",
            Results(lines, tmp_path / "none"),
            options=OPTIONS,
            marking=Marking(engine="m"),
        )
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert (tmp_path / "b.xlf").stat().st_size > path.stat().st_size
