import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from headwise.data.readers import read_mlqe_pe
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair, Reject
from headwise.errors import DataError

DATA = Path(__file__).parents[4] / "shared" / "data" / "mlqe-pe-en-de"
HEADER = "index\toriginal\ttranslation\tscores\tmean\tz_scores\tz_mean\tmodel_scores"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def writer(name: str, *lines: str) -> Path:
        path = tmp_path / name
        text = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path

    return writer


def da(write: Write, *translations: str, mean: str = "50.5") -> Path:
    rows = [
        f"{i}\tYes.\t{t}\t[1, 100]\t{mean}\t[-1, 1]\t-0.5\t-1e-2"
        for i, t in enumerate(translations)
    ]
    return write("da.tsv.gz", HEADER, *rows)


def test_no_break_spaces_shift_no_tag(write: Write) -> None:
    (pair,) = read_mlqe_pe(
        da=da(write, "Ja 10\u00a0% a\u3000b ."), tags=write("tags", "OK BAD OK OK")
    )
    assert isinstance(pair, Pair)
    assert pair.errors == (ErrorSpan(3, 7, category="BAD"),)


def test_tags_are_placed_in_the_raw_translation(write: Write) -> None:
    (pair,) = read_mlqe_pe(
        da=da(write, "Ja, ja."),
        tokenised=write("mt", "Ja , ja ."),
        tags=write("tags", "OK OK OK OK BAD BAD OK OK OK"),
        hter=write("hter", "0.25"),
    )
    assert isinstance(pair, Pair)
    assert (pair.source, pair.hypothesis, pair.line) == ("Yes.", "Ja, ja.", 1)
    assert pair.tags is not None
    assert pair.tags.ranges == ((0, 2), (2, 3), (4, 6), (6, 7))
    assert pair.tags.bad == (False, False, True, False)
    assert pair.tags.bad_gaps == (False, False, True, False, False)
    assert pair.errors == (ErrorSpan(4, 6, category="BAD"),)
    assert pair.extra == {
        "index": "0",
        "scores": [1, 100],
        "mean": 50.5,
        "z_scores": [-1, 1],
        "z_mean": -0.5,
        "model_scores": -0.01,
        "hter": 0.25,
    }


def test_words_in_other_letters_and_odd_spaces_are_those_of_the_text(write: Write) -> None:
    """As HJQE lowers the first letter, MLQE-PE in Chinese has three spaces between some words."""
    table = [
        "segid\toriginal\ttranslation\tmean",
        "1382\tYes.\tIn den HBO-Serien, ja.\t90.0",
        "7\tYes.\t他在 2013 年 .\t12.5",
    ]
    first, second = read_mlqe_pe(
        da=write("da.tsv", *table),
        tokenised=write("mt.gz", "in den Hbo-Serien , ja .\r", "他 在   2013   年  . \r"),
        tags=write("tags.gz", "OK OK BAD OK OK OK\r", "OK OK OK BAD OK OK OK OK OK OK OK\r"),
    )
    assert isinstance(first, Pair)
    assert first.hypothesis == "In den HBO-Serien, ja."
    assert first.errors == (ErrorSpan(7, 17, category="BAD"),)
    assert first.extra == {"segid": "1382", "mean": 90.0}
    assert isinstance(second, Pair)
    assert second.errors == (ErrorSpan(1, 2, category="BAD"),)


def test_tokenised_texts_alone(write: Write) -> None:
    (pair,) = read_mlqe_pe(
        sources=write("src", "Yes ."),
        translations=write("mt", "Ja ."),
        tags=write("tags", "BAD OK"),
    )
    assert pair == Pair(
        "Yes .",
        "Ja .",
        1,
        errors=(ErrorSpan(0, 2, category="BAD"),),
        tags=pair.tags if isinstance(pair, Pair) else None,
    )
    (pair,) = read_mlqe_pe(da=da(write, "Ja.", mean="nan"))
    assert isinstance(pair, Pair)
    assert pair.errors is None
    assert pair.tags is None
    assert pair.extra["mean"] is None


def test_rows_that_do_not_fit_are_rejects(write: Write) -> None:
    rows = list(
        read_mlqe_pe(
            da=da(write, "Ja.", "Ja.", "Ja.", "Ja.", "Ja."),
            tokenised=write("mt", "Ja .", "“ Ja . ”", "Ja .", "Ja .", "Ja ."),
            tags=write("tags", "OK OK", "OK OK OK OK", "OK OK OK", "OK bad", "OK OK"),
            hter=write("hter", "0", "0", "0", "0", "much"),
        )
    )
    assert isinstance(rows[0], Pair)
    reasons = [row.reason for row in rows[1:] if isinstance(row, Reject)]
    assert [row.line for row in rows[1:]] == [2, 3, 4, 5]
    for reason, part in zip(
        reasons,
        [
            "Word 1, '“', is not what the text goes on with: 'Ja.' (character 0).",
            "2 words need 2 tags, or 5",
            "Tag 2 must be OK or BAD, got 'bad'",
            "In `hter`, a number is needed, got 'much'",
        ],
        strict=True,
    ):
        assert part in reason


def test_files_of_different_lengths_are_refused_before_the_first_row(write: Write) -> None:
    rows = read_mlqe_pe(
        da=da(write, "Ja.", "Ja."),
        tokenised=write("mt", "Ja .", "Ja ."),
        tags=write("tags", "OK OK"),
    )
    with pytest.raises(DataError, match=r"equally many rows; got .*mt` 2, .*tags` 1, .*gz` 2"):
        next(iter(rows))


def test_files_that_say_too_little(write: Write) -> None:
    tags, texts = write("tags", "OK"), write("mt", "Ja")
    with pytest.raises(ValueError, match="there are no texts"):
        read_mlqe_pe(tags=tags)
    with pytest.raises(ValueError, match="Give both `sources` and `translations`"):
        read_mlqe_pe(translations=texts, tags=tags)
    with pytest.raises(ValueError, match="only for finding the words of `tags`"):
        read_mlqe_pe(da=da(write, "Ja"), tokenised=texts)
    with pytest.raises(DataError, match="There is no file"):
        read_mlqe_pe(da=tags.with_name("none"))
    with pytest.raises(DataError, match="there is no `original`"):
        list(read_mlqe_pe(da=write("da", "index\ttranslation", "0\tJa")))
    with pytest.raises(DataError, match=r"Line 3 of .* has 2 columns, expected 8"):
        list(read_mlqe_pe(da=write("da", HEADER, "\t".join("0YJ11111"), "0\tJa")))
    with pytest.raises(DataError, match="more than one column called `mean`"):
        list(read_mlqe_pe(da=write("da", HEADER + "\tmean")))


def test_the_corpus_itself() -> None:
    if not DATA.is_dir():
        pytest.skip(f"needs the corpus in {DATA}")
    rows = list(
        read_mlqe_pe(
            da=DATA / "dev.da.tsv.gz",
            tokenised=DATA / "dev.mt.gz",
            tags=DATA / "dev.tags.gz",
            hter=DATA / "dev.hter.gz",
        )
    )
    assert len(rows) == 1000
    assert sum(isinstance(row, Reject) for row in rows) == 7  # the raw text lost quotation marks
    for row in rows:
        if isinstance(row, Pair):
            assert row.tags is not None
            words = "".join(row.hypothesis[start:end] for start, end in row.tags.ranges)
            assert words == "".join(row.hypothesis.split())
