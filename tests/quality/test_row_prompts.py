"""Variables of a prompt that each row brings: languages by code or name, and any others."""

from pathlib import Path
from typing import Any

import pytest
from tiny_encoder_decoders import KINDS, learned_pieces
from tiny_models import PAIRS

from headwise import QualityEstimator
from headwise.backbones import (
    NAMED_PROMPTS,
    CausalBackbone,
    EncoderDecoderBackbone,
    PromptTemplate,
    TextTemplate,
    parse_prompt,
)
from headwise.data.records.pairs import Pair
from headwise.data.records.scored import ScoredHypothesis
from headwise.errors import InputError, PromptError, PromptVariableError, TextError
from headwise.evaluation import monte_carlo_probability
from headwise.features import FeatureSpec
from headwise.features.fingerprint import fingerprint
from headwise.languages import language_code, language_name

BILINGUAL = NAMED_PROMPTS["bilingual"]
ROW_WISE = BILINGUAL.bind_columns(source_language="from", target_language="to")
SOURCE, HYPOTHESIS = PAIRS[0]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        *((code, "German") for code in ("de", "DE", "de_DE", "de-AT", "deu", "deu_Latn", "de-de")),
        *((called, "German") for called in ("German", "german", " Deutsch ")),
        *((code, "Chinese") for code in ("zh", "zh-Hans", "zh_Hant_TW", "zh-tw", "cmn", "中文")),
        ("pt_BR", "Portuguese"),
        ("Brazilian Portuguese", "Brazilian Portuguese"),
        ("Chinese (Traditional)", "Chinese (Traditional)"),
        ("en-DE", "English"),
        *((unknown, None) for unknown in ("xx", "en-de", "et_en", "Gemran", "", "12", "d")),
    ],
)
def test_languages_are_known_by_code_or_name(value: str, name: str | None) -> None:
    assert language_name(value) == name


def test_codes_of_a_model_are_found_by_code_or_name() -> None:
    known = ("deu_Latn", "eng_Latn", "zho_Hans", "zho_Hant")
    assert language_code("deu_latn", known) == language_code("German", known) == "deu_Latn"
    assert language_code("zho_Hant", known) == "zho_Hant"
    assert language_code("Klingon", known) == "Klingon"
    with pytest.raises(PromptError, match="'zh' could be each of zho_Hans, zho_Hant"):
        language_code("zh", known)


def bound(parrot: CausalBackbone, **languages: str) -> QualityEstimator:
    return QualityEstimator(parrot, prompt=BILINGUAL.bind(**languages))


def test_rows_are_scored_with_their_own_prompts(parrot: CausalBackbone) -> None:
    rows = [("en", "de_DE"), ("English", "French"), ("eng", "German"), ("nl", "deu_Latn")]
    pairs = [
        {"source": s, "hypothesis": h, "from": a, "to": b}
        for (s, h), (a, b) in zip(PAIRS, rows, strict=False)
    ]
    found = list(QualityEstimator(parrot, prompt=ROW_WISE).score_many(pairs, signals=["logprob"]))
    names = [("English", "German"), ("English", "French"), ("English", "German")]
    for one, pair, (a, b) in zip(found, PAIRS, [*names, ("Dutch", "German")], strict=False):
        assert isinstance(one, ScoredHypothesis)
        expected = bound(parrot, source_language=a, target_language=b)
        assert one.score == pytest.approx(expected.score(*pair, signals=["logprob"]).score)
    # A code and its name are one prompt, wherever they are given
    by_code = bound(parrot, source_language="en", target_language="de")
    by_name = bound(parrot, source_language="English", target_language="German")
    assert by_code.prompt == by_name.prompt


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"from": "en"}, "no column `to`, and the prompt takes 'target_language' from it; its"),
        ({"from": "en", "to": ""}, "`to` is empty"),
        ({"from": "en", "to": None}, "`to` must be text.* it is nothing"),
        ({"from": "en", "to": ["de"]}, "`to` must be text.* it is list"),
        ({"from": "en", "to": "xx"}, "`to` is 'xx', which is no language"),
        ({"from": "en-de", "to": "de"}, "`from` is 'en-de', which is no language"),
    ],
)
def test_a_row_without_its_values_is_rejected_alone(
    row: dict[str, Any], message: str, parrot: CausalBackbone
) -> None:
    qe = QualityEstimator(parrot, prompt=ROW_WISE)
    good = {"source": SOURCE, "hypothesis": HYPOTHESIS, "from": "en", "to": "de"}
    bad = {"source": SOURCE, "hypothesis": HYPOTHESIS, **row}
    first, second, third = qe.score_many([good, bad, good], errors="yield")
    assert isinstance(first, ScoredHypothesis)
    assert isinstance(third, ScoredHypothesis)
    assert isinstance(second, PromptVariableError)
    with pytest.raises(PromptVariableError, match=message):
        raise second


def test_any_variable_may_come_from_a_column(parrot: CausalBackbone) -> None:
    template = TextTemplate(prompt="{bos}{style}, {year}: {source}\n")
    qe = QualityEstimator(
        parrot, prompt=template.bind(style="plain").bind_columns(style="kind", year="date")
    )
    expected = QualityEstimator(parrot, prompt=template.bind(style="de", year="1999"))
    row = {"kind": "de", "date": 1999}
    assert qe.score(SOURCE, HYPOTHESIS, row=row).score == pytest.approx(
        expected.score(SOURCE, HYPOTHESIS).score
    )
    with pytest.raises(TextError, match="control token '</s>'"):
        qe.score(SOURCE, HYPOTHESIS, row=row | {"kind": "</s>"})
    with pytest.raises(PromptVariableError, match="none beside its texts"):
        qe.score(SOURCE, HYPOTHESIS)


def test_columns_are_saved_and_shown_and_give_way_to_values(parrot: CausalBackbone) -> None:
    saved = ROW_WISE.model_dump()
    assert saved["columns"] == {"source_language": "from", "target_language": "to"}
    assert parse_prompt(saved) == ROW_WISE
    assert "columns" not in BILINGUAL.model_dump()  # as heads have it that were saved before
    shown = ROW_WISE.resolved(parrot.tokenizer)
    assert shown == "<s>{from}: {source}\n{to}: {hypothesis}\n"
    assert ROW_WISE.bind(target_language="de").columns == {"source_language": "from"}
    with pytest.raises(PromptError, match="has no variable style"):
        ROW_WISE.bind_columns(style="kind")
    with pytest.raises(PromptError, match="or --prompt-column target_language=COLUMN"):
        QualityEstimator(parrot, prompt=BILINGUAL.bind_columns(source_language="from"))


@pytest.mark.parametrize("beams", [1, 2])
def test_what_is_generated_is_scored_with_its_row(parrot: CausalBackbone, beams: int) -> None:
    tower = NAMED_PROMPTS["tower"].bind_columns(target_language="to")
    qe = QualityEstimator(parrot, prompt=tower)
    plain = QualityEstimator(parrot, prompt=NAMED_PROMPTS["tower"])
    row = {"to": "de"}
    written = qe.generate(SOURCE, row=row, num_beams=beams, signals=["softmax"])
    expected = plain.generate(SOURCE, num_beams=beams, signals=["softmax"])
    assert (written.hypothesis, written.score) == (expected.hypothesis, expected.score)
    assert written.extra == row
    again = qe.score(SOURCE, written.hypothesis, row=row, signals=["softmax"])
    assert again.score == pytest.approx(written.score, abs=1e-5)
    (best,) = qe.rerank(SOURCE, [HYPOTHESIS], row=row, signals=["softmax"])
    assert best.score == pytest.approx(
        plain.rerank(SOURCE, [HYPOTHESIS], signals=["softmax"])[0].score
    )
    streamed = list(qe.stream(SOURCE, row=row, signals=["softmax"]))
    assert len(streamed) == len(list(plain.stream(SOURCE, signals=["softmax"])))
    with pytest.raises(PromptVariableError, match="has no column `to`"):
        qe.generate(SOURCE)


def test_sources_are_asked_once_for_each_of_their_prompts(parrot: CausalBackbone) -> None:
    qe = QualityEstimator(parrot, prompt=NAMED_PROMPTS["tower"].bind_columns(target_language="to"))
    pairs = [Pair(SOURCE, HYPOTHESIS, extra={"to": to}) for to in ("German", "French", "de")]
    scored = [one for one in qe.score_many(pairs) if isinstance(one, ScoredHypothesis)]
    german, french, code = monte_carlo_probability(qe, scored, samples=2)
    assert german == pytest.approx(code)
    assert german != pytest.approx(french)


def test_features_of_other_languages_are_other_features(parrot: CausalBackbone) -> None:
    def known(prompt: PromptTemplate, to: str) -> Any:
        pair = Pair(SOURCE, HYPOTHESIS, extra={"from": "en", "to": to})
        return fingerprint(parrot, [pair], prompt, FeatureSpec())["data"]

    assert known(ROW_WISE, "de") != known(ROW_WISE, "fr")
    assert known(BILINGUAL, "de") == known(BILINGUAL, "fr")


@pytest.mark.parametrize("kind", ["nllb", "m2m100", "mbart"])
def test_codes_of_an_encoder_decoder_are_found_by_name(kind: str, tmp_path: Path) -> None:
    model, tokenizer, prompt = KINDS[kind](learned_pieces(), tmp_path)
    backbone = EncoderDecoderBackbone(model, tokenizer)
    expected = QualityEstimator(backbone, prompt=prompt).score(SOURCE, HYPOTHESIS).score
    names = {"source_language": "English", "target_language": "German"}
    assert QualityEstimator(backbone, prompt=prompt.bind(**names)).score(
        SOURCE, HYPOTHESIS
    ).score == pytest.approx(expected)
    row_wise = prompt.bind_columns(source_language="from", target_language="to")
    qe = QualityEstimator(backbone, prompt=row_wise)
    rows = [{"from": "en", "to": "German"}, {"from": "en", "to": "xx"}, {"from": "eng", "to": "de"}]
    pairs = [Pair(SOURCE, HYPOTHESIS, extra=row) for row in rows]
    first, unknown, last = qe.score_many(pairs, errors="yield")
    assert isinstance(unknown, InputError)
    assert "knows no language 'xx'" in str(unknown)
    for one in (first, last):
        assert isinstance(one, ScoredHypothesis)
        assert one.score == pytest.approx(expected)
