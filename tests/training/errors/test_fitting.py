"""Fitting a head to made features, and its calibration."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from made_errors import MadeErrors
from sklearn.linear_model import LogisticRegression

from headwise.errors import TrainingError
from headwise.features import SelectedFeatures
from headwise.heads import ErrorHead
from headwise.training.errors.fitting import fit_error_head
from headwise.training.errors.loss import ErrorLoss
from headwise.training.errors.output_calibration import (
    fold_calibration,
    fold_gap_calibration,
    measure_outputs,
    outputs_on,
)
from headwise.training.errors.settings import ErrorTraining

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
    found = fitted.evaluations[fitted.best].metrics
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


def smoothed_regression(logits: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Slope and intercept by logistic regression on Platt's smoothed labels.

    An item with the label t stands once as positive with the weight t, and once as negative with
    1 - t.
    """
    positive, negative = int(labels.sum()), int((~labels).sum())
    t = np.where(labels, (positive + 1) / (positive + 2), 1 / (negative + 2))
    x = logits.double().numpy()[:, None]
    y = np.repeat([1, 0], len(x))
    regression = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000)
    regression.fit(np.concatenate([x, x]), y, sample_weight=np.concatenate([t, 1 - t]))
    return regression.coef_[0, 0], regression.intercept_[0]


def pointing_at_errors(seed: int) -> ErrorHead:
    """A head whose outputs rise with what is wrong, but not as probabilities should."""
    own = head().eval()
    source = MadeErrors(200, seed=seed)
    batch = source.batch(range(200))
    with torch.no_grad():
        own.output.weight.mul_(3.0)
        logits = ErrorLoss(own, source.weight).logits(batch)
        for column, labels in enumerate((batch.errors, batch.missing)):
            if logits[labels, column].mean() < logits[~labels, column].mean():
                own.output.weight[column].neg_()
    return own


def test_the_calibration_is_platts() -> None:
    # Few gaps, so that smoothing shows
    dev = MadeErrors(30, seed=4, unknown=2, closed=True)
    own = pointing_at_errors(seed=4)
    loss = ErrorLoss(own, dev.weight)
    before = outputs_on(loss, dev, device=CPU)
    assert before[1] is not None
    found = fold_calibration(loss, dev, device=CPU)
    after = outputs_on(loss, dev, device=CPU)
    for (logits, labels), later, quality in zip(before, after, found, strict=True):
        slope, intercept = smoothed_regression(logits, labels)
        assert slope > 0.0
        assert min(quality.positive, quality.positions - quality.positive) >= 10
        assert quality.slope == pytest.approx(slope, rel=1e-3)
        assert quality.intercept == pytest.approx(intercept, rel=1e-3, abs=1e-4)
        wanted = quality.slope * logits + quality.intercept
        torch.testing.assert_close(later.logits, wanted, rtol=1e-4, atol=1e-4)


def test_measures_leave_out_what_closes_and_what_is_not_known() -> None:
    dev = MadeErrors(50, seed=4, unknown=5, closed=True)
    loss = ErrorLoss(head().eval(), dev.weight)
    batch = dev.batch(range(50))
    tokens, gaps = measure_outputs(loss, dev, device=CPU)
    assert gaps is not None
    own, known = ~batch.closing, batch.missing_known
    assert (tokens.positions, tokens.positive) == (int(own.sum()), int(batch.errors[own].sum()))
    assert (gaps.positions, gaps.positive) == (int(known.sum()), int(batch.missing[known].sum()))
    # The gap at the end stands at the closing token
    assert (known & batch.closing).any()
    some = MadeErrors(50, seed=4, closed=True, unsure=True)
    told = some.batch(range(50)).errors_known
    assert measure_outputs(loss, some, device=CPU)[0].positions == int((own & told).sum())
    nobody = MadeErrors(50, seed=4, unknown=1)
    assert measure_outputs(loss, nobody, device=CPU)[1] is None


def test_gaps_can_be_calibrated_alone() -> None:
    dev, own = MadeErrors(100, seed=4), pointing_at_errors(seed=4)
    row = own.output.weight[0].clone()
    found = fold_gap_calibration(ErrorLoss(own, dev.weight), dev, device=CPU)
    assert found is not None
    assert found.slope != 1.0
    torch.testing.assert_close(own.output.weight[0], row, rtol=0, atol=0)
    without = MadeErrors(9, seed=4, missing=False)
    assert fold_gap_calibration(ErrorLoss(own, dev.weight), without, device=CPU) is None


@pytest.mark.parametrize("gaps", [0, 9])
def test_an_output_with_few_labels_of_a_kind_stays(
    gaps: int, caplog: pytest.LogCaptureFixture
) -> None:
    dev, own = MadeErrors(200, seed=5), pointing_at_errors(seed=5)
    left = gaps
    for _, _, _, labels, _, _ in dev._rows:
        labels &= labels.cumsum(0) <= left
        left -= int(labels.sum())
    before = own.output.weight[1].clone()
    quality = fold_calibration(ErrorLoss(own, dev.weight), dev, device=CPU)[1]
    assert quality is not None
    assert (quality.slope, quality.intercept, quality.positive) == (1.0, 0.0, gaps)
    torch.testing.assert_close(own.output.weight[1], before, rtol=0, atol=0)
    assert "Probabilities of gaps stay as they were learned" in caplog.text


def test_balanced_gaps_are_those_that_are_known(tmp_path: Path) -> None:
    nobody = MadeErrors(40, seed=1, unknown=1)
    fitted = fit_error_head(
        head(),
        nobody,
        nobody,
        settings(epochs=1, class_weights="balanced"),
        unembedding=nobody.weight,
        checkpoints=tmp_path,
        device=CPU,
    )
    assert fitted.gaps is None


@pytest.mark.parametrize("criterion", ["auroc", "loss"])
def test_dev_without_a_wrong_token_can_only_decide_by_the_loss(
    tmp_path: Path, criterion: str
) -> None:
    train, dev = MadeErrors(40, seed=1), MadeErrors(40, seed=2)
    for _, _, wrong, *_ in dev._rows:
        wrong.fill_(False)

    by_loss = criterion == "loss"
    refused = nullcontext() if by_loss else pytest.raises(TrainingError, match="no wrong token")
    with refused:
        fit_error_head(
            head(),
            train,
            dev,
            settings(epochs=1, criterion=criterion),
            unembedding=train.weight,
            checkpoints=tmp_path,
            device=CPU,
        )
