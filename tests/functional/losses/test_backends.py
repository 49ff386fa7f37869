import pytest
import torch
from fake_loss_packages import options_of, put_cce, put_liger
from torch import Tensor
from torch.nn import functional as F

from headwise.functional import linear_cross_entropy
from headwise.functional.losses import backends as loss_backends
from headwise.functional.losses.backends import LossBackend, LossOptions
from headwise.functional.losses.counted_positions import LM_IGNORE_INDEX, CountedPositions
from headwise.functional.losses.external_losses import cut_cross_entropy_arguments

NEEDS_CORE = pytest.mark.skipif(
    not hasattr(torch.nn, "LinearCrossEntropyOptions"), reason="needs PyTorch 2.13"
)


def run_backend(backend, hidden, weight, targets, bias, token_weights, options) -> Tensor:
    positions = CountedPositions.of(
        hidden,
        targets,
        vocabulary_size=len(weight),
        ignore_index=LM_IGNORE_INDEX,
        shift=False,
        token_weights=token_weights,
    )
    return loss_backends.run_backend(backend, positions, weight, bias, options)


def tensors(n=13, h=6, v=37, dtype=torch.float64, ignored=(2, 7), bias=True):
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(n, h, generator=generator).to(dtype).requires_grad_()
    weight = torch.randn(v, h, generator=generator).to(dtype).requires_grad_()
    targets = torch.randint(v, (n,), generator=generator)
    targets[list(ignored)] = -100
    made = torch.randn(v, generator=generator).to(dtype).requires_grad_() if bias else None
    weights = torch.rand(n, generator=generator).to(dtype)
    return hidden, weight, targets, made, weights


def dense(hidden, weight, targets, bias, token_weights, options: LossOptions) -> Tensor:
    logits = F.linear(hidden, weight, bias)
    if options.softcap is not None:
        logits = options.softcap * torch.tanh(logits / options.softcap)
    loss = F.cross_entropy(
        logits, targets, reduction="none", label_smoothing=options.label_smoothing
    )
    counted = targets != -100
    loss = loss + options.z_loss * logits.logsumexp(-1) ** 2 * counted
    weights = counted.to(loss.dtype) * (1 if token_weights is None else token_weights)
    loss = loss * (1 if token_weights is None else token_weights)
    match options.reduction:
        case "none":
            return loss
        case "sum":
            return loss.sum()
        case _:
            return loss.sum() / weights.sum()


def assert_parity(backend: LossBackend, options: LossOptions, *, bias: bool, weighted: bool):
    hidden, weight, targets, made, weights = tensors(bias=bias)
    leaves = [leaf for leaf in (hidden, weight, made) if leaf is not None]
    found = run_backend(
        backend, hidden, weight, targets, made, weights if weighted else None, options
    )
    right = dense(hidden, weight, targets, made, weights if weighted else None, options)
    assert found.shape == right.shape
    upstream = torch.linspace(0.5, 2.0, found.numel(), dtype=found.dtype).view(found.shape)
    mine = torch.autograd.grad((found * upstream).sum(), leaves)
    theirs = torch.autograd.grad((right * upstream).sum(), leaves)
    torch.testing.assert_close(found, right, check_dtype=False)
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)


@NEEDS_CORE
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_core_is_the_dense_formula(reduction, bias, weighted):
    options = options_of(reduction=reduction, bias=bias, token_weights=weighted)
    assert_parity(LossBackend.CORE, options, bias=bias, weighted=weighted)


@NEEDS_CORE
def test_core_in_float32_gives_float32_even_under_autocast():
    hidden, weight, targets, bias, _ = tensors(dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = run_backend(
            LossBackend.CORE, hidden, weight, targets, bias, None, options_of(bias=True)
        )
    right = F.cross_entropy(F.linear(hidden, weight, bias), targets)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, right)


@NEEDS_CORE
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n", [0, 5])
def test_without_a_counted_token_loss_and_gradients_are_zero(reduction, weighted, n):
    hidden, weight, targets, bias, weights = tensors(n=n, ignored=range(n))
    options = options_of(reduction=reduction, bias=True, token_weights=weighted)
    loss = run_backend(
        LossBackend.CORE, hidden, weight, targets, bias, weights if weighted else None, options
    )
    assert loss.shape == ((n,) if reduction == "none" else ())
    gradients = torch.autograd.grad(loss.sum(), (hidden, weight, bias))
    for values in (loss, *gradients):
        assert torch.equal(values, torch.zeros_like(values))


@NEEDS_CORE
def test_a_single_block_is_not_copied(monkeypatch):
    hidden, weight, targets, _, _ = tensors(dtype=torch.float32)
    seen = []

    def spy(hidden, weight, *_, **__):
        seen.append(weight.data_ptr())
        return hidden.sum()

    monkeypatch.setattr(loss_backends, "core_loss", spy)
    linear_cross_entropy(hidden, weight, targets, backend="core")
    assert seen == [weight.data_ptr()]


@NEEDS_CORE
def test_weights_that_sum_to_zero_give_zero():
    hidden, weight, targets, bias, weights = tensors()
    options = options_of(bias=True, token_weights=True)
    loss = run_backend(LossBackend.CORE, hidden, weight, targets, bias, weights * 0, options)
    assert float(loss.detach()) == 0.0


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
def test_cut_cross_entropy_is_asked_for_exact_gradients(monkeypatch, newer, reduction, weighted):
    calls = put_cce(monkeypatch, newer=newer)
    options = options_of(reduction=reduction, softcap=2.0, bias=newer, token_weights=weighted)
    assert_parity(LossBackend.CCE, options, bias=newer, weighted=weighted)
    (asked,) = calls
    assert asked["filter_eps"] is None
    assert asked["softcap"] == 2.0
    assert not asked["shift"]
    assert len(asked["targets"]) == 11  # two of thirteen are ignored
    assert asked["reduction"] == ("none" if weighted else reduction)
    if newer:
        assert asked["accum_e_fp32"] is asked["accum_c_fp32"] is True


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_liger_is_asked_for_every_option(monkeypatch, reduction):
    calls = put_liger(monkeypatch)
    options = options_of(
        reduction=reduction, softcap=3.0, label_smoothing=0.1, z_loss=0.01, bias=True
    )
    assert_parity(LossBackend.LIGER, options, bias=True, weighted=False)
    (asked,) = calls
    assert asked["accum_dtype"] is torch.float32
    assert (asked["lse_square_scale"], asked["reduction"]) == (0.01, reduction)


def test_liger_trains_a_weight_on_frozen_hidden_states(monkeypatch):
    put_liger(monkeypatch)
    hidden, weight, targets, _, _ = tensors(ignored=(), bias=False)
    hidden = hidden.detach()
    loss = run_backend(LossBackend.LIGER, hidden, weight, targets, None, None, options_of())
    (found,) = torch.autograd.grad(loss, weight)
    (right,) = torch.autograd.grad(F.cross_entropy(hidden @ weight.T, targets), weight)
    torch.testing.assert_close(found, right, rtol=1e-6, atol=1e-7)
    assert not hidden.requires_grad


@pytest.mark.parametrize("backend", [LossBackend.TORCH, LossBackend.AUTO])
def test_only_other_packages_are_run_here(backend):
    hidden, weight, targets, _, _ = tensors(bias=False)
    with pytest.raises(ValueError, match="'core', 'cce' or 'liger'"):
        run_backend(backend, hidden, weight, targets, None, None, options_of())


@pytest.mark.gpu
@pytest.mark.parametrize(
    ("backend", "package"),
    [(LossBackend.CCE, "cut_cross_entropy"), (LossBackend.LIGER, "liger_kernel")],
)
@pytest.mark.parametrize("frozen", [False, True])
def test_real_kernels_are_as_close_as_dense_bfloat16(backend, package, frozen):
    """The rule of cut-cross-entropy's tests: dense bfloat16's own error and 1e-2 on top."""
    pytest.importorskip(package)
    hidden, weight, targets, _, _ = tensors(256, 128, 512, torch.bfloat16, bias=False)
    hidden = (hidden.detach() / 128**0.5).cuda().requires_grad_(not frozen)
    weight = weight.detach().cuda().requires_grad_()
    leaves = [weight] if frozen else [weight, hidden]
    targets = targets.cuda()
    loss = run_backend(backend, hidden, weight, targets, None, None, options_of())
    exact = F.cross_entropy(hidden.double() @ weight.double().T, targets)
    rounded = F.cross_entropy((hidden @ weight.T).float(), targets)
    assert loss.dtype == torch.float32
    found, right, plain = (torch.autograd.grad(x, leaves) for x in (loss, exact, rounded))
    for mine, true, bfloat16 in zip(found, right, plain, strict=True):
        allowed = (bfloat16 - true).abs() + 1e-2
        assert bool(((mine - true).abs() <= allowed).all())
        # Gradients of a mean are smaller than that tolerance
        assert float((mine - true).norm()) <= 2 * float((bfloat16 - true).norm())


def test_the_arguments_of_cut_cross_entropy_are_read_from_what_is_installed(monkeypatch):
    put_cce(monkeypatch, newer=False)
    assert "bias" not in cut_cross_entropy_arguments()
    put_cce(monkeypatch, newer=True)
    assert "bias" in cut_cross_entropy_arguments()
