"""TMX: which variant is the source, and properties."""

from collections.abc import Callable
from pathlib import Path

import pytest

from headwise.data.documents import DocumentFormat, DocumentOptions, read_document
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

Write = Callable[..., bytes]
TMX = DocumentFormat.TMX


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    def saved(units: str, language: str = "en") -> Path:
        path = tmp_path / "a.tmx"
        path.write_text(
            f'<tmx version="1.4"><header srclang="{language}"/><body>\n{units}</body></tmx>\n'
        )
        return path

    return saved


def variant(language: str, text: str) -> str:
    return f'<tuv xml:lang="{language}"><seg>{text}</seg></tuv>'


def unit(*variants: str, attributes: str = "") -> str:
    return f"<tu{attributes}>{''.join(variants)}</tu>\n"


def rows(path: Path, **options: str) -> list[tuple[str | None, str, str]]:
    found = read_document(path, TMX, DocumentOptions(**options))  # type: ignore[arg-type]
    return [
        (row.source, row.hypothesis, row.extra["target_language"])
        for row in found
        if isinstance(row, Pair)
    ]


EN, DE, FR = variant("EN-us", "dog"), variant("de", "Hund"), variant("fr", "chien")


def test_each_variant_beside_the_source(saved: Callable[..., Path]) -> None:
    path = saved(unit(DE, EN, FR) + unit(DE, EN))
    assert rows(path) == [("dog", "Hund", "de"), ("dog", "chien", "fr"), ("dog", "Hund", "de")]
    assert rows(path, target_language="fr") == [("dog", "chien", "fr")]
    assert rows(path, source_language="de") == [
        ("Hund", "dog", "EN-us"),
        ("Hund", "chien", "fr"),
        ("Hund", "dog", "EN-us"),
    ]


def test_a_unit_has_a_source_of_its_own(saved: Callable[..., Path]) -> None:
    assert rows(saved(unit(EN, FR, attributes=' srclang="fr"'))) == [("chien", "dog", "EN-us")]


def test_any_language_needs_to_be_named(saved: Callable[..., Path]) -> None:
    path = saved(unit(EN, DE), "*all*")
    with pytest.raises(DataError, match="name it with --source-language"):
        rows(path)
    assert rows(path, source_language="en") == [("dog", "Hund", "de")]


def test_a_unit_without_a_source_is_a_reject(saved: Callable[..., Path]) -> None:
    (row,) = read_document(saved(unit(DE, attributes=' tuid="7"')), TMX, DocumentOptions())
    assert row == Reject(1, "Unit 7, segment de: The unit has no variant in 'en'.", "\tHund")


def test_properties_stand_before_the_text(saved: Callable[..., Path], write: Write) -> None:
    path = saved(unit(EN, DE))
    written = write(path, TMX, spans=lambda _: [(0, 4)]).decode()
    assert (
        '<tuv xml:lang="de"><prop type="x-headwise-score">0.5000</prop>'
        '<prop type="x-headwise-check">"Hund"</prop><seg>Hund</seg></tuv>'
    ) in written
    again = path.with_name("b.tmx")
    again.write_text(written)
    assert write(again, TMX).decode().count("<prop") == 1
