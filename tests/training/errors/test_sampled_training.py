"""An error head learns from the language model's own translations as well."""

import json
from pathlib import Path

import pytest

from headwise import QualityEstimator
from headwise.backbones import CausalBackbone, parse_prompt
from headwise.bundled.examples import example_pairs
from headwise.corruption import CorruptionMix, ErrorFamily
from headwise.data.records.pairs import Pair
from headwise.errors import TrainingError
from headwise.training.errors import ErrorReport, ErrorTraining, train_uncalibrated_error_head

MIX = CorruptionMix(proportions={ErrorFamily.REPLACEMENT: 1.0})


@pytest.fixture(scope="module")
def backbone() -> CausalBackbone:
    found = QualityEstimator.from_pretrained("tiny-en-de").backbone
    assert isinstance(found, CausalBackbone)
    return found


def run(backbone: CausalBackbone, output: Path, pairs: list[Pair], *, sampled: int) -> ErrorReport:
    return train_uncalibrated_error_head(
        backbone,
        pairs[8:],
        pairs[:8],
        output,
        prompt=parse_prompt("tiny"),
        backbone_name="tiny-en-de",
        settings=ErrorTraining(
            mix=MIX, copies=1, epochs=1, inner_size=8, sampled=sampled, sample_temperature=1.5
        ),
    )


def test_samples_are_a_family_beside_those_of_the_mix(
    backbone: CausalBackbone, tmp_path: Path
) -> None:
    pairs = example_pairs()
    report = run(backbone, tmp_path, pairs, sampled=2)
    assert set(report.families) == {"replacement", "sampled"}
    assert report.synthetic is not None
    assert set(report.synthetic.families()) == {"replacement", "sampled"}
    without = run(backbone, tmp_path / "without", pairs, sampled=0)
    assert without.synthetic is not None
    assert report.synthetic.texts > without.synthetic.texts
    # One a source on dev; what is drawn stays beside the head, to be looked at
    kept = {
        part: [
            json.loads(line)["texts"]
            for line in (tmp_path / "sampled" / f"{part}.jsonl").read_text("utf-8").splitlines()[1:]
        ]
        for part in ("train", "dev")
    }
    assert {len(texts) for texts in kept["train"]} <= {0, 1, 2}
    assert {len(texts) for texts in kept["dev"]} <= {0, 1}
    assert len(kept["dev"]) == len({pair.source for pair in pairs[:8]})
    # What nobody knows has no part in what is calibrated after the training
    assert any(pair.unsure for pair in report.held_out)
    assert len(report.held_out) == len(report.held_out_groups) >= len(without.held_out)
    assert "the family sampled" in (tmp_path / "error_head.md").read_text("utf-8")
    assert "the family sampled" not in (tmp_path / "without/error_head.md").read_text("utf-8")


def test_texts_without_a_source_have_no_samples(backbone: CausalBackbone, tmp_path: Path) -> None:
    alone = [Pair(None, pair.hypothesis) for pair in example_pairs()]
    with pytest.raises(TrainingError, match="need training pairs that translate a source"):
        run(backbone, tmp_path / "head", alone, sampled=1)
    assert not (tmp_path / "head").exists()
