"""The page of checked claims, as it is without scripts."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from headwise.errors import OutputError
from headwise.report import write_claims_report


def texts_of(html: str) -> str:
    return unescape(re.sub("<[^>]*>", "", html))


def test_the_source_is_whole_and_what_decides_is_marked(
    rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "new" / "report.html"
    write_claims_report(iter(rows), path, model="<heads>", details={"input": "claims.tsv"})
    html = path.read_text("utf-8")
    assert re.findall(r"<dt>(\w[^<]*)</dt><dd>(\d+)", html) == [
        ("Supported", "1"),
        ("Contradicted", "2"),
        ("Not enough information", "0"),
        ("Uncertain", "1"),
    ]
    (source,) = re.findall(r'<p class="source"[^>]*>(.*?)</p>', html, re.DOTALL)
    assert texts_of(re.sub("<sup>.*?</sup>", "", source)) == rows[0]["source"]
    marks = re.findall(r'<mark class="([^"]*)" id="s1-\d+" data-claims="([^"]*)">(.*?)<', source)
    assert marks == [("backs", "1", "A man plays."), ("backs denies", "1 2 3", "Two dogs run.")]
    assert re.findall(r'<a class="(\w+)" href="#c(\d)"', source) == [
        *[("backs", "1"), ("backs", "1")],
        *[("denies", "2"), ("denies", "3")],
    ]
    # Every place that a claim names is there
    assert set(re.findall(r'href="#(s1-\d+)"', html)) == set(re.findall(r'id="(s1-\d+)"', html))
    assert "He &amp; they move." in html
    assert "similarity \N{MINUS SIGN}0.50" in html
    assert "not sure enough to count" in html
    assert "Checked by <bdi>&lt;heads&gt;</bdi>" in html
    assert not re.search(r"""(?:src|href)=["'](?!#)|url\(|@import""", html)


def test_claims_stand_with_their_sources(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    other = rows[1] | {"source": rows[0]["source"].replace("hall", "room")}
    write_claims_report([rows[0], other, rows[2]], tmp_path / "a.html")
    html = (tmp_path / "a.html").read_text("utf-8")
    first, second = html.split('<section class="group"')[1:]
    assert re.findall(r'id="c(\d)"', first) == ["1", "3"]
    assert re.findall(r'id="c(\d)"', second) == ["2"]


def test_many_claims_about_one_passage_are_counted(
    rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    write_claims_report([rows[1]] * 50, tmp_path / "a.html")
    (numbers,) = re.findall("<sup>(.*?)</sup>", (tmp_path / "a.html").read_text("utf-8"))
    assert texts_of(numbers) == "1 2 3 +47"


def test_one_source_of_all_and_no_claim(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    source = rows[0].pop("source")
    write_claims_report(rows[:1], tmp_path / "a.html", source=source)
    assert "A man plays." in (tmp_path / "a.html").read_text("utf-8")
    write_claims_report([], tmp_path / "a.html", source=source)
    assert "There are no claims in this report." in (tmp_path / "a.html").read_text("utf-8")
    with pytest.raises(OutputError):
        write_claims_report([], tmp_path / "a.html" / "b.html")
