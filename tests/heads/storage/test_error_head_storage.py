"""Error heads on disk: beside a Sigmoid Head and alone, copies, and all that can be wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from made_error_heads import COUNTS, H, R, made_head, made_inputs
from made_quality_heads import V, make_head
from safetensors.torch import load_file, save_file

from headwise.bundled import locate
from headwise.errors import MismatchError, OutputError, UnknownModelError, WeightsError
from headwise.heads import (
    ErrorHead,
    ErrorVariant,
    check_fit,
    copy_head,
    has_error_head,
    has_sigmoid_head,
    load_error_head,
    load_head,
    read_head_info,
    save_error_head,
    save_head,
)
from headwise.heads.storage.quality_heads import read_error_head_info

PROMPT = {"kind": "text", "prompt": "{bos} {source} ä"}
OTHER = {"kind": "text", "prompt": "{source}"}


def never() -> Any:
    raise AssertionError("the backbone's output layer was asked for")


def saved(folder: Path, head: ErrorHead | None = None, **options: Any) -> Path:
    options = {"prompt": PROMPT, "backbone": "owner/name"} | options
    return save_error_head(head or made_head(), folder, **options)


@pytest.mark.parametrize("variant", ErrorVariant)
@pytest.mark.parametrize("rank", [None, R])
@pytest.mark.parametrize("statistics", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_a_saved_head_scores_the_same(
    tmp_path: Path, variant: ErrorVariant, rank: int | None, statistics: bool, dtype: torch.dtype
) -> None:
    head = made_head(variant, rank=rank, statistics=statistics)
    folder = saved(tmp_path / "head", head, dtype=dtype)
    loaded = load_error_head(folder)
    assert loaded is not None
    assert not loaded.training
    assert all(p.dtype == torch.float32 and not p.requires_grad for p in loaded.parameters())
    assert torch.equal(loaded.mean, head.mean)  # in whatever type the weights are
    hidden, rows, known = made_inputs(13, read=statistics)
    tolerance = 0.0 if dtype == torch.float32 else 0.02
    torch.testing.assert_close(
        loaded.score(hidden, rows, COUNTS, statistics=known),
        head.score(hidden, rows, COUNTS, statistics=known),
        rtol=tolerance,
        atol=tolerance,
    )
    info = read_error_head_info(folder)
    assert (info.head_type, info.prompt, info.backbone) == ("error_head", PROMPT, "owner/name")
    assert {path.name for path in folder.iterdir()} == {
        "error_head.json",
        "error_head.safetensors",
    }


def test_a_folder_without_one_has_none(tmp_path: Path) -> None:
    save_head(make_head("new_unembedding_head"), tmp_path)
    assert load_error_head(tmp_path) is None
    assert not has_error_head(tmp_path)
    assert has_sigmoid_head(tmp_path)
    assert load_error_head(tmp_path / "nothing") is None


def test_it_stands_beside_a_sigmoid_head(tmp_path: Path) -> None:
    head = make_head("new_unembedding_head")
    save_head(head, tmp_path, prompt=PROMPT, backbone="owner/name", model_card="# Käse\n")
    (tmp_path / "calibration.json").write_text("{}")
    saved(tmp_path, model_card="# Errors\n")
    assert has_sigmoid_head(tmp_path)
    assert has_error_head(tmp_path)
    assert not (tmp_path / "calibration.json").exists()  # it knew nothing of the new head
    assert (tmp_path / "README.md").read_text("utf-8") == "# Käse\n"
    assert (tmp_path / "error_head.md").read_text("utf-8") == "# Errors\n"
    hidden = torch.randn(3, make_head("new_unembedding_head").weight.shape[1])
    assert torch.equal(load_head(tmp_path, unembedding=never).score(hidden), head.score(hidden))
    assert read_head_info(tmp_path).head_type == "new_unembedding_head"


def test_one_alone_says_what_there_is_to_say(tmp_path: Path) -> None:
    saved(tmp_path, backbone="tiny-en-de")
    assert not has_sigmoid_head(tmp_path)
    assert read_head_info(tmp_path) == read_error_head_info(tmp_path)
    location = locate(tmp_path)
    assert location.backbone == locate("tiny-en-de").backbone
    assert location.head == tmp_path
    saved(tmp_path, backbone=None)
    with pytest.raises(UnknownModelError, match="does not name its backbone"):
        locate(tmp_path)


def test_a_folder_of_a_language_model_is_none_of_a_head(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "llama"}')
    assert not has_sigmoid_head(tmp_path)
    assert locate(tmp_path).head is None


def test_the_error_head_fills_in_what_the_other_leaves_open(tmp_path: Path) -> None:
    save_head(make_head("new_unembedding_head"), tmp_path)
    saved(tmp_path)
    info = read_head_info(tmp_path)
    assert (info.prompt, info.backbone) == (PROMPT, "owner/name")


def test_two_prompts_in_a_folder_are_refused(tmp_path: Path) -> None:
    sigmoid = make_head("new_unembedding_head")
    save_head(sigmoid, tmp_path, prompt=OTHER)
    message = (
        r"reads another prompt than the Sigmoid Head in .* \(prompt: '{bos} {source} ä' against"
    )
    with pytest.raises(MismatchError, match=message):
        saved(tmp_path)
    assert not has_error_head(tmp_path)
    saved(tmp_path, prompt=OTHER | {"end": ""})  # said by one alone: a default
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    message = r"\(prompt: '{source}' against '{bos} {source} ä'\)"
    with pytest.raises(MismatchError, match=message):
        save_head(sigmoid, tmp_path, prompt=PROMPT)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config | {"prompt": PROMPT}))
    for read in (load_error_head, read_error_head_info, read_head_info):
        with pytest.raises(MismatchError, match="keep them in folders of their own"):
            read(tmp_path)


def test_another_hidden_size_is_refused() -> None:
    check_fit(made_head(), vocabulary_size=V, hidden_size=H)
    with pytest.raises(MismatchError, match="error head has hidden size 7, the backbone has 8"):
        check_fit(made_head(), vocabulary_size=V, hidden_size=H + 1)


COMPANIONS = (
    *("run.yaml", "curves.png", "error_head.yaml", "error_head.png", "calibration.json"),
    "states.json",
)


def test_what_is_copied_must_fit_the_head_that_stays(tmp_path: Path) -> None:
    sigmoid, errors = tmp_path / "sigmoid", tmp_path / "errors"
    save_head(make_head("new_unembedding_head"), sigmoid, prompt=PROMPT)
    saved(errors, prompt=OTHER)
    for source, output in ((sigmoid, errors), (errors, sigmoid)):
        before = {path.name for path in output.iterdir()}
        with pytest.raises(MismatchError, match="reads another prompt"):
            copy_head(source, output)
        assert {path.name for path in output.iterdir()} == before
    save_head(make_head("new_unembedding_head"), tmp_path / "both", prompt=OTHER)
    copy_head(errors, tmp_path / "both")
    save_head(make_head("new_unembedding_head"), sigmoid / "both", prompt=PROMPT)
    saved(sigmoid / "both")
    copy_head(tmp_path / "both", sigmoid / "both")  # both are replaced
    assert read_head_info(sigmoid / "both").prompt == OTHER


def test_a_sigmoid_head_can_be_copied_alone(tmp_path: Path) -> None:
    both = save_head(
        make_head("new_unembedding_head"), tmp_path / "both", prompt=PROMPT, model_card="a"
    )
    saved(both, model_card="b")
    for name in COMPANIONS:
        (both / name).write_text(name)
    copy = copy_head(both, tmp_path / "copy", with_error_head=False)
    assert {path.name for path in copy.iterdir()} == {
        *("config.json", "model.safetensors", "sigmoid_head.py", "README.md"),
        *("run.yaml", "curves.png"),  # its card speaks of them
        "states.json",
    }
    alone = saved(tmp_path / "alone")
    with pytest.raises(WeightsError, match=r"has no model\.safetensors"):
        copy_head(alone, tmp_path / "nothing", with_error_head=False)


@pytest.mark.parametrize("alone", [False, True])
def test_a_copy_has_both_heads_and_what_goes_with_them(tmp_path: Path, alone: bool) -> None:
    folder = tmp_path / "head"
    if not alone:
        save_head(make_head("contextual_unembedding_head"), folder, prompt=PROMPT, model_card="a")
    saved(folder, model_card="b")
    for name in COMPANIONS:
        (folder / name).write_bytes(name.encode())
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    copy = copy_head(folder, tmp_path / "copy", backbone="owner/name")
    found = {path.name: path.read_bytes() for path in copy.iterdir()}
    assert found.keys() == before.keys()
    changed = {name for name in found if found[name] != before[name]}
    assert changed <= {"config.json"}  # which had no backbone before
    copy_head(folder, folder, backbone="owner/name")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == found


def test_a_copy_can_have_another_type_and_name(tmp_path: Path) -> None:
    saved(tmp_path / "head", backbone=None, prompt=None)
    copy = copy_head(
        tmp_path / "head", tmp_path / "copy", dtype="bfloat16", backbone="a/b", prompt=OTHER
    )
    info = read_head_info(copy)
    assert (info.prompt, info.backbone) == (OTHER, "a/b")
    types = {name: t.dtype for name, t in load_file(copy / "error_head.safetensors").items()}
    assert {name for name, dtype in types.items() if dtype == torch.float32} == {"mean", "scale"}
    assert types["own.weight"] == torch.bfloat16


def broken(folder: Path, name: str) -> None:
    weights, config = folder / "error_head.safetensors", folder / "error_head.json"
    content = json.loads(config.read_text())
    match name:
        case "truncated":
            weights.write_bytes(weights.read_bytes()[:-40])
        case "pickle inside":
            torch.save({"mean": torch.zeros(3 * H)}, weights)
        case "no weights":
            weights.unlink()
        case "no config":
            config.unlink()
        case "bad JSON":
            config.write_text('{"variant": ')
        case "a list":
            config.write_text("[]")
        case "no size":
            del content["inner_size"]
            config.write_text(json.dumps(content))
        case "an unknown variant":
            config.write_text(json.dumps(content | {"variant": "foresight"}))
        case "another size":
            config.write_text(json.dumps(content | {"inner_size": 6}))
        case "another variant":
            config.write_text(json.dumps(content | {"variant": "causal"}))
        case "one tensor too few":
            tensors = load_file(weights)
            del tensors["end.weight"]
            save_file(tensors, weights)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("truncated", "damaged or not a safetensors file"),
        ("pickle inside", "damaged or not a safetensors file"),
        ("no weights", r"has no error_head\.safetensors"),
        ("no config", r"has no error_head\.json"),
        ("bad JSON", r"error_head\.json is damaged"),
        ("a list", r"error_head\.json must hold an object"),
        ("no size", r"error_head\.json lacks 'inner_size'"),
        ("an unknown variant", r"error_head\.json is wrong: .*causal or hindsight"),
        ("another size", r"does not fit its error_head\.json: .*size mismatch"),
        ("another variant", r"does not fit its error_head\.json: .*Unexpected"),
        ("one tensor too few", r"does not fit its error_head\.json: .*Missing .*end\.weight"),
    ],
)
def test_a_damaged_folder_gets_a_named_error(tmp_path: Path, damage: str, message: str) -> None:
    folder = saved(tmp_path / "head")
    broken(folder, damage)
    with pytest.raises(WeightsError, match=f"(?s){message}"):
        load_error_head(folder)
    with pytest.raises(WeightsError):
        copy_head(folder, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        saved(tmp_path / "file")
