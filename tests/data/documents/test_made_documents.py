"""200 documents of all dialects: read, copied, scored, scored again."""

import codecs
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from made_documents import DIALECTS, Made, made_documents

from headwise.data.documents import (
    DocumentFormat,
    DocumentOptions,
    Segment,
    read_document,
    segments_of,
)
from headwise.data.records.pairs import Pair
from headwise.data.records.words import word_ranges

Write = Callable[..., bytes]
ITS = "{http://www.w3.org/2005/11/its}"
OPTIONS = DocumentOptions()
DOCUMENTS = list(made_documents(207))
# What headwise puts in, as a pattern of its own
_ENGINE = r"mt-confidence\|headwise:a%20model"
INSERTED = (
    r" its:version=\"2\.0\"",
    rf" its:mtConfidence=\"0\.5000\" its:annotatorsRef=\"{_ENGINE}\"",
    r"(?:\r?\n *)?<(x:)?note from=\"headwise\" annotates=\"target\">[^<]*</(x:)?note>",
    r"<notes>\r?\n *(?:<note category=\"headwise\">[^<]*</note>\s*)+</notes>(?:\r?\n *)",
    r"(?:\r?\n *)?<note category=\"headwise\">[^<]*</note>",
    r"<prop type=\"x-headwise-score\">0\.5000</prop>(?:\r?\n *)?",
    r"# headwise[^\n]*\n",
)


@pytest.fixture(params=DIALECTS)
def documents(request: pytest.FixtureRequest, tmp_path: Path) -> list[tuple[Made, Path]]:
    """The documents of a dialect, with a file each."""
    found = []
    for number, made in enumerate(one for one in DOCUMENTS if one.dialect == request.param):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / made.name).write_bytes(made.content)
        found.append((made, folder / made.name))
    return found


def texts(path: Path, kind: DocumentFormat) -> list[tuple[str | None, str]]:
    rows = list(read_document(path, kind, OPTIONS))
    assert all(isinstance(row, Pair) for row in rows), rows
    return [(row.source, row.hypothesis) for row in rows if isinstance(row, Pair)]


def decoded(content: bytes) -> str:
    for mark, codec in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if content.startswith(mark):
            return content.decode(codec)
    return content.decode("latin-1")


def words(segment: Segment) -> list[tuple[int, int]]:
    return word_ranges(segment.target)


def is_xml(made: Made) -> bool:
    return made.kind is not DocumentFormat.PO


def test_all_dialects_are_there() -> None:
    assert {made.dialect for made in DOCUMENTS} == set(DIALECTS)
    assert sum(len(made.pairs) for made in DOCUMENTS) > 700


def test_texts_and_reasons(documents: list[tuple[Made, Path]]) -> None:
    for made, source in documents:
        skipped: Counter[str] = Counter()
        rows = list(read_document(source, made.kind, OPTIONS, skipped=skipped))
        assert texts(source, made.kind) == made.pairs
        assert [row.line for row in rows] == list(range(1, len(rows) + 1))
        assert dict(skipped) == made.skipped


def test_without_results_it_is_the_same(documents: list[tuple[Made, Path]], write: Write) -> None:
    for made, source in documents:
        assert write(source, made.kind, rows=False) == made.content


@pytest.mark.parametrize("size", [1, 61])
def test_chunks_may_end_anywhere(
    documents: list[tuple[Made, Path]], write: Write, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for made, source in documents[:4]:
        whole = write(source, made.kind)
        with monkeypatch.context() as patch:
            patch.setattr("headwise.data.documents.xml_stream._CHUNK_BYTES", size)
            assert texts(source, made.kind) == made.pairs
            assert write(source, made.kind) == whole


def test_what_is_put_in_can_be_taken_out(documents: list[tuple[Made, Path]], write: Write) -> None:
    for made, source in documents:
        written = decoded(write(source, made.kind))
        if made.dialect in ("xliff21", "xliff22"):
            written = re.sub(
                rf"<mrk id=\"headwise\d+\" type=\"its:generic\" its:mtConfidence=\"0\.5000\" "
                rf"its:annotatorsRef=\"{_ENGINE}\">(.*?)</mrk></target>",
                r"\1</target>",
                written,
                flags=re.DOTALL,
            )
        if "xmlns:its" not in decoded(made.content):
            written = written.replace(' xmlns:its="http://www.w3.org/2005/11/its"', "")
        for pattern in INSERTED:
            written = re.sub(pattern, "", written)
        assert written == decoded(made.content)


def test_the_copy_holds_the_same_texts(documents: list[tuple[Made, Path]], write: Write) -> None:
    for made, source in documents:
        output = source.with_name(f"scored.{made.name}")
        written = write(
            source, made.kind, spans=words, marked=is_xml(made), flagged=True, output=output
        )
        assert texts(output, made.kind) == made.pairs
        if is_xml(made):
            assert plain(written) == plain(made.content)


def test_scored_again_it_is_the_same(documents: list[tuple[Made, Path]], write: Write) -> None:
    for made, source in documents:
        first = source.with_name(f"first.{made.name}")
        options = {"marked": is_xml(made), "flagged": True, "states": made.dialect != "tmx"}
        once = write(source, made.kind, spans=words, output=first, **options)
        assert write(first, made.kind, spans=words, **options) == once
        assert (once != made.content) == bool(made.pairs)
        fewer = write(first, made.kind, spans=lambda segment: words(segment)[:1], **options)
        assert fewer == write(
            source, made.kind, spans=lambda segment: words(segment)[:1], **options
        )


@pytest.mark.parametrize("place", [0, 1, -1])
def test_a_word_is_marked_where_it_stands(
    documents: list[tuple[Made, Path]], write: Write, place: int
) -> None:
    for made, source in documents:
        if made.kind is not DocumentFormat.XLIFF:
            continue

        def one(segment: Segment) -> list[tuple[int, int]]:
            found = words(segment)
            return [found[place]] if len(found) > 1 else found[:1]

        expected = [
            segment.target[start:end]
            for segment in segments_of(source, made.kind, OPTIONS)
            if segment.skipped(OPTIONS) is None
            for start, end in one(segment)
        ]
        root = etree.fromstring(write(source, made.kind, spans=one, marked=True))
        marked: list[str] = []
        before = None
        for mark in root.iter("{*}mrk"):
            is_comment = mark.get("value", "").startswith("headwise: to check")
            if f"{ITS}locQualityIssueType" not in mark.attrib and not is_comment:
                continue
            holder = next(above for above in mark.iterancestors() if is_segment(above))
            text = "".join(mark.itertext(with_tail=False)) if not len(mark) else inner_text(mark)
            if holder is before:
                marked[-1] += text
            else:
                marked.append(text)
            before = holder
        assert marked == expected


def is_segment(element: etree._Element) -> bool:
    return etree.QName(element).localname == "target" or element.get("mtype") == "seg"


def inner_text(element: etree._Element) -> str:
    """The text of an element, without that of codes."""
    parts = [element.text or ""]
    for child in element:
        is_text = isinstance(child.tag, str) and (
            etree.QName(child).localname in ("g", "pc", "mrk")
            and child.get("mtype") != "x-sdl-deleted"
        )
        parts += [inner_text(child) if is_text else "", child.tail or ""]
    return "".join(parts)


def plain(content: bytes) -> list[object]:
    """Tags and texts of a document, without what headwise has put in."""
    found: list[object] = []
    walk(etree.fromstring(content), found)
    joined: list[object] = []
    for one in found:
        if isinstance(one, str) and joined and isinstance(joined[-1], str):
            joined[-1] += one
        else:
            joined.append(one)
    return [" ".join(o.split()) if isinstance(o, str) else o for o in joined if not is_blank(o)]


def is_blank(one: object) -> bool:
    return isinstance(one, str) and not one.strip()


def walk(element: etree._Element, found: list[object]) -> None:
    if not isinstance(element.tag, str):
        found.append((type(element).__name__, element.text))
        return
    name = etree.QName(element).localname
    own = {element.get("annotates") and element.get("from"), element.get("category")}
    if "headwise" in own or "headwise" in element.get("type", ""):
        return
    said = element.get(f"{ITS}annotatorsRef", "") + element.get("id", "")
    is_own = name == "mrk" and "headwise" in said and element.get("mtype") != "seg"
    is_own = is_own or (name == "notes" and not element.xpath("*[not(@category='headwise')]"))
    values = {k: v for k, v in element.attrib.items() if not k.startswith(ITS)}
    if not is_own:
        found.append((element.tag, values))
    found.append(element.text or "")
    for child in element:
        walk(child, found)
        found.append(child.tail or "")
    if not is_own:
        found.append(("end", element.tag))
