"""XLIFF of both generations and its dialects: states, languages, what others wrote."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from headwise.data.documents import DocumentFormat, DocumentOptions, read_document
from headwise.data.records.pairs import Pair

Write = Callable[..., bytes]
XLIFF = DocumentFormat.XLIFF
ITS = "http://www.w3.org/2005/11/its"


def document12(units: str, more: str = "", attributes: str = "") -> str:
    return (
        f'<xliff xmlns="urn:oasis:names:tc:xliff:document:1.2" version="1.2"{more}><file '
        f'original="a" source-language="en" target-language="de-AT"{attributes}><body>'
        f"{units}</body></file></xliff>"
    )


def unit12(attributes: str = "", target: str = "", after: str = "") -> str:
    return (
        f'<trans-unit id="1"{attributes}><source>a</source><target{target}>b</target>{after}'
        "</trans-unit>"
    )


def document2(segments: str, version: str = "2.1", before: str = "") -> str:
    return (
        '<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" srcLang="en" trgLang="de" '
        f'version="{version}"><file id="f">\n<unit id="1">{before}\n {segments}\n</unit></file>'
        "</xliff>"
    )


def segment2(attributes: str = "", target: str = "b") -> str:
    return f"<segment{attributes}><source>a</source><target>{target}</target></segment>"


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], Path]:
    def saved(text: str) -> Path:
        path = tmp_path / "a.xlf"
        path.write_text(text, encoding="utf-8")
        return path

    return saved


def rows(path: Path, **options: object) -> tuple[list[Pair], dict[str, int]]:
    skipped: Counter[str] = Counter()
    chosen = DocumentOptions(**options)  # type: ignore[arg-type]
    found = read_document(path, XLIFF, chosen, skipped=skipped)
    return [row for row in found if isinstance(row, Pair)], dict(skipped)


def test_columns_say_where_a_segment_stands(saved: Callable[[str], Path]) -> None:
    found, _ = rows(saved(document12(unit12(target=' state="translated"'))))
    assert found[0].extra == {
        "file": "a",
        "unit": "1",
        "state": "translated",
        "source_language": "en",
        "target_language": "de-AT",
    }
    found, _ = rows(saved(document12(unit12(target=' xml:lang="fr"'))))
    assert found[0].extra["target_language"] == "fr"
    found, _ = rows(saved(document2(segment2(' id="s"'))), target_language="nl")
    assert found[0].extra == {
        "file": "f",
        "unit": "1",
        "segment": "s",
        "state": "initial",
        "source_language": "en",
        "target_language": "nl",
    }


SDL = ' xmlns:sdl="http://sdl.com/FileTypes/SdlXliff/1.0"'
MEMSOURCE = ' xmlns:m="http://www.memsource.com/mxlf/2.0"'


def sdl(attributes: str) -> str:
    return (
        '<trans-unit id="1"><source>a</source><seg-source><mrk mtype="seg" mid="7">a</mrk>'
        '</seg-source><target><mrk mtype="seg" mid="7">b</mrk></target><sdl:seg-defs>'
        f'<sdl:seg id="7"{attributes}/></sdl:seg-defs></trans-unit>'
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (document12(unit12()), None),
        (document12(unit12(' translate="no"')), "not to be translated"),
        (document12(f'<group translate="no">{unit12()}</group>'), "not to be translated"),
        (
            document12(f'<group translate="no"><group>{unit12()}</group></group>'),
            "not to be translated",
        ),
        (
            document12(
                f'<group translate="no">{unit12(" translate=" + chr(34) + "yes" + chr(34))}</group>'
            ),
            None,
        ),
        (document12(unit12(' approved="yes"')), "approved"),
        (document12(unit12(target=' state="final"')), "approved"),
        (document12(unit12(target=' state="signed-off"')), "approved"),
        (document12(unit12(target=' state="translated"')), None),
        (document12(unit12(' m:locked="true"'), MEMSOURCE), "locked"),
        (document12(unit12(' m:confirmed="1"'), MEMSOURCE), "approved"),
        (document12(unit12(' m:confirmed="0" m:locked="false"'), MEMSOURCE), None),
        (document12(unit12(' mq:locked="locked"'), ' xmlns:mq="MQXliff"'), "locked"),
        (document12(sdl(' conf="Translated"'), SDL), None),
        (document12(sdl(' conf="ApprovedTranslation"'), SDL), "approved"),
        (document12(sdl(' locked="true"'), SDL), "locked"),
        (document2(segment2()), None),
        (document2(segment2(' state="final"')), "approved"),
        (document2(segment2(' state="reviewed"')), None),
        (document2(segment2(target=" ")), "without a translation"),
        (document2(segment2()).replace('id="f"', 'id="f" translate="no"'), "not to be translated"),
    ],
)
def test_what_is_skipped(saved: Callable[[str], Path], text: str, reason: str | None) -> None:
    found, skipped = rows(saved(text))
    assert (len(found), skipped) == ((1, {}) if reason is None else (0, {reason: 1}))


def test_states_that_are_asked_for(saved: Callable[[str], Path]) -> None:
    states = ("new", "translated", "final")
    units = "".join(unit12(target=f' state="{state}"') for state in states) + unit12()
    path = saved(document12(units))
    found, skipped = rows(path, states=("Final", "none"))
    assert [row.extra.get("state") for row in found] == ["final", None]
    assert skipped == {"of other states": 2}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (unit12(), 'state="needs-review-translation"'),
        (unit12(target=' state="translated"'), 'state="needs-review-translation"'),
        (unit12(target=' state="new"'), 'state="new"'),
        (unit12(target=" state='needs-adaptation'"), "state='needs-adaptation'"),
        (sdl(' conf="Translated"'), 'conf="Draft"'),
        (sdl(' conf="RejectedTranslation"'), 'conf="RejectedTranslation"'),
        (unit12(' m:confirmed="0"'), 'm:confirmed="0"'),
    ],
)
def test_flagged_segments_are_to_be_reviewed_and_never_more(
    saved: Callable[[str], Path], write: Write, text: str, expected: str
) -> None:
    path = saved(document12(text, SDL + MEMSOURCE))
    assert expected in write(path, XLIFF, flagged=True, states=True).decode()
    unflagged = write(path, XLIFF, states=True).decode()
    assert "needs-review" not in unflagged
    assert "Draft" not in unflagged


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("", '<segment state="initial" subState="headwise:needs-review">'),
        (' state="translated"', '<segment state="translated" subState="headwise:needs-review">'),
        (
            ' state="reviewed" subState="a:b"',
            '<segment state="translated" subState="headwise:needs-review">',
        ),
        (' state="translated" subState="a:b"', '<segment state="translated" subState="a:b">'),
    ],
)
def test_the_same_of_version_2(
    saved: Callable[[str], Path], write: Write, attributes: str, expected: str
) -> None:
    path = saved(document2(segment2(attributes)))
    assert expected in write(path, XLIFF, flagged=True, states=True).decode()


def test_approved_segments_that_are_asked_for_and_flagged(
    saved: Callable[[str], Path], write: Write
) -> None:
    path = saved(document12(unit12(' approved="yes"', ' state="final"')))
    options = DocumentOptions(states=("final",))
    written = write(path, XLIFF, flagged=True, states=True, options=options).decode()
    assert 'approved="no"' in written
    assert 'state="needs-review-translation"' in written
    path = saved(document12(unit12(' m:confirmed="1"'), MEMSOURCE))
    options = DocumentOptions(states=("confirmed",))
    assert (
        'm:confirmed="0"' in write(path, XLIFF, flagged=True, states=True, options=options).decode()
    )


def test_what_another_engine_says_of_its_translation_stays(
    saved: Callable[[str], Path], write: Write
) -> None:
    its = f' xmlns:its="{ITS}" its:version="2.0"'
    said = ' its:mtConfidence="0.9" its:annotatorsRef="mt-confidence|engine"'
    written = write(saved(document12(unit12(target=said), its)), XLIFF).decode()
    assert f"<target{said}>" in written
    assert "headwise: 0.5000</note>" in written
    other = ' its:annotatorsRef="text-analysis|tool"'
    written = write(saved(document12(unit12(target=other), its)), XLIFF).decode()
    assert (
        '<target its:annotatorsRef="text-analysis|tool mt-confidence|headwise:a%20model" '
        'its:mtConfidence="0.5000">'
    ) in written


def test_prefixes_of_the_document_are_kept(saved: Callable[[str], Path], write: Write) -> None:
    taken = ' xmlns:its="http://example.org/other"'
    written = write(saved(document12(unit12(), taken)), XLIFF).decode()
    assert f'{taken} xmlns:itsns="{ITS}" itsns:version="2.0">' in written
    known = f' xmlns:i="{ITS}"'
    written = write(saved(document12(unit12(), known)), XLIFF).decode()
    assert f'{known} i:version="2.0">' in written
    assert '<target i:mtConfidence="0.5000"' in written


def test_a_note_of_others_stays(saved: Callable[[str], Path], write: Write) -> None:
    note = '<note from="reviewer">headwise</note>'
    written = write(saved(document12(unit12(after=note))), XLIFF).decode()
    assert written.count("</note>") == 2
    assert note in written


@pytest.mark.parametrize("before", ["", "\n <notes><note>by people</note></notes>"])
def test_version_2_0_has_a_note_and_nothing_of_its(
    saved: Callable[[str], Path], write: Write, before: str
) -> None:
    path = saved(document2(segment2(), "2.0", before))
    written = write(path, XLIFF).decode()
    assert "its" not in written
    assert '<note category="headwise">headwise: 0.5000</note>' in written
    assert written.count("<notes>") == 1
    marked = write(path, XLIFF, spans=lambda _: [(0, 1)], marked=True).decode()
    mark = '<mrk id="headwise1" type="comment" value="headwise: to check, 0.2500">b</mrk>'
    assert mark in marked


def test_names_of_marks_are_free(saved: Callable[[str], Path], write: Write) -> None:
    target = '<pc id="headwise1">b</pc> c'
    path = saved(document2(segment2(target=target)))
    written = write(path, XLIFF, spans=lambda _: [(0, 1), (2, 3)], marked=True).decode()
    assert [written.count(f'id="headwise{number}"') for number in (1, 2, 3, 4, 5)] == [
        1,
        1,
        1,
        1,
        0,
    ]


def test_documents_without_a_namespace(saved: Callable[[str], Path], write: Write) -> None:
    text = document12(unit12()).replace(' xmlns="urn:oasis:names:tc:xliff:document:1.2"', "")
    path = saved(text)
    assert [row.content for row in rows(path)[0]] == ["a\tb"]
    assert "mtConfidence" in write(path, XLIFF).decode()


def test_segments_of_an_sdl_unit_need_their_sources(saved: Callable[[str], Path]) -> None:
    text = document12(sdl("").replace('mtype="seg" mid="7">a', 'mtype="seg" mid="8">a'), SDL)
    (row,) = read_document(saved(text), XLIFF, DocumentOptions())
    assert not isinstance(row, Pair)
    assert row.reason == "Unit 1, segment 7: The unit has no source marked '7'."


def test_segments_that_are_not_scored_again_keep_what_was_said_of_them(
    saved: Callable[[str], Path], write: Write
) -> None:
    first, second = segment2(' id="s" state="translated"'), segment2(' id="t" state="reviewed"')
    path = saved(document2(first + second))
    written = write(path, XLIFF, spans=lambda _: [(0, 1)], marked=True).decode()
    again = saved(written)
    options = DocumentOptions(states=("reviewed",))
    known = write(again, XLIFF, spans=lambda _: [(0, 1)], marked=True, options=options).decode()
    marks = [f'"headwise{number}"' for number in range(1, 5)]
    for one in ("headwise s: 0.5000", "headwise t: 0.5000", *marks):
        assert (written.count(one), known.count(one)) == (1, 1)
    assert len(known) == len(written)
