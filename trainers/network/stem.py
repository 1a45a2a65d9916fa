"""What stands in front of the recurrence: embeddings, dense layer, causal convolution over time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from trainers.config.settings import Activation
from trainers.config.train_config import Structure
from trainers.network.cells.affine import affine
from trainers.network.cells.interface import State
from trainers.network.dropout import DropoutKey, locked_mask
from trainers.network.sites import EMBEDDING, Site

ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "none": lambda x: x,
}


def embed(
    ids: Tensor, table: Tensor, keys: Sequence[DropoutKey] | None, site: Site = EMBEDDING
) -> Tensor:
    """Look ids up: `(trials, batch, time)` → `(trials, batch, time, embedding)`.

    Embedding dropout takes whole words out of `table (trials, vocabulary, embedding)`, wherever
    they stand in the segment (Gal & Ghahramani 2016; Merity et al. 2018).
    """
    trials, words, size = table.shape
    if trials > 1:
        ids = ids + torch.arange(trials, device=ids.device).reshape(-1, 1, 1) * words
    timely = ids.transpose(1, 2)  # time before batch in memory, as the kernels want it
    vectors = torch.embedding(table.reshape(-1, size), timely)
    mask = None if keys is None else locked_mask(keys, site, words, table[..., :1])
    if mask is not None:
        vectors = vectors * torch.embedding(mask.reshape(-1, 1), timely)
    return vectors.transpose(1, 2)


def embed_categories(x: Tensor, tables: Sequence[Tensor], features: Sequence[int]) -> Tensor:
    """Put vectors in the place of categories' ids: `(trials, batch, time, features)`, alike out.

    Args:
        x: An id is a float that holds a whole number; anything else is taken for the unknown, 0.
        tables: `(trials, rows, size)` of each category.
        features: Which features hold their ids, ascending.

    Returns:
        The numeric features in their order, then the vectors of one category after the other.
    """
    borders = [-1, *features, x.shape[-1]]
    numeric = [x[..., after + 1 : before] for after, before in itertools.pairwise(borders)]
    vectors = [
        embed(known_ids(x[..., at], table.shape[1]), table, None)
        for at, table in zip(features, tables, strict=True)
    ]
    # In memory time comes before batch, as the kernels want it.
    parts = [part.transpose(1, 2) for part in (*numeric, *vectors)]
    return torch.cat(parts, dim=-1).transpose(1, 2)


def known_ids(ids: Tensor, rows: int) -> Tensor:
    """Return ids as whole numbers, 0 for those that a table of `rows` does not have, NaN too."""
    return torch.where((ids >= 0) & (ids < rows), ids, 0.0).long()


def dense(structure: Structure, weights: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
    """Run the dense stem over `x (trials, batch, time, features)`, each step by itself."""
    trials, batch, time_steps, features = x.shape
    rows = x.transpose(1, 2).reshape(trials, -1, features)
    y = ACTIVATIONS[structure.stem_activation](affine(rows, *weights))
    return y.view(trials, time_steps, batch, -1).transpose(1, 2)


def convolve(
    structure: Structure,
    weights: tuple[Tensor, Tensor],
    x: Tensor,
    history: State | None,
    lengths: Tensor | None,
) -> tuple[Tensor, State]:
    """Run the causal convolution: y_t = f(b + Σ_j W_j x_{t−k+1+j}), over existing steps only.

    Args:
        structure: Kernel size k and activation f.
        weights: torch's `Conv1d` layout `(trials, stem, features, k)`, and `(trials, stem)`.
        x: `(trials, batch, time, features)`, each row's existing steps to the left.
        history: The last k − 1 inputs, `(trials, batch, k − 1, features)`; None is zeros.
        lengths: `(trials, batch)` existing steps; None when all exist.

    Returns:
        `(trials, batch, time, stem)` and the history after the segment.
    """
    kernel, bias = weights
    before = structure.stem_kernel - 1
    trials, batch, time_steps, features = x.shape
    past = x.new_zeros(trials, batch, before, features) if history is None else history[0]
    series = torch.cat([past, x], dim=2).transpose(1, 2)  # (trials, k − 1 + time, batch, features)
    windows = series.unfold(1, before + 1, 1).reshape(trials, time_steps * batch, -1)
    y = ACTIVATIONS[structure.stem_activation](affine(windows, kernel.flatten(2), bias))
    return y.view(trials, time_steps, batch, -1).transpose(1, 2), (_tail(series, lengths, before),)


def _tail(series: Tensor, lengths: Tensor | None, count: int) -> Tensor:
    """Return each row's last `count` inputs of `series (trials, count + time, batch, features)`."""
    if lengths is None:
        return series[:, series.shape[1] - count :].transpose(1, 2)
    at = lengths.unsqueeze(1) + torch.arange(count, device=lengths.device).unsqueeze(-1)
    index = at.unsqueeze(-1).expand(-1, -1, -1, series.shape[-1])
    return series.gather(1, index).transpose(1, 2)
