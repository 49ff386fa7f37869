"""Contents with inline tags: their text, where each word is written, marks around words."""

import pytest

from headwise.data.documents.inline import Inline, inline_text, plain_text, without_marks

INLINE = Inline(frozenset({"g", "mrk", "pc"}))
OPENING = '<mrk mtype="x-its" its:annotatorsRef="localization-quality-issue|headwise:m">'


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("plain", "plain"),
        ("a &amp; b &lt;&gt;&quot;&apos;", "a & b <>\"'"),
        ("&#228;&#xE4;&#x1F415;&#x80;", "ää🐕\x80"),
        ("<g id='1'>bold</g>er", "bolder"),
        ('<bpt id="1">&lt;b></bpt>bold<ept id="1">&lt;/b></ept>', "bold"),
        ('a<ph id="1">code <sub>not <g id="2">this</g></sub> code</ph>b', "ab"),
        ("<x id='1'/>a<x id='2'/>", "a"),
        ('<mrk mtype="x-sdl-deleted">old</mrk>new', "new"),
        ("a<!-- <g> & -->b<?tool a>b?>c", "abc"),
        ("<![CDATA[<g>&amp;]]]]><![CDATA[>]]>", "<g>&amp;]]>"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("<![CDATA[one\r\ntwo]]>", "one\ntwo"),
        ('<g a="x > y" b=\'"\'>t</g>', "t"),
        ("<other>tool's own</other>text", "text"),
        ("<x:g>other's</x:g>text", "text"),
        # A line break between two words is a space, and nothing else is put in
        ('one<x id="1" ctype="lb"/>two', "one two"),
        ('one <x id="1" ctype="lb"/>two', "one two"),
        ('one<x id="1" ctype="lb"/> two', "one two"),
        ('<x ctype="lb"/>one<x ctype="lb"/>', "one"),
        ("one<ph type='lb'>&lt;br/></ph>two", "one two"),
        ('one<ph id="1" type="fmt" subType="xlf:lb"/>two', "one two"),
        ('one<x id="1"/>two', "onetwo"),
        ("", ""),
    ],
)
def test_text(content: str, text: str) -> None:
    assert plain_text(content, INLINE) == text
    assert inline_text(content, INLINE).text == text


def test_names_have_the_prefix_of_the_document() -> None:
    inline = Inline(frozenset({"g"}), "x:")
    assert plain_text("<x:g>a</x:g><g>b</g>", inline) == "a"


@pytest.mark.parametrize(
    ("content", "word", "written"),
    [
        ("ein Hund läuft", "Hund", "Hund"),
        ("ein &quot;Hund&quot;", "Hund", "Hund"),
        ("&auml;".replace("auml", "#228") + "h", "äh", "&#228;h"),
        ("<![CDATA[ein Hund]]>", "Hund", "Hund"),
        ("a\r\nHund", "Hund", "Hund"),
        ("🐕 Hund", "Hund", "Hund"),
        ('ein<x ctype="lb"/>Hund', "Hund", "Hund"),
    ],
)
def test_place_of_a_word(content: str, word: str, written: str) -> None:
    found = inline_text(content, INLINE)
    start = found.text.index(word)
    marked = found.marked([(start, start + len(word))], [lambda: "{"], "}")
    assert marked.partition("{")[2].partition("}")[0].removeprefix("<![CDATA[") in (
        written,
        f"{written}]]>",
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("ein Hund.", "ein [Hund]."),
        ("<g>ein Hund</g>", "<g>ein [Hund]</g>"),
        ("ein <g>Hund</g>", "ein <g>[Hund]</g>"),
        ("ein H<g>un</g>d", "ein [H<g>un</g>d]"),
        ("ein <g>Hu</g>nd", "ein <g>[Hu]</g>[nd]"),
        ("ein <g>H</g><g>und</g>", "ein <g>[H]</g><g>[und]</g>"),
        ("ein Hu<x/>nd", "ein [Hu<x/>nd]"),
        ("ein Hu<ph>code</ph>nd", "ein [Hu<ph>code</ph>nd]"),
        ("ein Hu<!-- c -->nd", "ein [Hu<!-- c -->nd]"),
        ("<![CDATA[Hund]]>", "[<![CDATA[Hund]]>]"),
        ("<![CDATA[ein Hund]]>", "<![CDATA[ein ]]>[<![CDATA[Hund]]>]"),
        ("<![CDATA[ein Hund.]]>", "<![CDATA[ein ]]>[<![CDATA[Hund]]>]<![CDATA[.]]>"),
        (
            "<![CDATA[ein ]]><![CDATA[Hund]]>",
            "<![CDATA[ein ]]><![CDATA[]]>[<![CDATA[Hund]]>]",
        ),
    ],
)
def test_marks_nest_and_can_be_taken_out(content: str, expected: str) -> None:
    found = inline_text(content, INLINE)
    start = found.text.index("Hund")
    marked = found.marked([(start, start + 4)], [lambda: OPENING], "</mrk>")
    assert marked.replace(OPENING, "[").replace("</mrk>", "]") == expected
    assert without_marks(marked) == content
    assert plain_text(marked, INLINE) == found.text


def test_marks_of_others_stay() -> None:
    content = 'a <mrk mtype="x-its" its:annotatorsRef="localization-quality-issue|other">b</mrk>'
    assert without_marks(content) == content
    found = inline_text(content, INLINE)
    marked = found.marked([(0, 3)], [lambda: OPENING], "</mrk>")
    assert without_marks(marked) == content
