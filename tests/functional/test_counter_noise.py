import pytest
import torch
from scipy.stats import kstest

from headwise.functional.counter_noise import exponential_noise, mixed_keys, uniform_noise

_MASK = 2**64 - 1


def splitmix(state: int) -> int:
    """SplitMix64's output function in Python's own integers."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)


def test_equals_splitmix64_in_exact_integers() -> None:
    keys = [0, 1, -1, 2**62, -(2**63), 123456789]
    found = uniform_noise(torch.tensor(keys), 5, first=3)
    for row, key in zip(found.tolist(), keys, strict=True):
        for place, value in enumerate(row, start=4):
            bits = splitmix((key + place * 0x9E3779B97F4A7C15) & _MASK) >> 11
            assert value == (bits + 0.5) * 2.0**-53


def test_first_output_of_the_published_generator() -> None:
    # SplitMix64 with seed 0 begins with this number (the reference program of its authors)
    bits = 0xE220A8397B1DCDAF >> 11
    assert uniform_noise(torch.tensor([0]), 1).item() == (bits + 0.5) * 2.0**-53


@pytest.mark.parametrize("salts", [(), (0,), (3, 1)])
def test_noise_is_uniform_over_keys_and_over_places(salts: tuple[int, ...]) -> None:
    noise = uniform_noise(mixed_keys(torch.arange(2000), *salts), 50)
    assert 0.0 < noise.min() <= noise.max() < 1.0
    assert kstest(noise.flatten(), "uniform").pvalue > 1e-3
    assert kstest(noise[:, 0], "uniform").pvalue > 1e-3
    neighbours = torch.corrcoef(noise[:, :2].T)[0, 1], torch.corrcoef(noise[:2])[0, 1]
    assert abs(neighbours[0]) < 0.1
    assert abs(neighbours[1]) < 0.5


def test_salts_and_keys_set_noise_apart() -> None:
    keys = torch.arange(1000)
    drawn = [mixed_keys(keys, *salts) for salts in ((), (0,), (1,), (0, 0), (0, 1), (1, 0), (-1,))]
    everything = torch.cat(drawn)
    assert len(everything.unique()) == len(everything)


def test_noise_depends_on_the_key_alone() -> None:
    keys = mixed_keys(torch.arange(100), 5)
    whole = uniform_noise(keys, 7)
    torch.testing.assert_close(uniform_noise(keys[40:60], 7), whole[40:60], rtol=0, atol=0)
    torch.testing.assert_close(uniform_noise(keys, 3, first=4), whole[:, 4:], rtol=0, atol=0)
    assert keys.equal(mixed_keys(torch.arange(100), 5))


def test_exponential_noise_is_exponential() -> None:
    noise = exponential_noise(mixed_keys(torch.arange(5000), 1), 20)
    assert noise.dtype == torch.float32
    assert noise.isfinite().all()
    assert noise.min() > 0
    assert kstest(noise.flatten(), "expon").pvalue > 1e-3
