"""Fitting a head to made features, and its calibration."""

from pathlib import Path

import numpy as np
import pytest
import torch
from made_errors import MadeErrors
from sklearn.linear_model import LogisticRegression

from headwise.errors import TrainingError
from headwise.features import SelectedFeatures
from headwise.heads.error_head import ErrorHead
from headwise.training.error_head.error_loss import ErrorLoss
from headwise.training.error_head.fitting import fit_error_head
from headwise.training.error_head.output_calibration import fold_calibration, outputs_on
from headwise.training.error_head.settings import ErrorTraining

CPU = torch.device("cpu")


def settings(**changes: object) -> ErrorTraining:
    return ErrorTraining(**{"epochs": 4, "batch_tokens": 128, "learning_rate": 1e-2, **changes})


def head(**changes: object) -> ErrorHead:
    torch.manual_seed(0)
    return ErrorHead(**{"hidden_size": 8, "inner_size": 16, **changes})


@pytest.mark.parametrize("variant", ["causal", "hindsight"])
@pytest.mark.parametrize("class_weights", ["balanced", None])
def test_a_head_learns_what_is_wrong(
    tmp_path: Path, variant: str, class_weights: str | None
) -> None:
    train, dev = MadeErrors(300, seed=1), MadeErrors(100, seed=2)
    own = head(variant=variant)
    fitted = fit_error_head(
        own,
        train,
        dev,
        settings(class_weights=class_weights),
        unembedding=train.weight,
        checkpoints=tmp_path,
        device=CPU,
        families=["swap", "name"] * 50,
    )
    found = fitted.trained.evaluations[fitted.best].metrics
    assert found["auroc"] > 0.95
    assert found["auroc"] == pytest.approx((found["auroc_swap"] + found["auroc_name"]) / 2)
    assert fitted.tokens.auroc > 0.95
    assert fitted.gaps is not None
    assert not own.training
    # Balanced classes make errors too probable; slope and intercept mend that
    assert fitted.tokens.ece_after < 0.05


def test_gaps_that_nobody_marked_are_not_learned(tmp_path: Path) -> None:
    train, dev = MadeErrors(60, seed=1), MadeErrors(60, seed=2)
    own = head()
    before = own.output.weight[1].clone()
    fitted = fit_error_head(
        own,
        train,
        dev,
        settings(epochs=1, weight_decay=0.0),
        unembedding=train.weight,
        checkpoints=tmp_path,
        device=CPU,
        gaps=False,
    )
    assert fitted.gaps is None
    torch.testing.assert_close(own.output.weight[1], before, rtol=0, atol=0)


def test_inputs_are_standardised_once(tmp_path: Path) -> None:
    train, dev = MadeErrors(40, seed=1), MadeErrors(40, seed=2)
    own = head()
    for name, fresh in (("first", True), ("second", False)):
        before = own.mean.clone()
        fit_error_head(
            own,
            train if fresh else dev,
            dev,
            settings(epochs=1),
            unembedding=train.weight,
            checkpoints=tmp_path / name,
            device=CPU,
            fresh=fresh,
        )
        assert torch.equal(own.mean, before) != fresh
    everything = train.batch(range(40))
    torch.testing.assert_close(own.mean[:8], everything.hidden.mean(0), rtol=1e-4, atol=1e-5)


def test_no_texts_are_an_error(tmp_path: Path) -> None:
    source = MadeErrors(4, seed=0)
    with pytest.raises(TrainingError, match="training data hold no text"):
        fit_error_head(
            head(),
            SelectedFeatures(source, []),
            source,
            settings(),
            unembedding=source.weight,
            checkpoints=tmp_path,
            device=CPU,
        )


def test_the_calibration_is_logistic_regression() -> None:
    dev = MadeErrors(200, seed=4)
    own = head().eval()
    with torch.no_grad():
        own.output.weight.mul_(3.0)
    loss = ErrorLoss(own, dev.weight)
    logits, wrong, missing = outputs_on(loss, dev, device=CPU)
    assert missing is not None
    found = fold_calibration(loss, dev, device=CPU)
    after, _, _ = outputs_on(loss, dev, device=CPU)
    for column, (labels, quality) in enumerate(zip((wrong, missing), found, strict=True)):
        regression = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
        regression.fit(logits[:, [column]].double().numpy(), labels.numpy())
        slope = regression.coef_[0, 0]
        if slope <= 0.0:  # random weights may point the other way: then nothing is done
            assert quality.slope == 1.0
            continue
        assert quality.slope == pytest.approx(slope, rel=1e-3)
        assert quality.intercept == pytest.approx(regression.intercept_[0], rel=1e-3)
        wanted = quality.slope * logits[:, column] + quality.intercept
        torch.testing.assert_close(after[:, column], wanted, rtol=1e-4, atol=1e-4)


def test_an_output_with_one_kind_of_label_stays() -> None:
    dev = MadeErrors(20, seed=5)
    for _, _, _, gaps in dev._rows:
        gaps.fill_(False)
    own = head().eval()
    before = own.output.weight[1].clone()
    quality = fold_calibration(ErrorLoss(own, dev.weight), dev, device=CPU)[1]
    assert quality is not None
    assert (quality.auroc, quality.slope, quality.positive) == (None, 1.0, 0)
    torch.testing.assert_close(own.output.weight[1], before, rtol=0, atol=0)
