"""Every token knows its characters, whatever the tokeniser does to them."""

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tiny_models import PAIRS, TOKENIZERS, UNSEEN, tiny_llama
from tokenizers import normalizers, processors
from transformers import PreTrainedTokenizerFast

from headwise.backbones import (
    NAMED_PROMPTS,
    CausalBackbone,
    ChatPromptTemplate,
    EncodedPair,
    PromptTemplate,
    TextTemplate,
)
from headwise.backbones.encodings import align_pieces, hypothesis_ranges, own_texts
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


def source_for(prompt: PromptTemplate) -> str | None:
    return "A dog runs on the beach." if prompt.has_source else None


def encode(backbone: CausalBackbone, prompt: PromptTemplate, hypothesis: str) -> EncodedPair:
    (encoded,) = backbone.encode([(source_for(prompt), hypothesis)], prompt)
    assert isinstance(encoded, EncodedPair), encoded
    return encoded


def check_ranges(backbone: CausalBackbone, encoded: EncodedPair, hypothesis: str) -> None:
    for token, (start, end) in zip(encoded.targets, encoded.ranges, strict=False):
        assert 0 <= start <= end <= len(hypothesis)
        text = hypothesis[start:end]
        # White space has tokens of its own, which may stand for a space of the layout
        if backbone.is_blank(token):
            assert not text.strip()
        else:
            assert text
            assert text == text.strip()
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
    check_ranges(backbone, encode(backbone, prompt, hypothesis), hypothesis)


@example(hypothesis="0\u00af\u0f71")  # a mark that is written as a space and a mark
@given(hypothesis=st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20))
def test_ranges_of_any_text(backbone: CausalBackbone, hypothesis: str) -> None:
    encoded = backbone.encode([("A dog.", hypothesis)], NAMED_PROMPTS["tiny"])[0]
    if isinstance(encoded, EncodedPair):
        check_ranges(backbone, encoded, hypothesis)


@pytest.mark.parametrize("hypothesis", HYPOTHESES)
@pytest.mark.parametrize("prompt", PROMPTS.values(), ids=PROMPTS)
def test_the_first_token_is_predicted_by_the_last_one_of_the_prompt(
    backbone: CausalBackbone, prompt: PromptTemplate, hypothesis: str
) -> None:
    encoded = encode(backbone, prompt, hypothesis)
    inputs = backbone.encode_prompt(source_for(prompt), prompt)
    given_ids = inputs["input_ids"][0].tolist()
    if prompt is PROMPTS["words before the hypothesis"]:
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


@pytest.mark.parametrize(
    "hypothesis", ["e\u0301te\u0301 n\u0303", "a\u0323\u0301", "\u1112\u1161\u11ab"]
)
def test_marks_that_a_tokeniser_composes_belong_to_all_bytes_of_their_letter(
    backbone: CausalBackbone, hypothesis: str
) -> None:
    encoded = encode(backbone, NAMED_PROMPTS["tiny"], hypothesis)
    check_ranges(backbone, encoded, hypothesis)
    texts = own_texts(encoded.ranges, hypothesis)
    assert "".join(texts).replace(" ", "") == hypothesis.replace(" ", "")


def test_bytes_of_one_character_share_its_range(tokenizer_of: TokenizerOf) -> None:
    for name in ("byte-level", "llama2-normaliser", "llama2-metaspace"):
        tokenizer = tokenizer_of(name)
        backbone = CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer)
        encoded = encode(backbone, NAMED_PROMPTS["tiny"], "Tee 议!")
        shared = [r for r in encoded.ranges if r == (4, 5)]
        assert len(shared) >= 3, (name, encoded.ranges)
        assert encoded.ranges[-1] == (5, 6)


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\n\n", "\t", " \n "])
def test_white_space_is_a_token_of_its_own_and_no_part_of_a_word(
    backbone: CausalBackbone, breaks: str
) -> None:
    text = f"Ein Hund.{breaks}Die Katze."
    for name in ("tiny", "text without a space"):
        encoded = encode(backbone, PROMPTS[name], text)
        blank = [text[a:b] for a, b in encoded.ranges if not text[a:b].strip()]
        assert "".join(blank).replace(" ", "") == breaks.replace(" ", "")
        words = [text[a:b] for a, b in encoded.ranges if text[a:b].strip()]
        assert "".join(words) == "EinHund.DieKatze."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # What is composed with the letter before it
        ("Ein scho\u0308ner Tag", ["Ein", "s", "c", "h", "o\u0308", "n", "e", "r"]),
        # What a tokeniser drops: behind a word, before one, between spaces
        ("Tee\u00ad ist", ["T", "e", "e\u00ad", "ist"]),
        ("Tee \u00adist", ["T", "e", "e", "\u00adist"]),
        ("\u00adTee ist", ["\u00adT", "e", "e", "ist"]),
        ("Tee \u00ad ist", ["T", "e", "e", "ist"]),
    ],
)
def test_characters_in_no_token_belong_to_the_one_they_stand_at(
    text: str, expected: list[str]
) -> None:
    """As a tokeniser that composes and drops reports them: places of single letters and words."""
    bare = [(i, i + 1) for i, c in enumerate(text) if c.isalpha()]
    words = [m.span() for m in re.finditer("Ein|ist|Tag", text)]
    letters = [r for r in bare if not any(a <= r[0] < b for a, b in words)]
    offsets = sorted([*words, *letters])
    ranges = hypothesis_ranges(offsets, [False] * len(offsets), text, start=0, end=len(text))
    assert [text[a:b] for a, b in ranges][: len(expected)] == expected


def test_offsets_that_lack_their_spaces_get_them_back(tokenizer_of: TokenizerOf) -> None:
    """Llama 3 and BART report " Hund" without its space, and a token of spaces without place."""
    tokenizer = TOKENIZERS["byte-level"]()
    steps = [processors.ByteLevel(trim_offsets=True)]
    tokenizer.backend_tokenizer.post_processor = processors.Sequence(steps)
    ids = tokenizer("Ein  Hund ")["input_ids"]
    backbone = CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer)
    encoded = encode(backbone, PROMPTS["text without a space"], "Ein  Hund ")
    plain = CausalBackbone(tiny_llama(tokenizer, num_hidden_layers=1), tokenizer_of("byte-level"))
    assert encoded == encode(plain, PROMPTS["text without a space"], "Ein  Hund ")
    assert tokenizer("Ein  Hund ")["input_ids"] == ids
    # A token over the end of the prompt is seen
    (refused,) = backbone.encode([("A", "Hund")], TextTemplate(prompt="{source}\n ", end="{eos}"))
    assert isinstance(refused, EncodedPair)
    assert backbone.tokenizer.decode(refused.targets) == " Hund</s>"


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
    blank = [True, False, True, False, True]
    ranges = hypothesis_ranges(offsets, blank, text, start=3, end=13)
    assert ranges == [(0, 0), (0, 5), (5, 6), (6, 10), (10, 10)]


@pytest.mark.parametrize(
    ("pieces", "text", "expected"),
    [
        (["▁Die", "▁Kat", "ze"], "Die Katze", ["Die", "Kat", "ze"]),
        (["▁", "Die", "▁Katze", "▁", "."], "Die Katze.", ["", "Die", "Katze", "", "."]),
        # Runs of spaces and odd ones are merged
        (["▁Die", "▁Katze"], "  Die \u00a0\t Katze ", ["Die", "Katze"]),
        # Unknown characters take what lies between their neighbours
        (["▁Tee", "▁", "<unk>", "▁ist"], "Tee 茶茶 ist", ["Tee", " ", "茶茶", "ist"]),
        (["<unk>", "▁ist"], "茶 ist", ["茶", "ist"]),
        (["▁Tee", "<unk>"], "Tee茶", ["Tee", "茶"]),
        (["▁", "<unk>", "▁", "<unk>", "▁ist"], "茶 茶 ist", ["", "茶", " ", "茶", "ist"]),
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
