from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import PAIRS, TOKENIZERS, UNSEEN
from transformers import PreTrainedTokenizerFast

from headwise.backbones.incremental_decoder import IncrementalDecoder

TokenizerOf = Callable[[str], PreTrainedTokenizerFast]


@pytest.fixture(scope="session", params=TOKENIZERS)
def tokenizer(request: pytest.FixtureRequest, tokenizer_of: TokenizerOf) -> PreTrainedTokenizerFast:
    return tokenizer_of(request.param)


def ids_of(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


@pytest.mark.parametrize("text", [*(h for _, h in PAIRS), *UNSEEN])
def test_the_pieces_are_the_whole(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    ids = ids_of(tokenizer, text)
    decoder = IncrementalDecoder(tokenizer)
    pieces = [decoder.push(token_id) for token_id in ids]
    assert "".join(piece or "" for piece in pieces) == tokenizer.decode(ids)
    assert "" not in pieces
    assert decoder.flush() == ""
    # A character is handed out whole or not at all
    assert not any("\ufffd" in piece for piece in pieces if piece)


@given(ids=st.lists(st.integers(6, 260), max_size=12))
def test_any_bytes_at_all(tokenizer_of: TokenizerOf, ids: list[int]) -> None:
    """Also bytes that are no characters: nothing is lost, nothing is handed out twice."""
    tokenizer = tokenizer_of("byte-level")
    decoder = IncrementalDecoder(tokenizer)
    text = "".join(decoder.push(token_id) or "" for token_id in ids) + decoder.flush()
    assert text.replace("\ufffd", "") == tokenizer.decode(ids).replace("\ufffd", "")


def test_a_split_character_waits_for_its_last_byte(tokenizer_of: TokenizerOf) -> None:
    tokenizer = tokenizer_of("byte-level")
    decoder = IncrementalDecoder(tokenizer)
    ids = ids_of(tokenizer, "a议🎉")
    assert len(ids) == 1 + 3 + 3
    assert [decoder.push(i) for i in ids] == ["a", None, None, "议", None, None, "🎉"]


def test_what_never_became_a_character_comes_out_at_the_end(tokenizer_of: TokenizerOf) -> None:
    tokenizer = tokenizer_of("byte-level")
    decoder = IncrementalDecoder(tokenizer)
    for token_id in ids_of(tokenizer, "a🎉")[:-1]:
        decoder.push(token_id)
    assert decoder.flush() == "\ufffd"
    assert decoder.flush() == ""


def test_only_a_window_is_decoded_again(tokenizer_of: TokenizerOf) -> None:
    tokenizer = tokenizer_of("byte-level")
    longest = 0

    class Watched:
        def decode(self, ids: list[int], **options: bool) -> str:
            nonlocal longest
            longest = max(longest, len(ids))
            return str(tokenizer.decode(ids, **options))

    decoder = IncrementalDecoder(Watched())  # type: ignore[arg-type]
    for token_id in ids_of(tokenizer, "Ein Hund läuft am Strand. " * 20):
        decoder.push(token_id)
    assert longest <= 4
