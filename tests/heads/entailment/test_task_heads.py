import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch
from made_heads import H, all_heads, made_heads

from headwise.choices import NLIFeatures
from headwise.errors import MismatchError
from headwise.heads import (
    ABSTAIN_BY,
    AbstentionHead,
    EmbeddingHead,
    InferenceInputs,
    LateInteractionHead,
    NLIHead,
    TaskHeads,
    TaskHeadsConfig,
    check_task_heads_fit,
)


def config(**changes: object) -> TaskHeadsConfig:
    options = {"features": NLIFeatures.PAIR_AND_JOINT, "hidden_size": 4, "embedding_size": 8}
    return TaskHeadsConfig(**{**options, **changes})


def test_the_heads_parameters_are_those_of_its_parts() -> None:
    heads = all_heads(projected=True)
    parts = (heads.nli, heads.abstention, heads.embedding, heads.late_interaction)
    assert sum(1 for _ in heads.parameters()) == sum(len(list(p.parameters())) for p in parts)
    bare = TaskHeads(config=heads.config, nli=heads.nli)
    assert bare.abstention is bare.embedding is bare.late_interaction is None
    assert torch.equal(bare.nli(torch.ones(H)), heads.nli(torch.ones(H)))


def test_two_nli_heads_answer_by_the_mean_of_their_probabilities() -> None:
    first, other = made_heads(NLIFeatures.PAIR), made_heads(NLIFeatures.PAIR)
    for parameter in other.parameters():
        torch.nn.init.normal_(parameter)
    inputs = InferenceInputs(torch.randn(5, first.nli.input_size), None)
    both = TaskHeads(config=first.config, nli=first.nli, second=other.nli).read(inputs)
    alone = [one.nli(inputs).softmax(-1) for one in (first, other)]
    torch.testing.assert_close(both.logits.exp(), sum(alone) / 2)
    torch.testing.assert_close(both.evidence, alone[1].log())


@pytest.mark.parametrize("how", ABSTAIN_BY)
def test_every_known_uncertainty_can_be_named(how: str) -> None:
    assert config(abstain_by=how).abstain_by == how
    assert {"learned", "max_probability", "entropy", "margin"} == set(ABSTAIN_BY)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"abstain_by": "mood"}, r"one of learned, max_probability, .*, got 'mood'"),
        ({"threshold": math.nan}, "`threshold` must be .*, got nan"),
        ({"threshold": math.inf}, "`threshold` must be .*, got inf"),
        ({"threshold": -0.1}, "`threshold` must be .*, got -0.1"),
        ({"hidden_size": 0}, "`hidden_size` must be at least 1, got 0"),
        ({"embedding_size": -8}, "`embedding_size` must be at least 1"),
        ({"max_length": 0}, "`max_length` must be at least 1"),
    ],
)
def test_a_config_out_of_range_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(**changes)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"nli": NLIHead(input_size=4, hidden_size=6)}, r"\(pair\+joint\) must be 36, got 4"),
        ({"abstention": AbstentionHead(hidden_size=7)}, "abstention .* must be 6, got 7"),
        ({"embedding": EmbeddingHead(hidden_size=4)}, "embedding .* must be 8, got 4"),
        ({"late_interaction": LateInteractionHead(hidden_size=8)}, "late.* must be 4, got 8"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(part: dict, message: str) -> None:
    nli = NLIHead(input_size=36, hidden_size=6)
    TaskHeads(config=config(), nli=nli, abstention=AbstentionHead(hidden_size=6))
    with pytest.raises(MismatchError, match=message):
        TaskHeads(**{"config": config(), "nli": nli, **part})


@dataclass(frozen=True)
class Sizes:
    """An encoder of six layers."""

    hidden_size: int
    embedding_size: int

    def layers_width(self, layers: Sequence[int], /) -> int:
        if max(layers) > 6:
            raise ValueError("6 layers at most.")
        return self.hidden_size * len(layers)


def check_fit(heads: TaskHeads, hidden_size: int, embedding_size: int) -> None:
    check_task_heads_fit(heads, Sizes(hidden_size, embedding_size))


@pytest.mark.parametrize(
    ("features", "sizes", "fits"),
    [
        (NLIFeatures.JOINT, (H, H), True),
        (NLIFeatures.JOINT, (H, 2 * H), True),  # reads no embedding
        (NLIFeatures.JOINT, (H + 1, H), False),
        (NLIFeatures.PAIR, (H + 1, H), True),  # reads nothing else
        (NLIFeatures.PAIR, (H, 2 * H), False),
        (NLIFeatures.PAIR_AND_JOINT, (H, H), True),
        (NLIFeatures.PAIR_AND_JOINT, (H + 1, H), False),
        (NLIFeatures.PAIR_AND_JOINT, (H, H + 1), False),
    ],
)
def test_only_what_is_read_must_fit_the_encoder(
    features: NLIFeatures, sizes: tuple[int, int], fits: bool
) -> None:
    heads = made_heads(features, backbone="owner/encoder")
    hidden_size, embedding_size = sizes
    if fits:
        check_fit(heads, hidden_size, embedding_size)
        return
    message = rf"read hidden size {H} .* the encoder has {sizes[0]} and {sizes[1]}; .*\(owner/enc"
    with pytest.raises(MismatchError, match=message):
        check_fit(heads, hidden_size, embedding_size)


def test_the_other_heads_read_the_encoder_too() -> None:
    heads = all_heads(projected=False)
    check_fit(heads, H, H)
    with pytest.raises(MismatchError):
        check_fit(heads, H, 2 * H)
    heads.embedding = None
    check_fit(heads, H, 2 * H)


@pytest.mark.parametrize(
    ("layers", "given", "message"),
    [
        ((0, -1), (0, -1), None),
        ((0, -1), (-1,), "24 numbers, .* have 12"),
        ((9,), (9,), "6 layers"),
    ],
)
def test_compared_layers_must_be_those_of_the_encoder(
    layers: tuple[int, ...], given: tuple[int, ...], message: str | None
) -> None:
    heads = made_heads(NLIFeatures.INTERACTION, layers=layers)
    heads.config = replace(heads.config, layers=given)
    if message is None:
        check_fit(heads, H, H)
        return
    with pytest.raises(MismatchError, match=message):
        check_fit(heads, H, H)
