"""Looking at rows before they are read for good."""

import logging
from pathlib import Path

import pytest

from headwise.data.readers import Layout, read_pairs
from headwise.data.readers.looking import count_rows, look_at_first
from headwise.errors import DataError


def test_rows_are_counted_and_nothing_is_said_of_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pairs.csv"
    path.write_bytes(b'src,mt\nA dog.,"Ein\nHund."\nA cat.,\n,Eine Katze.\n')
    with caplog.at_level(logging.INFO, "headwise"):
        assert count_rows(read_pairs(path)) == 3
        look_at_first(read_pairs(path))
        assert not caplog.records
        list(read_pairs(path))
    assert "reading" in caplog.text


def test_the_first_look_finds_that_a_column_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("src,mt\n")
    with pytest.raises(DataError, match="there is no `text`"):
        look_at_first(read_pairs(path, Layout(source_column="text")))
    look_at_first(read_pairs(path))
