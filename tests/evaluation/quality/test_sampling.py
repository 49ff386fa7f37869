from collections import Counter

import pytest
import torch
from tiny_models import PAIRS

from headwise.backbones import NAMED_PROMPTS
from headwise.backbones.generation import sampling
from headwise.evaluation import monte_carlo_probability, sample_hypotheses

PROMPT = NAMED_PROMPTS["tiny"]
SOURCES = [source for source, _ in PAIRS]


def test_a_cold_model_says_what_it_knows_by_heart(parrot) -> None:
    drawn = sample_hypotheses(parrot, SOURCES, PROMPT, samples=2, temperature=0.01)
    assert drawn == [[hypothesis] * 2 for _, hypothesis in PAIRS]


@pytest.mark.parametrize("matters", [False, True])
def test_prompts_of_several_lengths_share_a_batch_where_padding_does_not_matter(
    parrot, matters: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not parrot.left_padding_matters
    monkeypatch.setitem(vars(parrot), "left_padding_matters", matters)
    lengths = [parrot.encode_prompt(one, PROMPT)["input_ids"].shape[1] for one in SOURCES]
    assert len(set(lengths)) > 1
    batches = []
    generate = parrot.model.generate

    def counted(**inputs):
        batches.append(len(inputs["input_ids"]))
        return generate(**inputs)

    monkeypatch.setattr(parrot.model, "generate", counted)
    drawn = sample_hypotheses(parrot, SOURCES, PROMPT, samples=1, temperature=0.01)
    assert drawn == [[hypothesis] for _, hypothesis in PAIRS]
    assert len(batches) == (len(set(lengths)) if matters else 1)


def test_what_has_ended_takes_no_part_in_the_rounds_that_follow(
    parrot, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths = [len(parrot.tokenizer(text, add_special_tokens=False).input_ids) for _, text in PAIRS]
    monkeypatch.setattr(sampling, "_first_round", lambda _: min(lengths) + 2)
    rounds = []
    generate = parrot.model.generate

    def counted(**inputs):
        rounds.append(generate(**inputs))
        return rounds[-1]

    monkeypatch.setattr(parrot.model, "generate", counted)
    drawn = sample_hypotheses(parrot, SOURCES, PROMPT, samples=2, temperature=0.01)
    assert drawn == [[hypothesis] * 2 for _, hypothesis in PAIRS]
    sizes = [len(one) for one in rounds]
    assert sizes == sorted(sizes, reverse=True)
    assert 2 * len(PAIRS) == sizes[0] > sizes[-1]
    cut = sample_hypotheses(
        parrot, SOURCES, PROMPT, samples=1, temperature=0.01, max_new_tokens=max(lengths) - 1
    )
    assert all(full.startswith(short) for [short], [full, _] in zip(cut, drawn, strict=True))
    assert cut != [[hypothesis] for _, hypothesis in PAIRS]


def test_a_seed_fixes_the_samples_and_the_global_state_stays(parrot) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, two, other = (
        sample_hypotheses(
            parrot, SOURCES, PROMPT, samples=3, temperature=3.0, seed=seed, max_new_tokens=8
        )
        for seed in (1, 1, 2)
    )
    assert one == two != other
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_first_token_is_drawn_from_the_whole_distribution(parrot) -> None:
    """Shares of first tokens against the model's own probabilities at that temperature."""
    source = SOURCES[0]
    inputs = parrot.encode_prompt(source, PROMPT)
    with torch.inference_mode():
        logits = parrot.model(**inputs).logits[0, -1]
    expected = (logits / 2.0).softmax(-1)
    drawn = [
        text
        for seed in range(4)
        for text in sample_hypotheses(
            parrot, [source], PROMPT, samples=128, temperature=2.0, seed=seed, max_new_tokens=1
        )[0]
    ]
    top = int(expected.argmax())
    text = parrot.tokenizer.decode([top]).strip()
    alike = sum(
        float(expected[i])
        for i in range(len(expected))
        if parrot.tokenizer.decode([i]).strip() == text
    )
    share = Counter(drawn)[text] / len(drawn)
    assert abs(share - alike) < 4 * (alike * (1 - alike) / len(drawn)) ** 0.5 + 1e-9


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"samples": 0}, "`samples` must be at least 1"),
     ({"samples": 1, "temperature": 0.0}, "`temperature` must be above 0")],
)  # fmt: skip
def test_senseless_settings(parrot, changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        sample_hypotheses(parrot, SOURCES, PROMPT, **changes)


def test_no_sources(parrot) -> None:
    assert sample_hypotheses(parrot, [], PROMPT, samples=2) == []


def test_monte_carlo_probability_is_the_mean_over_hypothesis_and_samples(estimator) -> None:
    scored = [estimator.score(*pair, signals=("softmax",)) for pair in PAIRS[:2]]
    found = monte_carlo_probability(estimator, scored, samples=3, seed=4)
    drawn = sample_hypotheses(estimator.backbone, SOURCES[:2], estimator.prompt, samples=3, seed=4)
    for value, one, texts in zip(found, scored, drawn, strict=True):
        everything = [
            one,
            *(estimator.score(one.source, text, signals=("softmax",)) for text in texts),
        ]
        means = [each.aggregate("geometric_mean") for each in everything]
        assert value == pytest.approx(sum(means) / len(means), abs=1e-6)


def test_hypotheses_of_a_source_share_its_samples(estimator) -> None:
    source = SOURCES[0]
    scored = [estimator.score(source, text, signals=("softmax",)) for _, text in PAIRS[:2]]
    one, two = monte_carlo_probability(estimator, scored, samples=2)
    own = [each.aggregate("geometric_mean") for each in scored]
    assert 3 * (one - two) == pytest.approx(own[0] - own[1], abs=1e-6)
