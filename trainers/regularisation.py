"""What is added to a trial's loss: no part of the loss reported."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from trainers.config import TrainConfig
from trainers.masks import exists
from trainers.parameters import Weights


def penalty(
    weights: Weights, activations: Sequence[Tensor], configs: Sequence[TrainConfig]
) -> Tensor | None:
    """Return what is added to the losses `(trials,)`, or None.

    Args:
        weights: The trials'.
        activations: `activation_sums` of each span that is differentiated.
        configs: One per trial.
    """
    added = []
    if any(config.head_l2 for config in configs):
        added.append(head_penalty(weights.dense, configs))
    if activations:
        added.append(_activation_penalty(torch.stack(list(activations)).sum(0), configs))
    return sum(added[1:], added[0]) if added else None


def head_penalty(dense: Sequence[tuple[Tensor, Tensor]], configs: Sequence[TrainConfig]) -> Tensor:
    """Return `head_l2` · Σ w² / 2 over the kernels of the head's hidden layers, `(trials,)`.

    The Frobenius regulariser of the TensorFlow tutorial.
    """
    squares = torch.stack([kernel.square().sum(dim=(1, 2)) for kernel, _ in dense]).sum(0)
    return squares * squares.new_tensor([config.head_l2 / 2 for config in configs])


def regularises_activations(configs: Sequence[TrainConfig]) -> bool:
    """Say whether any trial needs `activation_sums`."""
    return any(c.activation_regularisation or c.temporal_activation_regularisation for c in configs)


def activation_sums(dropped: Tensor, raw: Tensor, lengths: Tensor | None) -> Tensor:
    """Add up h² and (h_t − h_(t−1))² of the last layer over the steps that exist.

    Args:
        dropped: `(trials, batch, time, hidden)` outputs after dropout.
        raw: The same before it, from which differences are taken (Merity et al. 2018).
        lengths: `(trials, batch)` existing steps; None when all exist.

    Returns:
        `(4, trials)`: Σ h², its count, Σ (h_t − h_(t−1))², its count.
    """
    trials, batch, time_steps, hidden = raw.shape
    steps = raw[:, :, 1:] - raw[:, :, :-1]
    if lengths is None:
        counts = raw.new_full((trials,), batch * hidden)
        numbers, pairs = counts * time_steps, counts * (time_steps - 1)
    else:
        here = exists(lengths, time_steps).unsqueeze(-1)
        dropped, steps = torch.where(here, dropped, 0.0), torch.where(here[:, :, 1:], steps, 0.0)
        numbers = lengths.sum(1).to(raw.dtype) * hidden
        pairs = (lengths - 1).clamp(min=0).sum(1).to(raw.dtype) * hidden
    squares = [part.square().sum(dim=(1, 2, 3)) for part in (dropped, steps)]
    return torch.stack([squares[0], numbers, squares[1], pairs])


def _activation_penalty(sums: Tensor, configs: Sequence[TrainConfig]) -> Tensor:
    """Return α · mean h² + β · mean (h_t − h_(t−1))², `(trials,)`."""
    alpha = sums.new_tensor([config.activation_regularisation for config in configs])
    beta = sums.new_tensor([config.temporal_activation_regularisation for config in configs])
    means = sums[0::2] / sums[1::2].clamp(min=1)
    return alpha * means[0] + beta * means[1]
