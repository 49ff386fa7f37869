"""Random numbers that depend on a key and a place alone, whatever is drawn beside them.

A position then gets the same noise in any batch, in any of several processes, after any
interruption, and on any device.

References:
    Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3" (counter-based generators);
    Steele et al. 2014, "Fast Splittable Pseudorandom Number Generators" (SplitMix64).
"""

import torch
from torch import Tensor


def _signed(constant: int) -> int:
    """An unsigned 64-bit constant as the int64 with the same bits."""
    return constant - 2**64 if constant >= 2**63 else constant


_STEP = _signed(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio
# SplitMix64's own
_FACTORS = (_signed(0xBF58476D1CE4E5B9), _signed(0x94D049BB133111EB))


def _shifted(bits: Tensor, by: int) -> Tensor:
    # int64 shifts drag the sign along; the mask clears it
    return (bits >> by).bitwise_and_((1 << (64 - by)) - 1)


def _mixed(bits: Tensor) -> Tensor:
    """SplitMix64's output function, in place: every input bit sways every output bit."""
    bits.bitwise_xor_(_shifted(bits, 30)).mul_(_FACTORS[0])
    bits.bitwise_xor_(_shifted(bits, 27)).mul_(_FACTORS[1])
    return bits.bitwise_xor_(_shifted(bits, 31))


def mixed_keys(keys: Tensor, *salts: int) -> Tensor:
    """Derive keys, ``(N,)``, int64, whose noise has nothing to do with that of the given integers.

    ``salts`` are what sets this use apart from others: a seed, an epoch, a purpose.
    """
    mixed = keys.clone()
    for salt in salts:
        # An odd multiple: no salt leaves the keys as they are
        mixed = _mixed(mixed + _signed((2 * salt + 1) * _STEP % 2**64))
    return _mixed(mixed + _STEP)


def uniform_noise(keys: Tensor, columns: int, *, first: int = 0) -> Tensor:
    """Numbers in (0, 1), equally likely, for keys of :func:`mixed_keys`, ``(N,)``.

    They are ``(N, D)``, float64, in steps of 2^-53; ``first`` is the place in a row's endless
    sequence where they begin.
    """
    places = torch.arange(first + 1, first + columns + 1, device=keys.device) * _STEP
    bits = _shifted(_mixed(keys.unsqueeze(-1) + places), 11)
    # Half a step above the grid: neither 0 nor 1, whose logarithms would be infinite or 0
    return bits.double().add_(0.5).mul_(2.0**-53)


def exponential_noise(keys: Tensor, columns: int) -> Tensor:
    """Numbers of the exponential distribution of rate 1 for every key, ``(N, D)``, float32.

    Small ones, which decide who comes first in a race, keep their full relative precision.
    """
    # -log(1 - u) is as random as -log(u), and does not round where u is small
    return uniform_noise(keys, columns).neg_().log1p_().neg_().float()
