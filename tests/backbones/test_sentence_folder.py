import json
from pathlib import Path
from typing import Any

import pytest

from headwise.backbones.encoders.sentence_embedding import SentenceEmbedding
from headwise.backbones.loading.sentence_folder import SentenceSettings, read_sentence_settings
from headwise.errors import UnsupportedModelError
from headwise.functional.pooling import Pooling

OLD = "sentence_transformers.models."
POOLING_CONFIG = "1_Pooling/config.json"


def read(files: dict[str, Any]) -> SentenceSettings | None:
    texts = {p: v if isinstance(v, str) else json.dumps(v) for p, v in files.items()}
    return read_sentence_settings(texts.get, name="some/model")


def folder(
    *kinds: str, pooling: Any = None, paths: tuple[str, ...] = ("", "1_Pooling", "2", "3")
) -> dict[str, Any]:
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": kind}
        for i, (kind, path) in enumerate(zip(kinds, paths, strict=False))
    ]
    return {"modules.json": modules, POOLING_CONFIG: pooling or {}}


PLAIN = (OLD + "Transformer", OLD + "Pooling", OLD + "Normalize")


def test_a_plain_transformer_has_no_settings() -> None:
    assert read({"config.json": {}}) is None


@pytest.mark.parametrize(
    ("config", "pooling"),
    [
        ({}, (Pooling.MEAN,)),
        ({"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}, (Pooling.MEAN,)),
        (
            {"pooling_mode_lasttoken": True, "pooling_mode_cls_token": True},
            (Pooling.CLS, Pooling.LAST),
        ),
        ({"pooling_mode": "mean_sqrt_len_tokens"}, (Pooling.MEAN_SQRT_LENGTH,)),
        ({"pooling_mode": ["max", "weightedmean"]}, (Pooling.MAX, Pooling.WEIGHTED_MEAN)),
        ({"pooling_mode": "cls", "pooling_mode_mean_tokens": True}, (Pooling.CLS,)),
    ],
)
def test_old_and_new_names_of_pooling(config: dict[str, Any], pooling: tuple[Pooling]) -> None:
    found = SentenceSettings(SentenceEmbedding(pooling=pooling))
    assert read(folder(*PLAIN, pooling=config)) == found


def test_classes_are_known_wherever_they_live() -> None:
    kinds = (
        "sentence_transformers.base.modules.transformer.Transformer",
        "sentence_transformers.sentence_transformer.modules.pooling.Pooling",
    )
    files = folder(*kinds) | {
        "sentence_bert_config.json": {"max_seq_length": 256, "do_lower_case": True}
    }
    embedding = SentenceEmbedding(normalise=False, longest=256)
    assert read(files) == SentenceSettings(embedding, lower_case=True)


def test_the_transformer_may_lie_in_a_subfolder() -> None:
    files = folder(*PLAIN, paths=("0_Transformer", "1_Pooling", ""))
    files["0_Transformer/sentence_bert_config.json"] = {"max_seq_length": 128}
    found = read(files)
    assert found is not None
    assert (found.subfolder, found.embedding.longest) == ("0_Transformer", 128)


@pytest.mark.parametrize(
    ("kinds", "named"),
    [
        ((*PLAIN[:2], OLD + "Dense"), "models.Dense at place 2"),
        (("custom_st.Transformer", *PLAIN[1:]), "custom_st.Transformer at place 0"),
        ((PLAIN[0], PLAIN[2], PLAIN[1]), "models.Normalize at place 1"),
        ((PLAIN[1],), "models.Pooling at place 0"),
        ((PLAIN[0],), "no Pooling module"),
    ],
)
def test_what_changes_embeddings_otherwise_is_refused(kinds: tuple[str, ...], named: str) -> None:
    with pytest.raises(UnsupportedModelError, match=named):
        read(folder(*kinds))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({POOLING_CONFIG: {"pooling_mode": "median"}}, "pools by 'median'; known are cls, mean"),
        ({POOLING_CONFIG: "{"}, "not valid JSON"),
        ({"modules.json": "[1]"}, "does not list modules"),
        ({"config_sentence_transformers.json": {"default_prompt_name": "q"}}, "prompt 'q'"),
        ({"config_sentence_transformers.json": [1]}, "must be a JSON object, got"),
        ({"sentence_bert_config.json": {"max_seq_length": 0}}, "`max_seq_length` of some/model"),
        ({"sentence_bert_config.json": {"transformer_task": "fill-mask"}}, "for 'fill-mask'"),
        ({"sentence_bert_config.json": {"config_args": {"is_causal": False}}}, "'is_causal'"),
        ({"sentence_bert_config.json": {"tokenizer_args": {"add_eos_token": True}}}, "'add_eos"),
        ({"sentence_bert_config.json": {"processing_kwargs": {"text": {"a": 1}}}}, "with 'text'"),
        ({"sentence_bert_config.json": {"query_length": 8}}, "setting 'query_length'"),
        (
            {
                "sentence_bert_config.json": {
                    "modality_config": {"text": {"method_output_name": "p"}}
                }
            },
            "setting 'p'",
        ),
        (
            {
                "config_sentence_transformers.json": {"prompts": {"query": "q: "}},
                POOLING_CONFIG: {"include_prompt": False},
            },
            "leaves its prompts out",
        ),
    ],
)
def test_damaged_or_unknown_settings_are_refused(change: dict[str, Any], named: str) -> None:
    with pytest.raises(UnsupportedModelError, match=named):
        read(folder(*PLAIN) | change)


def test_a_missing_pooling_config_is_refused() -> None:
    files = folder(*PLAIN)
    del files[POOLING_CONFIG]
    with pytest.raises(UnsupportedModelError, match="has no config"):
        read(files)


def test_a_folder_that_sentence_transformers_wrote(tmp_path: Path) -> None:
    modules: Any = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    modules.Pooling(8, ("cls", "mean_sqrt_len_tokens")).save(str(tmp_path))
    config = json.loads((tmp_path / "config.json").read_text())
    found = read(folder(*PLAIN, pooling=config))
    assert found is not None
    assert found.embedding.pooling == (Pooling.CLS, Pooling.MEAN_SQRT_LENGTH)
