"""A tiny random encoder with random heads, as a user would have them in folders."""

from pathlib import Path

import pytest
import torch
from tiny_encoders import tiny_encoder

from headwise.backbones import EncoderBackbone
from headwise.choices import NLIFeatures
from headwise.entailment import EntailmentModel
from headwise.heads import AbstentionHead, NLIHead, TaskHeads, TaskHeadsConfig, save_task_heads


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder without heads."""
    folder = tmp_path_factory.mktemp("encoder")
    model, tokenizer = tiny_encoder("bert")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def heads_folder(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Heads that know this encoder, and like each of the three labels now and then."""
    size = EncoderBackbone(*tiny_encoder("bert")).hidden_size
    features = NLIFeatures.PAIR
    torch.manual_seed(1)
    heads = TaskHeads(
        config=TaskHeadsConfig(
            features=features,
            hidden_size=size,
            embedding_size=size,
            backbone=str(encoder_folder),
            threshold=0.5,
        ),
        nli=NLIHead(input_size=features.pooled_size(size), hidden_size=16),
        abstention=AbstentionHead(hidden_size=16, inner_size=8),
    )
    with torch.no_grad():
        heads.nli.nli_output.weight.mul_(5.0)
    folder = tmp_path_factory.mktemp("heads")
    save_task_heads(heads, folder)
    return folder


@pytest.fixture(scope="session")
def entailment_model(heads_folder: Path) -> EntailmentModel:
    """The same model in this process."""
    return EntailmentModel.from_pretrained(heads_folder, device="cpu")
