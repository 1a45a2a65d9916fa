"""What is added to a trial's loss: no part of the loss reported."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.network.masks import exists
from trainers.network.parameters import Weights


class Strengths(NamedTuple):
    """How much each trial is regularised, `(trials,)` each; None where no trial is.

    Attributes:
        head: `head_l2` / 2.
        activation: `activation_regularisation`.
        temporal: `temporal_activation_regularisation`.
    """

    head: Tensor | None = None
    activation: Tensor | None = None
    temporal: Tensor | None = None


def strengths(configs: Sequence[TrainConfig]) -> dict[str, list[float]]:
    """Return the strengths by name, one number per trial; what no trial has is absent."""
    numbers = {}
    if any(config.head_l2 for config in configs):
        numbers["head"] = [config.head_l2 / 2 for config in configs]
    if regularises_activations(configs):
        numbers["activation"] = [config.activation_regularisation for config in configs]
        numbers["temporal"] = [config.temporal_activation_regularisation for config in configs]
    return numbers


def penalty(
    weights: Weights, activations: Sequence[Tensor], configs: Sequence[TrainConfig]
) -> Tensor | None:
    """Return what is added to the losses `(trials,)`, or None.

    Args:
        weights: The trials'.
        activations: `activation_sums` of each span that is differentiated.
        configs: One per trial.
    """
    like = weights.head_bias
    given = {name: like.new_tensor(values) for name, values in strengths(configs).items()}
    return penalty_by(weights, activations, Strengths(**given))


def penalty_by(weights: Weights, activations: Sequence[Tensor], by: Strengths) -> Tensor | None:
    """Return what is added to the losses `(trials,)`, or None."""
    added = []
    if by.head is not None:
        added.append(head_penalty(weights.dense, by.head))
    if activations and by.activation is not None and by.temporal is not None:
        sums = torch.stack(list(activations)).sum(0)
        means = sums[0::2] / sums[1::2].clamp(min=1)
        # α · mean h² + β · mean (h_t − h_(t−1))²
        added.append(by.activation * means[0] + by.temporal * means[1])
    return sum(added[1:], added[0]) if added else None


def head_penalty(dense: Sequence[tuple[Tensor, Tensor]], strength: Tensor) -> Tensor:
    """Return `strength` · Σ w² over the kernels of the head's hidden layers, `(trials,)`.

    With `head_l2` / 2 the Frobenius regulariser of the TensorFlow tutorial.
    """
    squares = torch.stack([kernel.square().sum(dim=(1, 2)) for kernel, _ in dense]).sum(0)
    return squares * strength


def regularises_activations(configs: Sequence[TrainConfig]) -> bool:
    """Return whether any trial needs `activation_sums`."""
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
