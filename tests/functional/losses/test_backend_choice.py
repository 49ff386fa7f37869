import pytest
import torch
from fake_loss_packages import options_of, put_cce, put_liger

from headwise.functional.losses import backends as loss_backends
from headwise.functional.losses.backend_table import SECONDS
from headwise.functional.losses.backends import LossBackend, choose_backend

CPU = torch.device("cpu")
CUDA = torch.device("cuda")
NEEDS_CORE = pytest.mark.skipif(
    not hasattr(torch.nn, "LinearCrossEntropyOptions"), reason="needs PyTorch 2.13"
)


def choose(asked: str, device: torch.device = CPU, dtype=torch.float32, size=1000, **changes):
    return choose_backend(
        asked, options=options_of(**changes), device=device, dtype=dtype, vocabulary_size=size
    )


@NEEDS_CORE
def test_core_has_bias_token_weights_and_losses_of_tokens():
    asked = {"bias": True, "token_weights": True, "reduction": "none"}
    assert choose("core", **asked) is LossBackend.CORE


def test_an_unknown_backend_is_named_beside_the_known():
    with pytest.raises(ValueError, match="'auto', 'torch', 'core', 'cce', 'liger', got 'triton'"):
        choose("triton")


def test_our_own_backend_has_every_option_on_any_device():
    asked = {"softcap": 1.0, "statistics": True, "parallel": True, "reduction": "none"}
    assert choose("torch", torch.device("mps"), torch.float16, **asked) is LossBackend.TORCH


@NEEDS_CORE
@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"label_smoothing": 0.1}, "label_smoothing"),
        ({"softcap": 5.0}, "softcap"),
        ({"z_loss": 0.1}, "z_loss"),
        ({"statistics": True}, "return_logsumexp or return_entropy"),
        ({"parallel": True}, "process_group"),
    ],
)
def test_core_says_which_option_it_lacks_and_who_has_it(asked, name):
    with pytest.raises(ValueError, match=f"'core' has no {name}") as caught:
        choose("core", **asked)
    assert "'torch'" in str(caught.value)
    assert ("'liger'" in str(caught.value)) == (name in {"label_smoothing", "softcap", "z_loss"})
    assert ("'cce'" in str(caught.value)) == (name == "softcap")


@NEEDS_CORE
def test_core_refuses_bfloat16_because_its_loss_would_be_rounded():
    with pytest.raises(ValueError, match=r"torch\.float32, torch\.float64, got torch\.bfloat16"):
        choose("core", dtype=torch.bfloat16)


def test_core_of_an_older_torch_is_not_installed(monkeypatch):
    monkeypatch.delattr(torch.nn, "LinearCrossEntropyOptions", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'torch>=2\.13'"):
        choose("core")


@pytest.mark.parametrize("backend", ["cce", "liger"])
def test_kernels_for_cuda_are_refused_elsewhere(backend):
    with pytest.raises(ValueError, match="needs a device of type 'cuda', got 'cpu'"):
        choose(backend)


@pytest.mark.parametrize(
    ("backend", "package"), [("cce", "cut-cross-entropy"), ("liger", "liger-kernel")]
)
def test_absent_packages_are_named_with_the_command(monkeypatch, backend, package):
    monkeypatch.setattr(loss_backends, "find_spec", lambda _: None)
    with pytest.raises(ImportError, match=f"pip install {package}"):
        choose(backend, CUDA, torch.bfloat16)


@pytest.mark.parametrize("newer", [False, True])
def test_bias_needs_a_newer_cut_cross_entropy(monkeypatch, newer):
    put_cce(monkeypatch, newer=newer)
    assert choose("cce", CUDA, torch.bfloat16) is LossBackend.CCE
    if newer:
        assert choose("cce", CUDA, torch.bfloat16, bias=True) is LossBackend.CCE
    else:
        with pytest.raises(ImportError, match="no `bias`"):
            choose("cce", CUDA, torch.bfloat16, bias=True)


def test_liger_gives_no_losses_of_single_tokens(monkeypatch):
    put_liger(monkeypatch)
    assert choose("liger", CUDA, torch.bfloat16, label_smoothing=0.1) is LossBackend.LIGER
    with pytest.raises(ValueError, match="has no reduction='none', token_weights"):
        choose("liger", CUDA, torch.bfloat16, reduction="none", token_weights=True)


class TestAuto:
    @pytest.fixture(autouse=True)
    def _table(self, monkeypatch):
        table = {
            ("cpu", "float32", 1_000): {"torch": 2.0, "core": 1.0},
            ("cpu", "float32", 100_000): {"torch": 1.0, "core": 3.0},
        }
        monkeypatch.setattr(loss_backends, "SECONDS", table)

    @NEEDS_CORE
    def test_is_the_fastest_at_the_nearest_vocabulary(self):
        assert choose("auto", size=500) is LossBackend.CORE
        assert choose("auto", size=9_000) is LossBackend.CORE
        assert choose("auto", size=11_000) is LossBackend.TORCH
        assert choose("auto", size=256_000) is LossBackend.TORCH
        assert choose("auto", size=0) is LossBackend.CORE

    def test_passes_over_a_backend_without_the_option(self):
        assert choose("auto", softcap=1.0) is LossBackend.TORCH

    def test_passes_over_a_backend_that_is_not_installed(self, monkeypatch):
        monkeypatch.delattr(torch.nn, "LinearCrossEntropyOptions", raising=False)
        assert choose("auto") is LossBackend.TORCH

    def test_copies_no_blocks_together(self):
        assert choose("auto", blocks=2) is LossBackend.TORCH

    def test_is_ours_where_nothing_was_measured(self):
        assert choose("auto", CUDA) is LossBackend.TORCH
        assert choose("auto", dtype=torch.bfloat16) is LossBackend.TORCH


def test_the_table_holds_backends_and_positive_seconds():
    for (device, dtype, size), seconds in SECONDS.items():
        assert torch.device(device)
        assert isinstance(getattr(torch, dtype), torch.dtype)
        assert size > 0
        assert all(LossBackend(name) and value > 0 for name, value in seconds.items())
