from pathlib import Path

import pytest

from headwise.corruption import CorruptionMix, ErrorFamily
from headwise.errors import DataError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mix.yaml"
    path.write_text(text, "utf-8")
    return path


def test_the_default_names_every_family() -> None:
    mix = CorruptionMix.default("de")
    assert set(mix.proportions) == set(ErrorFamily)
    assert mix.language == "de"
    assert mix.errors_per_text == {1: 6.0, 2: 3.0, 3: 1.0}
    assert CorruptionMix.default().language is None


def test_a_mix_is_read_from_yaml(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "proportions: {number: 2, swap: 0.5}\nlanguage: en\nerrors_per_text: {1: 3, 2: 1}\n",
    )
    assert CorruptionMix.read(path) == CorruptionMix(
        proportions={ErrorFamily.NUMBER: 2.0, ErrorFamily.SWAP: 0.5},
        language="en",
        errors_per_text={1: 3.0, 2: 1.0},
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must have `proportions`, got None"),
        ("- swap", r"must have `proportions`, got \['swap'\]"),
        ("{", "is not YAML"),
        ("language: de", "`proportions` must be given"),
        ("proportions: {typo: 1}", "proportions.typo.*got 'typo'"),
        ("proportions: {swap: many}", "`proportions.swap` must be a number, got 'many'"),
        ("proportions: {swap: -1}", "must be finite and at least 0, got -1.0 for swap"),
        ("proportions: {swap: .nan}", "must be finite and at least 0, got nan for swap"),
        ("proportions: {swap: 0}", "`proportions` must have a weight above 0"),
        ("proportions: {}", "`proportions` must have a weight above 0"),
        ("proportions: {swap: 1}\nerrors_per_text: {0: 1}", "at least 1 error, got 0"),
        ("proportions: {swap: 1}\nerrors: 2", "errors: .*got 2"),
    ],
)
def test_what_is_no_mix_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=reason) as caught:
        CorruptionMix.read(path)
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        CorruptionMix.read(tmp_path / "none.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(DataError, match="is not YAML"):
        CorruptionMix.read(tmp_path / "bytes.yaml")
