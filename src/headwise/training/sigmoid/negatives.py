"""Which tokens serve as negatives: likely ones, frequent ones, never those that may be right."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from headwise.features import FeatureBatch
from headwise.functional.chunking import DEFAULT_WORKSPACE_BYTES, row_chunks
from headwise.functional.counter_noise import mixed_keys
from headwise.functional.logit_chunks import LogitFunction
from headwise.functional.negative_sampling import forbid, gumbel_top_k, shared_draws
from headwise.training.sigmoid.objective_settings import Combination, NegativeSampling


def draw_negatives(
    batch: FeatureBatch,
    avoided: Tensor,
    *,
    sampling: NegativeSampling,
    frequencies: Tensor,
    unembedding: LogitFunction,
    seed: int,
    epoch: int,
    workspace_bytes: int = DEFAULT_WORKSPACE_BYTES,
) -> Tensor:
    """Draw negatives of N positions: token ids, ``(N, K)``, int64; -1 where nothing was left.

    A position's negatives depend on its key, the seed and the epoch alone: not on its batch,
    nor on how many processes share the work. Independent distributions draw on their own, so that
    a token may stand twice in a row.

    ``avoided`` tokens must not become negatives: the most probable ones first, ``(N, A)``, -1 for
    none. ``frequencies`` says how often each token is a target in the training text, ``(V,)``.
    ``unembedding`` is used only if ``candidates`` is ``None``; epochs count from 0.
    ``workspace_bytes`` bounds the memory of one chunk of vocabulary-wide work.
    """
    keys = mixed_keys(batch.keys, seed, epoch)
    if sampling.combination is not Combination.INDEPENDENT:
        laws = _combined_laws(batch, avoided, sampling, frequencies, unembedding, workspace_bytes)
        return _drawn_in_chunks(laws, sampling.per_position, keys)
    by_frequency, by_softmax, uniformly = sampling.counts()
    # Each distribution has noise of its own, or their draws would go together
    drawn = []
    if by_frequency:
        drawn.append(shared_draws(frequencies, avoided, by_frequency, keys=mixed_keys(keys, 1)))
    if by_softmax and sampling.candidates is None:
        laws = _softmax_laws(
            batch, avoided, sampling, unembedding, len(frequencies), workspace_bytes
        )
        drawn.append(_drawn_in_chunks(laws, by_softmax, mixed_keys(keys, 2)))
    elif by_softmax:
        ids, weights = _candidates(batch, avoided, sampling)
        chosen = gumbel_top_k(weights, by_softmax, keys=mixed_keys(keys, 2))
        drawn.append(ids.gather(1, chosen.clamp(min=0)).masked_fill(chosen < 0, -1))
    if uniformly:
        flat = torch.ones_like(frequencies)
        drawn.append(shared_draws(flat, avoided, uniformly, keys=mixed_keys(keys, 3)))
    return torch.cat(drawn, dim=1)


_Laws = Iterator[tuple[slice, Tensor]]
"""Logarithms of unnormalised weights over the vocabulary, ``(n, V)``, a few positions at a time."""


def _drawn_in_chunks(laws: _Laws, count: int, keys: Tensor) -> Tensor:
    return torch.cat([gumbel_top_k(law, count, keys=keys[part]) for part, law in laws])


def _candidates(
    batch: FeatureBatch, avoided: Tensor, sampling: NegativeSampling
) -> tuple[Tensor, Tensor]:
    """The softmax's candidates and the logarithms of their weights, ``(N, M)`` each."""
    ids = batch.top_ids[:, : sampling.candidates]
    weights = batch.top_log_probs[:, : sampling.candidates] / sampling.temperature
    # Tokens to be avoided are the first of the most probable ones
    ranks = torch.arange(ids.shape[1], device=ids.device)
    return ids, weights.masked_fill(ranks < (avoided >= 0).sum(-1, keepdim=True), -torch.inf)


def _softmax_laws(
    batch: FeatureBatch,
    avoided: Tensor,
    sampling: NegativeSampling,
    unembedding: LogitFunction,
    vocabulary_size: int,
    workspace_bytes: int,
) -> _Laws:
    chunks = row_chunks(
        len(batch),
        # Three laws and two passing results in float32; the noise takes three of eight bytes
        bytes_per_row=vocabulary_size * (5 * 4 + 3 * 8),
        workspace_bytes=workspace_bytes,
    )
    for part in chunks:
        if sampling.candidates is None:
            law = unembedding(batch.hidden[part]).float().div_(sampling.temperature)
            yield part, forbid(law, avoided[part])
        else:
            ids, weights = _candidates(batch, avoided, sampling)
            law = weights.new_full((len(ids[part]), vocabulary_size), -torch.inf)
            yield part, law.scatter_(1, ids[part], weights[part])


def _combined_laws(
    batch: FeatureBatch,
    avoided: Tensor,
    sampling: NegativeSampling,
    frequencies: Tensor,
    unembedding: LogitFunction,
    workspace_bytes: int,
) -> _Laws:
    """Sum or product of the distributions, each first restricted to what may be drawn."""
    shared = [
        (sampling.frequency, frequencies.log()),
        (sampling.uniform, torch.zeros_like(frequencies)),
    ]
    for part, by_softmax in _softmax_laws(
        batch, avoided, sampling, unembedding, len(frequencies), workspace_bytes
    ):
        laws = [(sampling.softmax, by_softmax)] if sampling.softmax else []
        for share, weights in shared:
            if share:
                law = weights.expand(len(by_softmax), -1).clone()
                laws.append((share, forbid(law, avoided[part])))
        combined: Tensor | None = None
        for share, law in laws:
            # Nothing left to draw: no number minus infinity
            law = law.log_softmax(-1).nan_to_num_(nan=-torch.inf, neginf=-torch.inf)
            if sampling.combination is Combination.ADD:
                law += math.log(share)
                combined = law if combined is None else torch.logaddexp(combined, law)
            else:
                combined = law if combined is None else combined.add_(law)
        assert combined is not None
        yield part, combined
