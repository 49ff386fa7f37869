"""Heads of an encoder on disk: the seed's file, safetensors, and everything that can be wrong."""

import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from made_heads import H, SeedHeads, all_heads, made_heads, made_inputs, made_nli_head, stirred
from safetensors.torch import load_file, save_file
from torch import Tensor

from headwise.choices import NLIFeatures
from headwise.errors import WeightsError
from headwise.heads import (
    AbstentionHead,
    InferenceInputs,
    NLIHead,
    TaskHeads,
    TaskHeadsConfig,
    is_task_heads,
    load_task_heads,
    save_seed_heads,
    save_task_heads,
)
from headwise.heads.storage.task_heads import named_as_in_files


def seed_sized(hidden_size: int) -> TaskHeads:
    config = TaskHeadsConfig(
        features=NLIFeatures.JOINT, hidden_size=hidden_size, embedding_size=hidden_size
    )
    nli = NLIHead(input_size=hidden_size)
    return stirred(TaskHeads(config=config, nli=nli, abstention=AbstentionHead()))


@torch.no_grad()
def run(heads: TaskHeads, inputs: Tensor | InferenceInputs) -> tuple[Tensor, Tensor]:
    if isinstance(inputs, Tensor):
        inputs = InferenceInputs(inputs)
    hidden, logits, evidence = heads.read(inputs)
    assert heads.abstention is not None
    return logits, heads.abstention(hidden, logits, evidence)


@pytest.mark.parametrize("hidden_size", [1024, 384])
def test_plain_sequences_of_the_seeds_card_run_our_file(tmp_path: Path, hidden_size: int) -> None:
    ours = seed_sized(hidden_size)
    path = save_seed_heads(ours, tmp_path / "heads")
    assert path == tmp_path / "heads" / "task_heads.pt"
    seed = SeedHeads(hidden_size)
    seed.load(torch.load(path, map_location="cpu", weights_only=True))
    first_token = torch.randn(16, hidden_size)
    for found, expected in zip(run(ours, first_token), seed(first_token), strict=True):
        torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-6)


@pytest.mark.parametrize("as_folder", [False, True])
@pytest.mark.parametrize("hidden_size", [1024, 384])
def test_we_run_a_file_of_plain_sequences(
    tmp_path: Path, hidden_size: int, as_folder: bool
) -> None:
    torch.manual_seed(1)
    seed = SeedHeads(hidden_size)
    path = tmp_path / "task_heads.pt"
    torch.save(seed.state(), path)
    (tmp_path / "config.json").write_text('{"base_model": "someone\'s", "num_labels": 3}')
    ours = load_task_heads(tmp_path if as_folder else path)
    assert ours.config.features is NLIFeatures.JOINT
    assert (ours.config.hidden_size, ours.config.abstain_by, ours.config.threshold) == (
        hidden_size,
        "learned",
        0.5,
    )
    first_token = torch.randn(16, hidden_size)
    for found, expected in zip(run(ours, first_token), seed(first_token), strict=True):
        torch.testing.assert_close(found, expected, rtol=0.0, atol=1e-6)


def test_the_seeds_file_has_the_seeds_size(tmp_path: Path) -> None:
    path = save_seed_heads(seed_sized(1024), tmp_path / "mine.pt")
    assert path.name == "mine.pt"
    assert 2.3e6 < path.stat().st_size < 2.45e6
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("features", NLIFeatures)
def test_saved_heads_say_the_same(
    tmp_path: Path, features: NLIFeatures, dtype: torch.dtype
) -> None:
    heads = made_heads(
        features,
        backbone="owner/encoder",
        abstain_by="margin",
        threshold=0.37,
        threshold_basis="Coverage 0.8 on käse.tsv.",
        max_length=200,
    )
    folder = save_task_heads(heads, tmp_path / "new" / "heads", dtype=dtype, model_card="# Käse\n")
    loaded = load_task_heads(folder)
    assert loaded.config == heads.config
    assert not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())
    assert all(p.dtype == torch.float32 for p in loaded.parameters())
    assert {t.dtype for t in load_file(folder / "model.safetensors").values()} == {dtype}
    inputs = made_inputs(features)
    tolerance = 0.0 if dtype == torch.float32 else 0.05  # bit for bit in float32
    for found, expected in zip(run(loaded, inputs), run(heads, inputs), strict=True):
        torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)
    assert (folder / "README.md").read_text("utf-8") == "# Käse\n"
    assert sorted(p.name for p in folder.iterdir()) == [
        "README.md",
        "config.json",
        "model.safetensors",
    ]
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config["labels"] == ["entailment", "neutral", "contradiction"]
    assert config["dtype"] == str(dtype).removeprefix("torch.")


@pytest.mark.parametrize(("reads_hidden", "corrects_odds"), [(True, False), (False, True)])
def test_a_second_head_and_what_abstention_reads_come_back(
    tmp_path: Path, reads_hidden: bool, corrects_odds: bool
) -> None:
    features = NLIFeatures.INTERACTION
    first = made_heads(features)
    second = made_nli_head(features, features.pooled_size(H), H)
    abstention = AbstentionHead(
        hidden_size=16 if reads_hidden else 0,
        evidence_size=9,
        inner_size=8,
        corrects_odds=corrects_odds,
    )
    heads = stirred(
        TaskHeads(config=first.config, nli=first.nli, abstention=abstention, second=second)
    )
    loaded = load_task_heads(save_task_heads(heads, tmp_path))
    inputs = made_inputs(features)
    for found, expected in zip(run(loaded, inputs), run(heads, inputs), strict=True):
        assert torch.equal(found, expected)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text("utf-8"))
    config["abstention_head"]["evidence_size"] = "nine"
    path.write_text(json.dumps(config))
    with pytest.raises(WeightsError, match="`evidence_size` must be a whole number"):
        load_task_heads(tmp_path)


@pytest.mark.parametrize("projected", [True, False])
def test_all_four_heads_come_back(tmp_path: Path, projected: bool) -> None:
    heads = all_heads(projected=projected)
    loaded = load_task_heads(save_task_heads(heads, tmp_path))
    hidden, mask = torch.randn(2, 3, H), torch.ones(2, 3)
    assert torch.equal(loaded.embedding(hidden[0]), heads.embedding(hidden[0]))
    assert torch.equal(loaded.late_interaction(hidden, mask), heads.late_interaction(hidden, mask))


def test_a_seed_file_may_hold_projections_and_may_lack_the_abstention_head(tmp_path: Path) -> None:
    heads = all_heads(projected=True)
    loaded = load_task_heads(save_seed_heads(heads, tmp_path))
    assert loaded.embedding.output_size == loaded.late_interaction.output_size == 5
    bare = TaskHeads(config=heads.config, nli=heads.nli)
    for folder in (save_task_heads(bare, tmp_path / "a"), save_seed_heads(bare, tmp_path / "b")):
        loaded = load_task_heads(folder)
        assert loaded.abstention is loaded.embedding is loaded.late_interaction is None


def test_a_seed_file_beside_our_config_is_read_by_it(tmp_path: Path) -> None:
    heads = made_heads(NLIFeatures.PAIR, threshold=0.9)
    save_task_heads(heads, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(named_as_in_files(heads), tmp_path / "task_heads.pt")
    assert load_task_heads(tmp_path).config == heads.config


def test_only_joint_heads_make_a_seed_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="these read 'pair'; write them with `save_task_heads`"):
        save_seed_heads(made_heads(NLIFeatures.PAIR), tmp_path / "x.pt")
    assert not any(tmp_path.iterdir())


def test_a_seed_file_cannot_say_that_odds_are_corrected(tmp_path: Path) -> None:
    heads = made_heads()
    assert heads.abstention is not None
    heads.abstention.corrects_odds = True
    with pytest.raises(ValueError, match="train one with `--no-corrects-odds`"):
        save_seed_heads(heads, tmp_path)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64], ids=str)
def test_other_precisions_become_float32(tmp_path: Path, dtype: torch.dtype) -> None:
    state = named_as_in_files(made_heads())
    torch.save({n: t.to(dtype) for n, t in state.items()}, tmp_path / "task_heads.pt")
    found = named_as_in_files(load_task_heads(tmp_path))
    for name, tensor in state.items():
        assert found[name].dtype == torch.float32
        torch.testing.assert_close(found[name], tensor, rtol=0.01, atol=0.0)


class Evil:
    """Runs code when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


@pytest.mark.parametrize("way", ["torch.save", "old torch.save", "pickle", "among weights"])
def test_code_in_a_file_is_refused_and_does_not_run(tmp_path: Path, way: str) -> None:
    path, mark = tmp_path / "task_heads.pt", tmp_path / "executed"
    evil = {"nli_hidden.0.weight": Evil(mark)}
    match way:
        case "torch.save":
            torch.save(evil, path)
        case "old torch.save":
            torch.save(evil, path, _use_new_zipfile_serialization=False)
        case "pickle":
            path.write_bytes(pickle.dumps(evil))
        case "among weights":
            torch.save({**named_as_in_files(made_heads()), **evil}, path)
    zipped = way in ("torch.save", "among weights")
    with pytest.raises(WeightsError, match=r"code .*mkdir.* refused" if zipped else "run code"):
        load_task_heads(tmp_path)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Evil(mark)))
    assert mark.exists()  # it would have


def test_a_whole_module_in_a_file_is_refused(tmp_path: Path) -> None:
    torch.save(SeedHeads(8).nli_hidden, tmp_path / "task_heads.pt")
    with pytest.raises(WeightsError, match=r"code .*Sequential.*save its state dict"):
        load_task_heads(tmp_path)


def written(path: Path, state: Any) -> None:
    torch.save(state, path)


def damage_seed_file(path: Path, name: str) -> None:
    state = dict(named_as_in_files(made_heads()))
    written(path, state)
    good = path.read_bytes()
    match name:
        case "truncated":
            path.write_bytes(good[:-300])
        case "half":
            path.write_bytes(good[: len(good) // 2])
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("version https://git-lfs.github.com/spec/v1\n")
        case "garbled pickle":
            start = good.index(b"nli_hidden")
            path.write_bytes(good[:start] + b"\x00" * 40 + good[start + 40 :])
        case "another archive":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("a.txt", "hello")
        case "gone":
            path.unlink()
        case "a tensor":
            written(path, torch.zeros(3))
        case "nested":
            written(path, {"state_dict": state, "epoch": 3})
        case "an empty dictionary":
            written(path, {})
        case "no hidden layer":
            written(path, {n: t for n, t in state.items() if not n.startswith("nli_hidden.0")})
        case "no bias":
            written(path, {n: t for n, t in state.items() if n != "nli_output.bias"})
        case "half an abstention head":
            written(path, {n: t for n, t in state.items() if not n.startswith("abstention_head.4")})
        case "one tensor too many":
            written(path, {**state, "nli_hidden.7.weight": torch.zeros(2)})
        case "an encoder's tensors":
            more = {f"encoder.layer.{i}.weight": torch.zeros(1) for i in range(9)}
            written(path, {**state, **more})
        case "a vector":
            written(path, {**state, "nli_output.weight": torch.zeros(3)})
        case "another width":
            written(path, {**state, "nli_output.weight": torch.zeros(3, 17)})
        case "logits left out":
            written(path, {**state, "abstention_head.0.weight": torch.zeros(8, 16)})
        case "two classes":
            two = {"nli_output.weight": torch.zeros(2, 16), "nli_output.bias": torch.zeros(2)}
            written(path, {**state, **two})
        case "nan":
            state["nli_hidden.0.bias"] = state["nli_hidden.0.bias"].clone().fill_(torch.nan)
            written(path, state)
        case "infinite":
            state["abstention_head.0.bias"] = torch.full((8,), torch.inf)
            written(path, state)
        case "integers":
            written(path, {**state, "nli_output.bias": torch.zeros(3, dtype=torch.int8)})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("truncated", "not what `torch.save` writes: it is damaged.* Download it again"),
        ("half", "not what `torch.save` writes"),
        ("empty", "not what `torch.save` writes"),
        ("text", "not what `torch.save` writes"),
        ("garbled pickle", r"is damaged \(.*\); download it again"),
        ("another archive", r"is damaged \(.*\); download it again"),
        ("gone", "There is no file"),
        ("a tensor", "a dictionary from names to tensors, got a Tensor"),
        ("nested", "got a dictionary with epoch: int, state_dict: dict"),
        ("an empty dictionary", r"no matrix named 'nli_hidden\.0\.weight'; found nothing"),
        ("no hidden layer", r"no matrix named 'nli_hidden\.0\.weight'; found abst"),
        ("no bias", r"\(missing: nli_output\.bias\)"),
        ("half an abstention head", r"missing: abstention_head\.4\.bias, abstention_head\.4\.w"),
        (
            "one tensor too many",
            r"\(of no head: nli_hidden\.7\.weight\).* Heads have nli_hidden\.\*",
        ),
        ("an encoder's tensors", r"of no head: encoder\.layer\.0\.weight, .* and 4 more"),
        ("a vector", r"no matrix named 'nli_output\.weight'"),
        ("another width", r"nli_output\.weight must be \(3, 16\), got \(3, 17\)"),
        ("logits left out", r"abstention_head\.0\.weight must be \(8, 19\), got \(8, 16\)"),
        ("two classes", "3 classes, in the order entailment, neutral, contradiction, got 2"),
        ("nan", r"'nli_hidden\.0\.bias' in .* not finite"),
        ("infinite", r"'abstention_head\.0\.bias' in .* not finite"),
        ("integers", r"'nli_output\.bias' in .* floating point numbers, got torch\.int8"),
    ],
)
def test_a_damaged_seed_file_gets_a_named_error(tmp_path: Path, damage: str, message: str) -> None:
    path = tmp_path / "task_heads.pt"
    damage_seed_file(path, damage)
    with pytest.raises(WeightsError, match=f"(?s){message}") as refusal:
        load_task_heads(path)
    assert str(path) in str(refusal.value)


def test_any_cut_of_a_seed_file_gets_a_named_error(tmp_path: Path) -> None:
    path = tmp_path / "task_heads.pt"
    save_seed_heads(made_heads(), path)
    good = path.read_bytes()
    for size in range(0, len(good), 97):
        path.write_bytes(good[:size])
        with pytest.raises(WeightsError):
            load_task_heads(path)


# PyTorch warns about what the changed bytes seem to say
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_bytes_that_changed_end_in_heads_or_a_named_error(tmp_path: Path) -> None:
    path = tmp_path / "task_heads.pt"
    save_seed_heads(made_heads(), path)
    good = path.read_bytes()
    refused = 0
    for place in range(0, min(len(good), 4000), 13):
        path.write_bytes(good[:place] + bytes([good[place] ^ 0xFF]) + good[place + 1 :])
        try:
            load_task_heads(path)
        except WeightsError:
            refused += 1
    assert refused > 50


def change(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "bert"}, "`model_type` must be 'task_heads', got 'bert'"),
        ({"features": "both"}, "not a config of heads: features: .*'joint', 'pair'"),
        ({"features": "joint"}, r"does not fit its config\.json: .* must be 12, got 48"),
        ({"embedding_size": 24}, r"does not fit its config\.json: .* must be 96, got 48"),
        ({"hidden_size": None}, "not a config of heads: hidden_size: "),
        ({"hidden_size": -1}, "not a config of heads: .*`hidden_size` must be at least 1"),
        ({"threshold": "high"}, "not a config of heads: threshold: "),
        ({"threshold": -1}, "not a config of heads: .*`threshold` must be"),
        ({"abstain_by": "mood"}, "not a config of heads: .*one of learned, "),
        ({"labels": ["contradiction", "neutral", "entailment"]}, "entailment, .*, in this order"),
        ({"embedding_head": "yes"}, "`embedding_head` must be null or an object, got 'yes'"),
        ({"late_interaction_head": 1}, "`late_interaction_head` must be null or an object, got 1"),
    ],
)
def test_a_config_that_does_not_fit_gets_a_named_error(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    save_task_heads(made_heads(NLIFeatures.PAIR), tmp_path)
    change(tmp_path, **changes)
    with pytest.raises(WeightsError, match=f"(?s){message}"):
        load_task_heads(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", b"", "damaged or not a safetensors file"),
        ("model.safetensors", b"\x93NUMPY" * 99, "damaged or not a safetensors file"),
        ("model.safetensors", None, r"neither model\.safetensors nor task_heads\.pt"),
        ("config.json", b'{"features": ', r"config\.json is damaged"),
        ("config.json", b"[]", "must hold an object"),
        ("config.json", None, r"has no config\.json"),
    ],
)
def test_a_damaged_folder_gets_a_named_error(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    save_task_heads(made_heads(), tmp_path)
    assert is_task_heads(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        load_task_heads(tmp_path)
    assert is_task_heads(tmp_path) is (name == "model.safetensors")


def test_a_pickle_named_safetensors_is_refused(tmp_path: Path) -> None:
    save_task_heads(made_heads(), tmp_path)
    torch.save({"x": Evil(tmp_path / "executed")}, tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="not a safetensors file"):
        load_task_heads(tmp_path)
    assert not (tmp_path / "executed").exists()


def test_safetensors_come_before_a_seed_file(tmp_path: Path) -> None:
    heads = made_heads()
    save_task_heads(heads, tmp_path)
    (tmp_path / "task_heads.pt").write_bytes(b"")
    inputs = torch.randn(2, H)
    assert torch.equal(load_task_heads(tmp_path).nli(inputs), heads.nli(inputs))


def test_nan_in_safetensors_is_refused(tmp_path: Path) -> None:
    save_task_heads(made_heads(), tmp_path)
    path = tmp_path / "model.safetensors"
    tensors = load_file(path)
    tensors["nli_output.bias"][1] = torch.nan
    save_file(tensors, path)
    with pytest.raises(WeightsError, match=r"'nli_output\.bias' in .*safetensors .* not finite"):
        load_task_heads(tmp_path)


def test_folders_are_told_apart(tmp_path: Path) -> None:
    assert not is_task_heads(tmp_path)
    assert not is_task_heads(tmp_path / "nowhere")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert not is_task_heads(tmp_path)
    (tmp_path / "task_heads.pt").write_bytes(b"")
    assert is_task_heads(str(tmp_path))
    with pytest.raises(WeightsError, match="There is no file"):
        load_task_heads(tmp_path / "nowhere")
