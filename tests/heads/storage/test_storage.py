"""Heads on disk: round trips, the released hub layout, and everything that can be wrong."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from made_quality_heads import OWN_UNEMBEDDING, C, H, V, make_head, softcapped
from safetensors.torch import load_file, save_file
from torch import Tensor

from headwise.errors import MismatchError, UnknownModelError, WeightsError
from headwise.heads import (
    HEAD_TYPES,
    QualityHead,
    RescalingHead,
    SharedUnembeddingHead,
    SigmoidHead,
    check_fit,
    copy_head,
    head_folder,
    load_head,
    read_head_info,
    save_head,
)

DTYPES = [torch.float32, torch.bfloat16]

PLAIN_USER = """
import json, sys
import torch
from transformers import AutoModel

folder, *names = sys.argv[1:]
torch.set_num_threads(1)
scores = {}
for name in names:
    head = AutoModel.from_pretrained(f"{folder}/{name}", trust_remote_code=True).eval()
    inputs, weight, bias = torch.load(f"{folder}/{name}.pt", weights_only=True)
    layer = lambda hidden: 4.0 * torch.tanh((0.5 * hidden @ weight.T + bias) / 4.0)
    arguments = (inputs, layer) if head.config.model_type.startswith("shared") else (inputs,)
    with torch.no_grad():
        scores[name] = head.score(*arguments).tolist()
    if name.endswith("layers"):
        read = [inputs[number] for number in head.config.layers]
        with torch.no_grad():
            both = head.score(torch.cat(read, dim=-1), layer)
            torch.testing.assert_close(both, head.score(*arguments))
        try:
            head.score(inputs[1:], layer)
        except ValueError as error:
            assert "a model of 3 layers, whose hidden_states are 4, got 3" in str(error)
        else:
            raise AssertionError("layers of another model were read")
assert not any(module.split(".")[0] == "headwise" for module in sys.modules)
print(json.dumps(scores))
"""


def never() -> Any:
    raise AssertionError("the backbone's output layer was asked for")


def unembedding_of(head: QualityHead) -> Any:
    return (lambda: head._unembedding) if isinstance(head, RescalingHead) else never


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("kind", HEAD_TYPES)
def test_a_saved_head_scores_the_same(tmp_path: Path, kind: str, dtype: torch.dtype) -> None:
    head = make_head(kind)
    prompt = {"kind": "text", "prompt": "{bos} {source} ä"}
    folder = save_head(
        head, tmp_path / "new" / "head", prompt=prompt, backbone="owner/name", dtype=dtype
    )
    loaded = load_head(folder, unembedding=unembedding_of(head))

    assert type(loaded) is type(head)
    assert not loaded.training
    assert not any(p.requires_grad for p in loaded.parameters())
    assert all(p.dtype == torch.float32 for p in loaded.parameters())
    assert {t.dtype for t in load_file(folder / "model.safetensors").values()} == {dtype}
    hidden = torch.randn(7, H)
    tolerance = 0.0 if dtype == torch.float32 else 0.02  # bit for bit in float32
    torch.testing.assert_close(
        loaded.score(hidden), head.score(hidden), rtol=tolerance, atol=tolerance
    )

    info = read_head_info(folder)
    assert (info.head_type, info.prompt, info.backbone) == (head.head_type, prompt, "owner/name")
    assert not list(folder.glob(".*"))  # no temporary file is left


@pytest.mark.parametrize("kind", HEAD_TYPES)
def test_a_copied_head_is_the_saved_one(tmp_path: Path, kind: str) -> None:
    head = make_head(kind)
    folder = save_head(head, tmp_path / "head", backbone="owner/name")
    copy = copy_head(folder, tmp_path / "copy")
    code = "shared_unembedding_head" if kind.startswith("shared") else "sigmoid_head"
    for name in ("config.json", "model.safetensors", f"{code}.py"):
        assert (copy / name).read_bytes() == (folder / name).read_bytes()
    config = json.loads((copy / "config.json").read_text())
    own = {"rescaling_head": (0, 0), "shared_unembedding_head": (0, H)}.get(kind, (V, H))
    assert (config["vocab_size"], config["hidden_size"]) == own
    with_context = ("contextual_unembedding_head", "shared_unembedding_head")
    assert config.get("context_size") == (C if kind in with_context else None)
    assert config["model_type"] == code


def test_the_model_card_is_written_if_there_is_one(tmp_path: Path) -> None:
    head = make_head("new_unembedding_head")
    assert not (save_head(head, tmp_path / "a") / "README.md").exists()
    folder = save_head(head, tmp_path / "b", model_card="# Käse\n")
    assert (folder / "README.md").read_text(encoding="utf-8") == "# Käse\n"


def of_two_layers(width: int) -> SharedUnembeddingHead:
    """A head whose g reads layer 1 of 3."""
    head = SharedUnembeddingHead(
        unembedding=softcapped(),
        hidden_size=H,
        context_size=C,
        rank=2,
        layers=(-1, 1),
        layer_count=3,
        layer_widths=None if width == H else [H, width],
    )
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    head.standardise(torch.cat([torch.randn(9, H), _raw(9, width)], dim=1))
    return head


def _raw(*shape: int) -> Tensor:
    """Hidden states as they are in the middle of a model: far from 0, of any size."""
    return 1000.0 + 10.0 * torch.randn(*shape)


def test_plain_transformers_users_get_the_same_scores(tmp_path: Path) -> None:
    """In a process of their own, which never imports headwise."""
    expected: dict[str, Tensor] = {}
    for kind in HEAD_TYPES:
        for dtype in DTYPES:
            name = f"{kind}-{str(dtype).removeprefix('torch.')}"
            head = make_head(kind)
            folder = save_head(head, tmp_path / name, dtype=dtype, backbone="owner/name")
            hidden = torch.randn(2, 3, H)
            loaded = load_head(folder, unembedding=unembedding_of(head))
            expected[name] = loaded.score(hidden)
            # A rescaling head has no unembedding of its own: it takes the model's logits
            raw = head._unembedding(hidden) if kind == "rescaling_head" else hidden
            layer = getattr(head, "_unembedding", softcapped())
            torch.save((raw, layer.weight, layer.bias), tmp_path / f"{name}.pt")
    for width, dtype in ((H, torch.float32), (7, torch.bfloat16)):
        name, layered = f"{width}-layers", of_two_layers(width)
        # Of the 3 layers of a model; one beside those that are read is of yet another width
        states = [_raw(2, 3, 5), _raw(2, 3, width), _raw(2, 3, H), torch.randn(2, 3, H)]
        loaded = load_head(
            save_head(layered, tmp_path / name, dtype=dtype), unembedding=unembedding_of(layered)
        )
        assert isinstance(loaded, SharedUnembeddingHead)
        assert (loaded.layers, loaded.input_size) == ((-1, 1), H + width)
        expected[name] = loaded.score(torch.cat([states[3], states[1]], dim=-1))
        layer = layered._unembedding
        torch.save((states, layer.weight, layer.bias), tmp_path / f"{name}.pt")

    done = subprocess.run(
        [sys.executable, "-c", PLAIN_USER, str(tmp_path), *expected],
        env={"HF_HOME": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)
    for name, one in expected.items():
        torch.testing.assert_close(torch.tensor(scores[name]), one)


def released_layout(folder: Path, config: dict[str, Any]) -> Tensor:
    """A folder like the authors', with code that must not run."""
    folder.mkdir()
    weight = torch.randn(V, H)
    save_file({"weight": weight}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "sigmoid_head.py").write_text("raise SystemExit('this code was executed')")
    return weight


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "sigmoid_head", "vocab_size": V, "hidden_size": H},
        {"model_type": "sigmoid_head", "lm_vocab_size": V, "lm_hidden_size": H, "head_type": None},
        {},
    ],
)
def test_the_released_layout_loads_without_running_its_code(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    auto = {"AutoConfig": "sigmoid_head.SigmoidHeadConfig", "AutoModel": "sigmoid_head.SigmoidHead"}
    weight = released_layout(tmp_path / "head", {**config, "auto_map": auto})
    head = load_head(tmp_path / "head", unembedding=never)
    assert type(head) is SigmoidHead
    torch.testing.assert_close(head.weight, torch.nn.Parameter(weight), check_stride=False)
    assert read_head_info(tmp_path / "head").prompt is None


def broken(folder: Path, name: str) -> None:
    """Damage a good folder."""
    weights, config = folder / "model.safetensors", folder / "config.json"
    match name:
        case "truncated":
            weights.write_bytes(weights.read_bytes()[:-40])
        case "garbage":
            weights.write_bytes(b"\x93NUMPY" * 100)
        case "empty":
            weights.write_bytes(b"")
        case "pickle inside":
            torch.save({"weight": torch.zeros(V, H)}, weights)
        case "pickle only":
            weights.unlink()
            torch.save({"weight": torch.zeros(V, H)}, folder / "pytorch_model.bin")
        case "no weights":
            weights.unlink()
        case "another tensor":
            save_file({"lm_head.weight": torch.zeros(V, H)}, weights)
        case "a vector":
            save_file({"weight": torch.zeros(V)}, weights)
        case "one tensor too many":
            save_file({"weight": torch.zeros(V, H), "bias": torch.zeros(V)}, weights)
        case "no config":
            config.unlink()
        case "bad JSON":
            config.write_text('{"head_type": ')
        case "binary config":
            config.write_bytes(b"\xff\xfe\x00")
        case "a list as config":
            config.write_text("[]")
        case "an unknown head":
            config.write_text('{"head_type": "hydra"}')
        case "the type of a rescaled head":
            config.write_text('{"head_type": "rescaled_unembedding_head"}')
        case "the type of a plain head":
            config.write_text("{}")
        case "no bias":
            save_file({"weight": torch.zeros(V, H)}, weights)
        case "a bias for each token":
            save_file({"weight": torch.zeros(V, H), "bias": torch.zeros(V)}, weights)
        case "no context":
            save_file({"weight": torch.zeros(V, H)}, weights)
        case "half a context":
            tensors = load_file(weights)
            del tensors["context.2.weight"]
            save_file(tensors, weights)
        case "the context of another size":
            save_file({**load_file(weights), "context.0.weight": torch.zeros(C, H + 1)}, weights)
        case "a third layer":
            save_file({**load_file(weights), "context.4.weight": torch.zeros(1, 1)}, weights)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("truncated", "damaged or not a safetensors file"),
        ("garbage", "damaged or not a safetensors file"),
        ("empty", "damaged or not a safetensors file"),
        ("pickle inside", "damaged or not a safetensors file"),
        ("pickle only", r"pytorch_model\.bin may run code"),
        ("no weights", r"has no model\.safetensors\.$"),
        ("another tensor", r"no matrix named 'weight'; found lm_head\.weight"),
        ("a vector", "no matrix named 'weight'"),
        ("one tensor too many", "does not fit its config"),
        ("no config", r"has no config\.json"),
        ("bad JSON", r"config\.json is damaged"),
        ("binary config", r"config\.json is damaged"),
        ("a list as config", r"config\.json must hold an object"),
        ("an unknown head", "unknown head: 'hydra'"),
        ("the type of a rescaled head", "does not fit its config"),
    ],
)
def test_a_damaged_folder_gets_a_named_error(tmp_path: Path, damage: str, message: str) -> None:
    assert_refused(tmp_path, "new_unembedding_head", damage, message)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("no bias", r"does not fit its config\.json: .*Missing .*\"bias\""),
        ("a bias for each token", r"does not fit its config\.json: .*size mismatch for bias"),
        ("another tensor", r"no matrix named 'weight'; found lm_head\.weight"),
        ("the type of a plain head", r"does not fit its config\.json: .*Unexpected .*\"bias\""),
    ],
)
def test_a_damaged_bias_gets_a_named_error(tmp_path: Path, damage: str, message: str) -> None:
    assert_refused(tmp_path, "biased_unembedding_head", damage, message)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("no context", r"no matrix named 'context\.0\.weight'; found weight"),
        ("half a context", r"does not fit its config\.json: .*Missing .*context\.2\.weight"),
        ("the context of another size", "size mismatch for context"),
        ("a third layer", r"does not fit its config\.json: .*Unexpected .*context\.4\.weight"),
        ("another tensor", r"no matrix named 'weight'; found lm_head\.weight"),
        ("the type of a plain head", r"does not fit its config\.json: .*Unexpected .*context\.0"),
    ],
)
def test_a_damaged_context_gets_a_named_error(tmp_path: Path, damage: str, message: str) -> None:
    assert_refused(tmp_path, "contextual_unembedding_head", damage, message)


def assert_refused(folder: Path, kind: str, damage: str, message: str) -> None:
    save_head(make_head(kind), folder)
    broken(folder, damage)
    with pytest.raises(WeightsError, match=f"(?s){message}"):
        load_head(folder, unembedding=never)


def test_a_head_that_cannot_be_read_is_not_copied(tmp_path: Path) -> None:
    folder = save_head(make_head("contextual_unembedding_head"), tmp_path / "head")
    broken(folder, "no context")
    with pytest.raises(WeightsError, match="no matrix named 'context"):
        copy_head(folder, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("kind", OWN_UNEMBEDDING)
def test_sizes_that_do_not_fit_the_backbone_are_refused(kind: str) -> None:
    head = make_head(kind)
    check_fit(head, vocabulary_size=V, hidden_size=H)
    with pytest.raises(MismatchError, match=f"vocabulary {V} and hidden size {H}, the backbone"):
        check_fit(head, vocabulary_size=V + 1, hidden_size=H)
    with pytest.raises(MismatchError):
        check_fit(head, vocabulary_size=V, hidden_size=2 * H)


def test_heads_without_an_unembedding_fit_any_vocabulary() -> None:
    check_fit(make_head("rescaling_head"), vocabulary_size=1, hidden_size=1)
    shared = make_head("shared_unembedding_head")
    check_fit(shared, vocabulary_size=1, hidden_size=H)
    with pytest.raises(MismatchError, match=f"hidden size {H}, the backbone has 1"):
        check_fit(shared, vocabulary_size=V, hidden_size=1)


def test_a_head_of_two_layers_fits_models_with_these_layers(tmp_path: Path) -> None:
    head = of_two_layers(7)
    config = json.loads((save_head(head, tmp_path) / "config.json").read_text())
    assert (config["layers"], config["layer_count"], config["layer_widths"]) == ([-1, 1], 3, [H, 7])

    def fit(*widths: int) -> None:
        check_fit(head, vocabulary_size=V, hidden_size=H, layer_widths=lambda: widths)

    fit(H, 7, H, H)
    with pytest.raises(MismatchError, match="reads layers 3 and 1 of 3, the backbone has 2"):
        fit(H, 7, H)
    with pytest.raises(MismatchError, match=f"reads {H + 7} numbers of layers 3 and 1 of 3, the"):
        fit(H, H, H, H)
    for wrong in (
        *({"layers": [-1, 4]}, {"layers": [1]}, {"layers": "1"}, {"layer_count": None}),
        *({"layer_widths": [H]}, {"layer_widths": None}, {"layer_widths": [H, 10**12]}),
        *({"hidden_size": 10**12}, {"hidden_size": None}),
    ):
        (tmp_path / "config.json").write_text(json.dumps({**config, **wrong}))
        with pytest.raises(WeightsError, match=r"config\.json"):
            load_head(tmp_path, unembedding=unembedding_of(head))


@pytest.mark.parametrize("name", ["nobody/nothing", "not a name!", "/no/such/folder"])
def test_a_head_that_is_nowhere_is_unknown(name: str) -> None:
    with pytest.raises(UnknownModelError, match="neither a folder nor a hub id"):
        head_folder(name)
