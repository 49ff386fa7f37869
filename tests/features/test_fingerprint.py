"""Features of another model, other data or other settings are never taken for the asked ones."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from extracting import Extract, contents, random_backbone
from tiny_models import PAIRS, byte_level, stacked, tiny_llama
from tokenizers import normalizers

from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.data.records.error_spans import ErrorSpan
from headwise.data.records.pairs import Pair
from headwise.errors import DataError, MismatchError, OutputError
from headwise.features import FeatureSpec, extraction

Change = Callable[[CausalBackbone, list[Pair]], dict[str, Any]]


def fine_tuned(backbone: CausalBackbone, _: list[Pair]) -> dict[str, Any]:
    """One small step on all weights."""
    model = copy.deepcopy(backbone.model).requires_grad_(True)
    ids = stacked([backbone.tokenizer(text)["input_ids"] for _, text in PAIRS], 0)
    model(input_ids=ids, labels=ids).loss.backward()
    torch.optim.SGD(model.parameters(), lr=1e-5).step()
    return {"backbone": CausalBackbone(model, backbone.tokenizer)}


def one_value(backbone: CausalBackbone, _: list[Pair]) -> dict[str, Any]:
    """One number of thousands, by little."""
    model = copy.deepcopy(backbone.model)
    model.model.layers[1].mlp.up_proj.weight.data[5, 7] += 1e-6
    return {"backbone": CausalBackbone(model, backbone.tokenizer)}


def other_positions(backbone: CausalBackbone, _: list[Pair]) -> dict[str, Any]:
    """The same weights, read with other rotary positions."""
    model = tiny_llama(
        backbone.tokenizer, rope_parameters={"rope_type": "default", "rope_theta": 5000.0}
    )
    for own, other in zip(
        model.state_dict().values(), backbone.model.state_dict().values(), strict=True
    ):
        assert torch.equal(own, other)
    return {"backbone": CausalBackbone(model, backbone.tokenizer)}


def other_precision(backbone: CausalBackbone, _: list[Pair]) -> dict[str, Any]:
    model = copy.deepcopy(backbone.model).bfloat16()
    return {"backbone": CausalBackbone(model, backbone.tokenizer)}


def retokenised(backbone: CausalBackbone, change: Callable[[Any], None]) -> dict[str, Any]:
    tokenizer = byte_level()
    change(tokenizer)
    return {"backbone": CausalBackbone(backbone.model, tokenizer)}


def another_normaliser(backbone: CausalBackbone, _: list[Pair]) -> dict[str, Any]:
    """The same vocabulary for another text."""

    def change(tokenizer: Any) -> None:
        tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()

    return retokenised(backbone, change)


def another_token(backbone: CausalBackbone, _: list[Pair]) -> dict[str, Any]:
    return retokenised(backbone, lambda tokenizer: tokenizer.add_tokens(["Hund"]))


def another_chat_template(backbone: CausalBackbone, _: list[Pair]) -> dict[str, Any]:
    return retokenised(
        backbone, lambda tokenizer: setattr(tokenizer, "chat_template", "{{ messages }}")
    )


def with_pair(pairs: list[Pair], number: int, pair: Pair) -> dict[str, Any]:
    return {"pairs": [*pairs[:number], pair, *pairs[number + 1 :]]}


CHANGES: dict[str, tuple[Change, str]] = {
    "all weights": (fine_tuned, "model weights"),
    "one value": (one_value, "model weights"),
    "positions": (other_positions, "model configuration"),
    "precision": (other_precision, "model weights"),
    "normaliser": (another_normaliser, "tokeniser"),
    "token": (another_token, "tokeniser"),
    "chat template": (another_chat_template, "tokeniser"),
    "prompt": (lambda *_: {"prompt": NAMED_PROMPTS["raw"]}, "prompt"),
    "prompt's variable": (
        lambda *_: {"prompt": NAMED_PROMPTS["tiny"].model_copy(update={"variables": {"a": "b"}})},
        "prompt",
    ),
    "source": (
        lambda _, pairs: with_pair(pairs, 20, Pair("Another.", pairs[20].hypothesis)),
        "data",
    ),
    "hypothesis": (
        lambda _, pairs: with_pair(pairs, 35, Pair(pairs[35].source, "Die Katze sass da.")),
        "data",
    ),
    "history": (
        lambda _, pairs: with_pair(
            pairs,
            0,
            Pair(
                pairs[0].source,
                pairs[0].hypothesis,
                history=({"role": "user", "content": pairs[0].source or ""},),
            ),
        ),
        "data",
    ),
    "marks": (
        lambda _, pairs: with_pair(
            pairs, 3, Pair(pairs[3].source, pairs[3].hypothesis, errors=(ErrorSpan(0, 3),))
        ),
        "data",
    ),
    "no marks, but somebody looked": (
        lambda _, pairs: with_pair(pairs, 3, Pair(pairs[3].source, pairs[3].hypothesis, errors=())),
        "data",
    ),
    "order": (lambda _, pairs: {"pairs": pairs[::-1]}, "data"),
    "number": (lambda _, pairs: {"pairs": pairs[:-1]}, "data,pairs"),
    "dtype": (lambda *_: {"dtype": "bfloat16"}, "dtype"),
    "candidates": (lambda *_: {"candidates": 8}, "candidates"),
    "max_length": (lambda *_: {"max_length": 300}, "max length"),
    "cut": (lambda *_: {"cut": True}, "cut"),
}


def assert_names(caught: pytest.ExceptionInfo[MismatchError], names: str, folder: Path) -> None:
    message = str(caught.value)
    inner = message[message.index("(") + 1 : message.rindex(")")]
    told = [part.split(": ")[0] for part in inner.split("; ")]
    assert ",".join(told) == names
    assert str(folder) in message
    assert "there, " in message
    assert "name another folder, or delete this one" in message


@pytest.mark.parametrize("name", CHANGES)
def test_finished_features_of_something_else_are_refused(
    extract: Extract, backbone: CausalBackbone, pairs: list[Pair], name: str
) -> None:
    change, names = CHANGES[name]
    folder = extract().folder
    before = contents(folder)
    with pytest.raises(MismatchError) as caught:
        extract(**change(backbone, pairs))
    assert_names(caught, names, folder)
    assert contents(folder) == before


@pytest.fixture
def unfinished(
    extract: Extract, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> dict[str, bytes]:
    """Three shards and a plan; what the folder holds."""

    def write(folder: Path, number: int, tensors: Any) -> None:
        if number == 3:
            raise OSError("the machine was switched off")
        original(folder, number, tensors)

    original = extraction.write_shard
    with monkeypatch.context() as patch:
        patch.setattr(extraction, "write_shard", write)
        with pytest.raises(OutputError):
            extract()
    found = contents(tmp_path / "features")
    assert "plan.json" in found
    assert "shard-00002.json" in found
    assert "index.json" not in found
    return found


@pytest.mark.parametrize("name", CHANGES)
def test_unfinished_features_of_something_else_are_not_continued(
    extract: Extract,
    backbone: CausalBackbone,
    pairs: list[Pair],
    tmp_path: Path,
    unfinished: dict[str, bytes],
    name: str,
) -> None:
    change, names = CHANGES[name]
    # The size of a row decides on where shards end
    if name in ("dtype", "candidates"):
        names += ",positions a shard"
    with pytest.raises(MismatchError) as caught:
        extract(**change(backbone, pairs))
    assert_names(caught, names, tmp_path / "features")
    assert contents(tmp_path / "features") == unfinished


def test_shards_of_another_size_are_not_continued(
    extract: Extract, tmp_path: Path, unfinished: dict[str, bytes]
) -> None:
    with pytest.raises(MismatchError) as caught:
        extract(shard_bytes=30_000)
    assert_names(caught, "positions a shard", tmp_path / "features")
    assert contents(tmp_path / "features") == unfinished


def test_an_unfinished_folder_of_another_version_is_named(
    extract: Extract, tmp_path: Path, unfinished: dict[str, bytes]
) -> None:
    plan = json.loads(unfinished["plan.json"]) | {"format version": 7}
    (tmp_path / "features" / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(MismatchError, match=r"another version of headwise \(format 7, this one"):
        extract()


@pytest.mark.parametrize("damage", ["", "[1]", "3", '{"format version"'])
@pytest.mark.usefixtures("unfinished")
def test_a_damaged_plan_gets_a_named_error(extract: Extract, tmp_path: Path, damage: str) -> None:
    (tmp_path / "features" / "plan.json").write_text(damage)
    with pytest.raises(
        DataError, match=r"plan\.json (is damaged|must hold an object).*Delete the folder"
    ):
        extract()


def test_the_same_model_is_the_same_wherever_it_came_from(
    extract: Extract, backbone: CausalBackbone, tmp_path: Path
) -> None:
    before = contents(extract().folder)
    backbone.model.save_pretrained(tmp_path / "model")
    loaded = type(backbone.model).from_pretrained(tmp_path / "model", use_cache=False)
    tokenizer = byte_level()
    tokenizer("Ein Hund läuft.", max_length=2, truncation=True)  # it remembers that
    extract(backbone=CausalBackbone(loaded, tokenizer))
    extract(backbone=random_backbone())
    assert contents(tmp_path / "features") == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "float16"}, "`dtype` must be bfloat16 or float32, got 'float16'"),
        ({"candidates": -1}, "`candidates` must not be negative, got -1"),
    ],
)
def test_bad_settings_get_a_named_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FeatureSpec(**options)
