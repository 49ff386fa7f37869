import sys
from pathlib import Path
from typing import Any

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from headwise.data.readers import Layout, read_pairs, read_scored
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

USER = {"role": "user", "content": "yes?"}
ASSISTANT = {"role": "assistant", "content": "ja"}


def save(folder: Path, columns: dict[str, list[Any]], **options: Any) -> Path:
    datasets.Dataset.from_dict(columns, **options).save_to_disk(folder)
    return folder


def translations(folder: Path, *languages: str) -> Path:
    rows = [{language: f"{language} {i}" for language in languages} for i in range(2)]
    features = datasets.Features(
        {"id": datasets.Value("int64"), "translation": datasets.Translation(languages)}
    )
    return save(folder, {"id": [7, 8], "translation": rows}, features=features)


def test_rows_with_annotations(tmp_path: Path) -> None:
    count = 2500  # more than one batch
    columns = {
        "mt": ["ja"] * count,
        "src": [f"yes {i}" for i in range(count)],
        "annotations": [[{"start": 0, "end": 2, "severity": "Major"}], None, *[[]] * (count - 2)],
        "n": list(range(count)),
    }
    rows = list(read_pairs(save(tmp_path / "data", columns)))
    assert [row.line for row in rows] == list(range(1, count + 1))
    assert rows[0] == Pair("yes 0", "ja", 1, {"n": 0}, errors=(ErrorSpan(0, 2, "Major"),))
    assert rows[1] == Pair("yes 1", "ja", 2, {"n": 1})
    assert rows[-1] == Pair(f"yes {count - 1}", "ja", count, {"n": count - 1}, errors=())


def test_conversations(tmp_path: Path) -> None:
    folder = save(tmp_path / "data", {"messages": [[USER, ASSISTANT] * 2, [USER]]})
    first, second, reject = read_pairs(folder)
    assert first == Pair("yes?", "ja", 1, history=(USER,))
    assert second == Pair("yes?", "ja", 1, history=(USER, ASSISTANT, USER))
    assert isinstance(reject, Reject)
    assert (reject.line, reject.reason[:23]) == (2, "None of the 1 messages ")


@pytest.mark.parametrize(
    ("layout", "source", "hypothesis"),
    [
        ({}, "de", "en"),  # `datasets` puts languages in alphabetical order
        ({"source_column": "en"}, "en", "de"),
        ({"source_column": "de"}, "de", "en"),
        ({"hypothesis_column": "de"}, "en", "de"),
        ({"source_column": "en", "hypothesis_column": "de"}, "en", "de"),
        ({"hypothesis_column": "de", "has_source": False}, None, "de"),
    ],
)
def test_texts_by_language(
    tmp_path: Path, layout: dict[str, Any], source: str | None, hypothesis: str
) -> None:
    expected = [
        Pair(source and f"{source} {i}", f"{hypothesis} {i}", i + 1, {"id": 7 + i})
        for i in range(2)
    ]
    folder = translations(tmp_path / "data", "en", "de")
    assert list(read_pairs(folder, Layout(**layout))) == expected


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_texts_by_language_in_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    texts = {"en": "yes", "de": "ja"}
    if suffix == "parquet":
        pyarrow.parquet.write_table(pyarrow.table({"translation": [texts, None]}), path)
    else:
        path.write_text('{"translation": {"en": "yes", "de": "ja"}}\n{"translation": null}\n')
    pair, reject = read_pairs(path)
    assert pair == Pair("yes", "ja", 1)
    assert isinstance(reject, Reject)
    assert reject.line == 2


@pytest.mark.parametrize(
    ("languages", "layout", "message"),
    [
        (("de", "en", "fr"), {}, "texts in two languages; found `de`, `en`, `fr`"),
        (("de",), {}, "texts in two languages; found `de`"),
        (("de", "en"), {"source_column": "fr"}, "cannot have `fr` as its source"),
        (
            ("de", "en"),
            {"source_column": "de", "hypothesis_column": "de"},
            "cannot have `de` as its source; its languages are `de`, `en`",
        ),
    ],
)
def test_languages_that_do_not_fit(
    tmp_path: Path, languages: tuple[str, ...], layout: dict[str, str], message: str
) -> None:
    folder = translations(tmp_path / "data", *languages)
    with pytest.raises(DataError, match=message):
        list(read_pairs(folder, Layout(**layout)))


def test_rows_come_in_the_order_of_the_dataset(tmp_path: Path) -> None:
    dataset = datasets.Dataset.from_dict({"src": list("abc"), "mt": list("xyz")})
    dataset.select([2, 0]).save_to_disk(tmp_path / "data", num_shards=2)
    assert list(read_pairs(tmp_path / "data")) == [Pair("c", "z", 1), Pair("a", "x", 2)]


def test_splits_are_named(tmp_path: Path) -> None:
    dataset = datasets.Dataset.from_dict({"src": ["yes"], "mt": ["ja"]})
    folder = tmp_path / "data"
    datasets.DatasetDict({"train": dataset, "dev": dataset}).save_to_disk(folder)
    with pytest.raises(DataError, match="holds several splits") as caught:
        read_pairs(folder)
    assert f"`{folder / 'train'}`, `{folder / 'dev'}`" in str(caught.value)
    assert list(read_pairs(folder / "dev")) == [Pair("yes", "ja", 1)]
    (folder / "dataset_dict.json").write_text("[]")
    with pytest.raises(DataError, match="names no splits"):
        read_pairs(folder)


def test_missing_column(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no source"):
        list(read_pairs(save(tmp_path / "data", {"mt": ["ja"]})))


def test_damaged_dataset(tmp_path: Path) -> None:
    folder = save(tmp_path / "data", {"src": ["yes"], "mt": ["ja"]})
    (arrow,) = folder.glob("*.arrow")
    arrow.write_bytes(arrow.read_bytes()[:50])
    with pytest.raises(DataError, match="cannot be read as a saved data set"):
        list(read_pairs(folder))
    arrow.unlink()
    with pytest.raises(DataError, match="cannot be read as a saved data set"):
        list(read_pairs(folder))


def test_missing_package_is_noticed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save(tmp_path / "data", {"src": ["yes"], "mt": ["ja"]})
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"pip install 'headwise\[datasets\]'"):
        read_pairs(folder)


def test_other_readers_refuse_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder"):
        list(read_scored(save(tmp_path / "data", {"src": ["yes"], "mt": ["ja"]})))
