"""What all tests share: no network, no cache of the user's, and one tiny model with its head."""

import os
import shutil
import tempfile

# Before Transformers is imported, which reads them once
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="headwise-tests-")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# Tests that run beside each other share the cores
if "PYTEST_XDIST_WORKER_COUNT" in os.environ:
    cores = (os.cpu_count() or 1) // int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.environ.setdefault("OMP_NUM_THREADS", str(max(cores, 1)))

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from headless_chromium import Chromium, found_chromium
from hypothesis import HealthCheck, settings
from tiny_models import PAIRS, TOKENIZERS, byte_level, memorise, stacked, tiny_llama
from transformers import PreTrainedTokenizerFast

from headwise.backbones import NAMED_PROMPTS, CausalBackbone
from headwise.heads import SigmoidHead
from headwise.quality import QualityEstimator

# Property tests judge results, not how busy the machine is
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["HF_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def tokenizer_of() -> Callable[[str], PreTrainedTokenizerFast]:
    """A tokeniser by the name of its kind, built once."""
    built: dict[str, PreTrainedTokenizerFast] = {}

    def get(name: str) -> PreTrainedTokenizerFast:
        if name not in built:
            built[name] = TOKENIZERS[name]()
        return built[name]

    return get


@pytest.fixture(scope="session")
def parrot() -> CausalBackbone:
    """A tiny Llama that knows a few translations by heart, with the prompts `tiny` and `tower`."""
    tokenizer = byte_level()
    model = tiny_llama(tokenizer)
    batches = []
    for name in ("tiny", "tower"):
        prompt = NAMED_PROMPTS[name]
        rows, labels = [], []
        for source, hypothesis in PAIRS:
            given = tokenizer(prompt.render_prompt(tokenizer, source), add_special_tokens=False)
            whole = tokenizer(
                prompt.render(tokenizer, source, hypothesis).text, add_special_tokens=False
            )
            first = len(given["input_ids"])
            rows.append(whole["input_ids"])
            labels.append([-100] * first + whole["input_ids"][first:])
        batches.append({"input_ids": stacked(rows, 0), "labels": stacked(labels, -100)})
    memorise(model, batches)
    model.generation_config.eos_token_id = [
        tokenizer.eos_token_id,
        tokenizer.convert_tokens_to_ids("<|im_end|>"),
    ]
    return CausalBackbone(model, tokenizer)


@pytest.fixture(scope="session")
def head(parrot: CausalBackbone) -> SigmoidHead:
    """A head whose scores spread over the whole range, apart from the language model's own."""
    torch.manual_seed(1)
    head = SigmoidHead(vocabulary_size=parrot.vocabulary_size, hidden_size=parrot.hidden_size)
    head.initialise_from(parrot.unembedding.weight)
    with torch.no_grad():
        head.weight.mul_(0.2).add_(torch.randn_like(head.weight) * 0.2)
    return head.requires_grad_(False)


@pytest.fixture(scope="session")
def estimator(parrot: CausalBackbone, head: SigmoidHead) -> QualityEstimator:
    return QualityEstimator(parrot, head, prompt=NAMED_PROMPTS["tiny"])


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chromium]:
    """A browser of its own for one test."""
    browser = Chromium(found_chromium(), tmp_path / "profile")
    yield browser
    browser.close()
