"""Tiny random encoders with heads that have learnt a few pairs by heart or are random."""

from collections.abc import Callable

import pytest
import torch
from made_heads import made_nli_head
from tiny_encoders import tiny_encoder
from torch.nn import functional as F

from headwise.backbones import EncoderBackbone
from headwise.choices import NLIFeatures
from headwise.entailment import EntailmentModel, Prediction
from headwise.heads import NLI_LABELS, AbstentionHead, TaskHeads, TaskHeadsConfig

GetBackbone = Callable[[str], EncoderBackbone]
MakeModel = Callable[..., EntailmentModel]
MakePrediction = Callable[..., Prediction]

LEARNT = (
    ("A dog runs on the beach.", "A dog runs.", 0),
    ("A woman reads a book in the park.", "A woman reads.", 0),
    ("A dog runs on the beach.", "Two men drink green tea.", 2),
    ("The cat sat on the mat.", "The children play football.", 2),
    ("The children play football.", "It is a lovely evening.", 1),
    ("Two men drink green tea.", "It is a lovely evening.", 1),
)


@pytest.fixture(scope="session")
def backbone_of() -> GetBackbone:
    """A backbone by its architecture, built once."""
    built: dict[str, EncoderBackbone] = {}

    def get(name: str) -> EncoderBackbone:
        if name not in built:
            built[name] = EncoderBackbone(*tiny_encoder(name))
        return built[name]

    return get


@pytest.fixture(scope="session")
def backbone(backbone_of: GetBackbone) -> EncoderBackbone:
    return backbone_of("bert")


def random_heads(
    encoder: EncoderBackbone,
    features: NLIFeatures = NLIFeatures.PAIR,
    *,
    abstention: bool = True,
    **options: object,
) -> TaskHeads:
    torch.manual_seed(3)
    config = TaskHeadsConfig(
        features=features,
        hidden_size=encoder.hidden_size,
        embedding_size=encoder.embedding_size,
        **options,  # type: ignore[arg-type]
    )
    size = features.pooled_size(encoder.hidden_size, encoder.embedding_size)
    return TaskHeads(
        config=config,
        nli=made_nli_head(features, size, encoder.layers_width(config.layers)),
        abstention=AbstentionHead(hidden_size=16, inner_size=8) if abstention else None,
    ).eval()


@pytest.fixture(scope="session")
def make_model(backbone_of: GetBackbone) -> MakeModel:
    """A model with random heads; its options are those of `TaskHeadsConfig`."""

    def make(
        features: str = "pair",
        *,
        encoder: str = "bert",
        abstention: bool = True,
        **options: object,
    ) -> EntailmentModel:
        found = backbone_of(encoder)
        heads = random_heads(found, NLIFeatures(features), abstention=abstention, **options)
        return EntailmentModel(found, heads)

    return make


@pytest.fixture(scope="session")
def fitted(backbone: EncoderBackbone) -> EntailmentModel:
    """A model that knows `LEARNT` by heart, and abstains by its largest probability."""
    heads = random_heads(backbone, abstention=False)
    model = EntailmentModel(backbone, heads)
    premises, hypotheses = ([row[side] for row in LEARNT] for side in (0, 1))
    # As predict reads them: not normalised
    with torch.no_grad():
        u, v = (
            torch.cat([backbone.pool(*backbone.hidden([code])) for code in backbone.encode(texts)])
            for texts in (premises, hypotheses)
        )
    inputs = torch.cat([u, v, (u - v).abs(), u * v], dim=-1)
    labels = torch.tensor([row[2] for row in LEARNT])
    with torch.enable_grad():
        for _ in range(150):
            # By hand: importing PyTorch's optimisers takes longer than all tests here
            F.cross_entropy(heads.nli(inputs), labels).backward()
            for parameter in heads.parameters():
                assert parameter.grad is not None
                parameter.data -= 0.3 * parameter.grad
                parameter.grad = None
    heads.requires_grad_(False)
    return model


@pytest.fixture(scope="session")
def make_prediction() -> MakePrediction:
    """A prediction from the probabilities of entailment, neutral and contradiction."""

    def make(*probabilities: float, abstain: bool = False) -> Prediction:
        names = [label.value for label in NLI_LABELS]
        best = max(range(3), key=probabilities.__getitem__)
        return Prediction(
            label=names[best],
            confidence=probabilities[best],
            probabilities=dict(zip(names, probabilities, strict=True)),
            abstain=abstain,
            uncertainty=1.0 - probabilities[best],
        )

    return make
