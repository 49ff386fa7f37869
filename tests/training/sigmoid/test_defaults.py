from pathlib import Path

from transformers import SchedulerType
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

from headwise.backbones import CausalBackbone, parse_prompt
from headwise.bundled.examples import example_pairs
from headwise.choices import HEAD_TYPES, SELECTOR_NAMES
from headwise.heads.storage.kinds import QUALITY_KINDS
from headwise.training import SigmoidTraining, TrainingRun, default_settings, train_sigmoid_head
from headwise.training.loop.settings import SCHEDULES, TRACKERS
from headwise.training.sigmoid.selectors import SELECTORS


def test_names_that_settings_know_without_transformers_are_its_own() -> None:
    assert set(SCHEDULES) >= {kind.value for kind in SchedulerType}
    assert set(TRACKERS) >= set(INTEGRATION_TO_CALLBACK)
    assert tuple(QUALITY_KINDS) == HEAD_TYPES
    assert (*SELECTORS, "none") == SELECTOR_NAMES


def test_wide_models_get_the_published_settings() -> None:
    assert default_settings(1024) == default_settings(4096) == SigmoidTraining(learning_rate=1e-4)


def test_narrow_models_get_what_the_comparison_found() -> None:
    settings = default_settings(1023)
    assert settings == default_settings(256)
    assert settings.head_type == "contextual_unembedding_head"
    assert settings.learning_rate == 3e-3


def test_large_vocabularies_are_shared() -> None:
    settings = default_settings(640, 262_144)
    assert settings == default_settings(4096, 65_536)
    assert settings.head_type == "shared_unembedding_head"
    assert default_settings(4096, 65_535) == default_settings(4096)
    assert default_settings(640, 65_535) == default_settings(640)


def test_without_settings_the_model_decides(parrot: CausalBackbone, tmp_path: Path) -> None:
    pairs = example_pairs()[:4]
    train_sigmoid_head(
        parrot, pairs, pairs, tmp_path, prompt=parse_prompt("tiny"), backbone_name="parrot"
    )
    run = TrainingRun.read(tmp_path / "run.yaml")
    assert SigmoidTraining.from_dict(run.settings) == default_settings(parrot.hidden_size)
