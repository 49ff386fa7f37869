"""Encoder-decoder models from text to scores, with slow and fast tokenisers."""

import pytest
import sentencepiece
import torch
from agreement import ALL_SIGNALS, assert_own_texts, assert_same, assert_same_token
from tiny_encoder_decoders import KINDS, learned_pieces
from tiny_models import PAIRS, memorise, stacked

from headwise import QualityEstimator
from headwise.backbones import (
    NAMED_PROMPTS,
    EncodedPair,
    EncoderDecoderBackbone,
    SequenceTemplate,
)
from headwise.data.records.scored import ScoredHypothesis
from headwise.errors import ContextLengthError, PromptError, TextError
from headwise.heads import ErrorHead, SigmoidHead

# Marian's tokeniser would rather have a package that only normalises punctuation
pytestmark = pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")


@pytest.fixture(scope="session")
def pieces() -> sentencepiece.SentencePieceProcessor:
    return learned_pieces()


@pytest.fixture(scope="module", params=KINDS)
def qe(
    request: pytest.FixtureRequest,
    pieces: sentencepiece.SentencePieceProcessor,
    tmp_path_factory: pytest.TempPathFactory,
) -> QualityEstimator:
    """An estimator around a model that knows a few translations by heart."""
    torch.manual_seed(0)
    model, tokenizer, prompt = KINDS[request.param](pieces, tmp_path_factory.mktemp("tokenizer"))
    backbone = EncoderDecoderBackbone(model, tokenizer)
    backbone._set_languages(prompt)
    labels = [tokenizer(text_target=h)["input_ids"] for _, h in PAIRS]
    sources = [tokenizer(prompt.render_source(tokenizer, s))["input_ids"] for s, _ in PAIRS]
    source = stacked(sources, tokenizer.pad_token_id)
    batch = {
        "input_ids": source,
        "attention_mask": (source != tokenizer.pad_token_id).long(),
        "decoder_input_ids": stacked([backbone._decoder_input_ids(ids) for ids in labels], 0),
        "labels": stacked(labels, -100),
    }
    memorise(model, [batch])
    head = SigmoidHead(vocabulary_size=backbone.vocabulary_size, hidden_size=backbone.hidden_size)
    head.initialise_from(torch.randn_like(head.weight) * 0.2)
    return QualityEstimator(backbone, head, prompt=prompt)


def test_all_ways_to_a_score_agree(qe: QualityEstimator) -> None:
    pairs = [(s, h) for s, _ in PAIRS[:2] for _, h in PAIRS]
    expected = [qe.score(*pair, signals=ALL_SIGNALS) for pair in pairs]
    for found, one in zip(qe.score_many(pairs, signals=ALL_SIGNALS), expected, strict=True):
        assert isinstance(found, ScoredHypothesis)
        assert_same(found, one)
    by_pair = dict(zip(pairs, expected, strict=True))
    for source, _ in PAIRS[:2]:
        for found in qe.rerank(source, [h for _, h in PAIRS], signals=ALL_SIGNALS):
            assert_same(found, by_pair[source, found.hypothesis])


@pytest.mark.parametrize("options", [{}, {"num_beams": 3}], ids=["greedy", "beams"])
def test_generated_and_scored_agree(qe: QualityEstimator, options: dict[str, int]) -> None:
    for source, hypothesis in PAIRS:
        generated = qe.generate(source, signals=ALL_SIGNALS, **options)
        if not known(qe, hypothesis):
            continue
        assert generated.hypothesis == hypothesis
        assert_same(generated, qe.score(source, hypothesis, signals=ALL_SIGNALS))


def test_streamed_and_scored_agree(qe: QualityEstimator) -> None:
    for source, hypothesis in PAIRS:
        streamed = list(qe.stream(source, signals=ALL_SIGNALS))
        if not known(qe, hypothesis):
            continue
        scored = qe.score(source, hypothesis, signals=ALL_SIGNALS)
        expected = scored.tokens + scored.special_tokens
        assert len(streamed) == len(expected)
        for a, b in zip(streamed, expected, strict=True):
            assert_same_token(a, b)


def test_an_error_head_does_not_take_a_language_code_for_a_token(qe: QualityEstimator) -> None:
    torch.manual_seed(5)
    made = ErrorHead(hidden_size=qe.backbone.hidden_size, variant="causal", inner_size=8)
    own = QualityEstimator(qe.backbone, error_head=made, prompt=qe.prompt)
    signals = ("error", "omission")
    for source, hypothesis in PAIRS[:2]:
        if not known(qe, hypothesis):
            continue
        scored = own.score(source, hypothesis, signals=signals)
        assert_same(own.generate(source, signals=signals), scored)
        streamed = list(own.stream(source, signals=signals))
        for a, b in zip(streamed, scored.tokens + scored.special_tokens, strict=True):
            assert_same_token(a, b)


def known(qe: QualityEstimator, hypothesis: str) -> bool:
    """Whether the tokeniser can write every character of a text."""
    ids = qe.backbone.tokenizer(text_target=hypothesis)["input_ids"]
    return qe.backbone.tokenizer.unk_token_id not in ids


def test_most_sentences_are_compared(qe: QualityEstimator) -> None:
    assert sum(known(qe, h) for _, h in PAIRS) >= 5


def test_what_is_given_and_what_is_written(qe: QualityEstimator) -> None:
    """The first target follows the language code, the last one is the end token."""
    source, hypothesis = PAIRS[0]
    (encoded,) = qe.backbone.encode([(source, hypothesis)], qe.prompt)
    assert isinstance(encoded, EncodedPair)
    name = qe.backbone.token_name
    given = [name(i) for i in encoded.input_ids[: encoded.first + 1]]
    start = {
        "MarianTokenizer": ["<pad>"],
        "T5Tokenizer": ["<pad>"],
        "NllbTokenizer": ["</s>", "deu_Latn"],
        "M2M100Tokenizer": ["</s>", "__de__"],
        "MBartTokenizer": ["de_DE"],
    }
    assert given == start[type(qe.backbone.tokenizer).__name__]
    closing = [name(i) for i in encoded.targets[len(encoded.ranges) :]]
    assert closing == ["</s>"]
    text = "".join(name(i) for i in encoded.targets[: len(encoded.ranges)])
    assert text.replace("▁", " ").strip() == hypothesis


def test_ranges_cover_the_hypothesis(qe: QualityEstimator) -> None:
    for hypothesis in [*(h for _, h in PAIRS), "Tee  mit\u00a0Milch", "茶 ist gut", "Fußball½"]:
        scored = qe.score("A dog.", hypothesis)
        covered: set[int] = set()
        for token in scored.tokens:
            assert token.start < token.end or qe.backbone.is_blank(token.token_id)
            covered |= set(range(token.start, token.end))
        assert_own_texts(scored.tokens, hypothesis)
        missing = "".join(c for i, c in enumerate(hypothesis) if i not in covered)
        assert not missing.strip(), (hypothesis, missing)
        starts = [t.start for t in scored.tokens]
        assert starts == sorted(starts)


def test_bad_input(qe: QualityEstimator) -> None:
    with pytest.raises(TextError, match="The source is empty"):
        qe.score("", "Ein Hund.")
    with pytest.raises(TextError, match="control token"):
        qe.score("A dog.", "Ein</s> Hund.")
    with pytest.raises(TextError):
        qe.generate("")
    if qe.backbone.max_length is not None:
        with pytest.raises(ContextLengthError, match="split the text"):
            qe.score("A dog.", "Tee " * 600)
    with pytest.raises(PromptError, match="needs a prompt of kind 'sequence'"):
        QualityEstimator(qe.backbone, qe.head, prompt=NAMED_PROMPTS["raw"])


def test_languages_belong_to_the_estimator_and_not_to_the_tokeniser(qe: QualityEstimator) -> None:
    assert isinstance(qe.prompt, SequenceTemplate)
    if qe.prompt.target_language is None:
        pytest.skip("a model of one direction")
    before = qe.score(*PAIRS[0])
    assert qe.prompt.source_language is not None
    swapped = SequenceTemplate(
        source_language=qe.prompt.target_language, target_language=qe.prompt.source_language
    )
    other = QualityEstimator(qe.backbone, qe.head, prompt=swapped)
    assert [t.sigmoid for t in other.score(*PAIRS[0]).tokens] != [t.sigmoid for t in before.tokens]
    assert_same(qe.score(*PAIRS[0]), before)
    other.generate(PAIRS[0][0], max_new_tokens=2)
    assert qe.generate(PAIRS[0][0]).hypothesis == PAIRS[0][1]


@pytest.mark.parametrize("which", ["source_language", "target_language"])
def test_an_unknown_language_is_refused(qe: QualityEstimator, which: str) -> None:
    assert isinstance(qe.prompt, SequenceTemplate)
    if qe.prompt.target_language is None:
        pytest.skip("a model of one direction")
    wrong = qe.prompt.model_copy(update={which: "Klingon"})
    with pytest.raises(PromptError, match="knows no language 'Klingon'"):
        QualityEstimator(qe.backbone, qe.head, prompt=wrong)
