"""The head: hidden layers and the output, where outputs are wanted."""

from __future__ import annotations

from torch import Tensor

from trainers.config.train_config import Structure
from trainers.network.cells.affine import affine
from trainers.network.draws import Draws
from trainers.network.parameters import Weights
from trainers.network.sites import head
from trainers.network.stem import ACTIVATIONS


def run_head(
    structure: Structure, weights: Weights, read: Tensor, positions: Tensor | None, draws: Draws
) -> Tensor:
    """Run the head where outputs are wanted: `(trials, wanted, outputs)`.

    `read (trials, batch, time or 1, read)` is dropped already; `positions` as `Segment` has them.
    """
    trials, batch, time_steps, _ = read.shape
    x = picked(read, positions)
    for number, (kernel, bias) in enumerate(weights.dense):
        x = ACTIVATIONS[structure.head_activation](affine(x, kernel, bias))
        if draws.drops(head(number)):
            like = x.new_empty(1).expand(trials, batch, time_steps, x.shape[-1])
            mask = draws.mask(like, head(number))
            if mask is not None:
                x = x * picked(mask.expand(-1, -1, time_steps, -1), positions)
    return affine(x, weights.head_weight, weights.head_bias)


def picked(values: Tensor, positions: Tensor | None) -> Tensor:
    """Take `values (trials, batch, time, features)` where outputs are wanted, time-major.

    Returns `(trials, wanted, features)`.
    """
    trials, features = values.shape[0], values.shape[-1]
    flat = values.transpose(1, 2).reshape(-1, features)  # as the kernels leave it: no copy
    if positions is not None:
        flat = flat.index_select(0, positions)
    return flat.reshape(trials, -1, features)
