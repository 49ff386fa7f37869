"""Every token knows its characters, whatever the tokeniser does to them."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import PAIRS, TOKENIZERS, UNSEEN, tiny_llama
from tokenizers import normalizers
from transformers import PreTrainedTokenizerFast

from headwise.backbones import (
    NAMED_PROMPTS,
    CausalBackbone,
    ChatPromptTemplate,
    EncodedPair,
    PromptTemplate,
    TextTemplate,
)
from headwise.backbones.encodings import align_pieces, hypothesis_ranges
from headwise.errors import TextError

PROMPTS: dict[str, PromptTemplate] = {
    "tiny": NAMED_PROMPTS["tiny"],
    "tower": NAMED_PROMPTS["tower"],
    "raw": NAMED_PROMPTS["raw"],
    "chat without a space": ChatPromptTemplate(user="{source}", system="Translate."),
    "text without a space": TextTemplate(prompt="{source}<|target|>", end="{eos}"),
    "words before the hypothesis": TextTemplate(
        prompt="{source}<|target|>", completion="German: {hypothesis}", end="{eos}"
    ),
}
HYPOTHESES = [hypothesis for _, hypothesis in PAIRS] + list(UNSEEN)

TokenizerOf = Callable[[str], PreTrainedTokenizerFast]


@pytest.fixture(scope="session", params=TOKENIZERS)
def backbone(request: pytest.FixtureRequest, tokenizer_of: TokenizerOf) -> CausalBackbone:
    tokenizer = tokenizer_of(request.param)
    return CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer)


def encode(backbone: CausalBackbone, prompt: PromptTemplate, hypothesis: str) -> EncodedPair:
    (encoded,) = backbone.encode([("A dog runs on the beach.", hypothesis)], prompt)
    assert isinstance(encoded, EncodedPair), encoded
    return encoded


def check_ranges(encoded: EncodedPair, hypothesis: str) -> None:
    assert all(0 <= start < end <= len(hypothesis) for start, end in encoded.ranges)
    starts, ends = zip(*encoded.ranges, strict=True)
    assert list(starts) == sorted(starts)
    assert list(ends) == sorted(ends)
    covered = {i for start, end in encoded.ranges for i in range(start, end)}
    missing = [c for i, c in enumerate(hypothesis) if i not in covered]
    assert not "".join(missing).strip(), missing


@pytest.mark.parametrize("hypothesis", HYPOTHESES)
@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_ranges_are_valid_ordered_and_complete(
    backbone: CausalBackbone, prompt: PromptTemplate, hypothesis: str
) -> None:
    check_ranges(encode(backbone, prompt, hypothesis), hypothesis)


@given(hypothesis=st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20))
def test_ranges_of_any_text(backbone: CausalBackbone, hypothesis: str) -> None:
    encoded = backbone.encode([("A dog.", hypothesis)], NAMED_PROMPTS["tiny"])[0]
    if isinstance(encoded, EncodedPair):
        check_ranges(encoded, hypothesis)


@pytest.mark.parametrize("hypothesis", HYPOTHESES)
@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_the_first_token_is_predicted_by_the_last_one_of_the_prompt(
    backbone: CausalBackbone, prompt: PromptTemplate, hypothesis: str
) -> None:
    encoded = encode(backbone, prompt, hypothesis)
    inputs = backbone.encode_prompt("A dog runs on the beach.", prompt)
    given_ids = inputs["input_ids"][0].tolist()
    if prompt is PROMPTS["words before the hypothesis"]:
        given_ids = list(encoded.input_ids[: encoded.first + 1])
        assert backbone.token_name(given_ids[-1]) == ":"
    assert list(encoded.input_ids[: encoded.first + 1]) == given_ids
    # The whole sequence stands there: what is read, and the last target
    assert encoded.input_ids[encoded.first + 1 :] == encoded.targets[:-1]
    written = encoded.targets[: len(encoded.ranges)]
    assert backbone.tokenizer.decode(written).strip() == hypothesis.strip()


def test_closing_tokens_are_targets_without_a_range(backbone: CausalBackbone) -> None:
    def closing(prompt: str) -> list[str]:
        encoded = encode(backbone, PROMPTS[prompt], "Ein Hund läuft am Strand.")
        ids = encoded.targets[len(encoded.ranges) :]
        return [backbone.token_name(i) for i in ids]

    assert closing("tiny") == ["</s>"]
    assert closing("raw") == []
    name, *line_feed = closing("tower")
    assert name == "<|im_end|>"
    assert line_feed in (["Ċ"], ["<0x0A>"], ["▁", "<0x0A>"], ["\n"])


def test_bytes_of_one_character_share_its_range(tokenizer_of: TokenizerOf) -> None:
    for name in ("byte-level", "llama2-normaliser", "llama2-metaspace"):
        tokenizer = tokenizer_of(name)
        backbone = CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer)
        encoded = encode(backbone, NAMED_PROMPTS["tiny"], "Tee 议!")
        shared = [r for r in encoded.ranges if r == (4, 5)]
        assert len(shared) >= 3, (name, encoded.ranges)
        assert encoded.ranges[-1] == (5, 6)


def test_spaces_belong_to_no_token(tokenizer_of: TokenizerOf) -> None:
    tokenizer = tokenizer_of("byte-level")
    backbone = CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer)
    text = "Ein Hund läuft am Strand."
    encoded = encode(backbone, NAMED_PROMPTS["tiny"], text)
    assert all(text[a:b].strip() == text[a:b] for a, b in encoded.ranges)


def test_text_that_the_tokeniser_drops_is_an_error_of_its_row_alone(
    tokenizer_of: TokenizerOf,
) -> None:
    tokenizer = tokenizer_of("byte-level")
    kept = tokenizer.backend_tokenizer.normalizer
    tokenizer.backend_tokenizer.normalizer = normalizers.Replace("\u200b", "")
    try:
        backbone = CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer)
        results = backbone.encode(
            [("A dog.", "Ein Hund."), ("A dog.", "\u200b"), ("A cat.", "Die Katze.")],
            TextTemplate(prompt="{source}<|target|>"),
        )
    finally:
        tokenizer.backend_tokenizer.normalizer = kept or normalizers.Sequence([])
    assert [type(result) for result in results] == [EncodedPair, TextError, EncodedPair]
    assert "makes no token" in str(results[1])


def test_offsets_are_cut_to_the_hypothesis() -> None:
    text = "p: Hallo Welt</s>"
    offsets = [(2, 3), (2, 8), (8, 9), (8, 13), (13, 13)]
    ranges = hypothesis_ranges(offsets, text, start=3, end=13)
    assert ranges == [(0, 1), (0, 5), (6, 7), (6, 10), (9, 10)]


@pytest.mark.parametrize(
    ("pieces", "text", "expected"),
    [
        (["▁Die", "▁Kat", "ze"], "Die Katze", ["Die", "Kat", "ze"]),
        (["▁", "Die", "▁Katze", "▁", "."], "Die Katze.", ["D", "Die", "Katze", ".", "."]),
        # Runs of spaces and odd ones are merged
        (["▁Die", "▁Katze"], "  Die \u00a0\t Katze ", ["Die", "Katze"]),
        # Unknown characters take what lies between their neighbours
        (["▁Tee", "▁", "<unk>", "▁ist"], "Tee 茶茶 ist", ["Tee", "茶", "茶茶", "ist"]),
        (["<unk>", "▁ist"], "茶 ist", ["茶", "ist"]),
        (["▁Tee", "<unk>"], "Tee茶", ["Tee", "茶"]),
        (["▁", "<unk>", "▁", "<unk>", "▁ist"], "茶 茶 ist", ["茶", "茶 茶", "i", "i", "ist"]),
        # NFKC: one character becomes several, several become one
        (["▁e", "ffi", "zient"], "eﬃzient", ["e", "ﬃ", "zient"]),
        (["▁e", "ff", "i", "zient"], "eﬃzient", ["e", "ﬃ", "ﬃ", "zient"]),
        (["▁1\u20442", "▁Tee"], "½ Tee", ["½", "Tee"]),
        (["▁sch", "ön"], "scho\u0308n", ["sch", "o\u0308n"]),
        # The same piece twice
        (["▁da", "▁da", "▁da"], "da da da", ["da", "da", "da"]),
    ],
)
def test_pieces_are_found_in_the_text(pieces: list[str], text: str, expected: list[str]) -> None:
    ranges = align_pieces(pieces, text)
    assert [text[a:b] for a, b in ranges] == expected
    starts = [a for a, _ in ranges]
    assert starts == sorted(starts)
