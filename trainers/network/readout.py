"""From the recurrent layers to one vector per sequence: running mean and maximum over time.

With truncated BPTT they accumulate over the segments; what earlier segments brought is detached,
as the state is. The accumulators begin at zero like every state: a count says that nothing has
been seen yet.
"""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.network.cells.interface import State
from trainers.network.masks import exists


def pool(
    kind: str, outputs: Tensor, lengths: Tensor | None, before: State | None
) -> tuple[Tensor, State]:
    """Take the mean or the maximum over the existing steps so far.

    Args:
        kind: `mean` or `max`.
        outputs: `(trials, batch, time, features)`; anything finite where no step exists.
        lengths: `(trials, batch)` existing steps; None when all exist.
        before: What `pool` returned for the segment before; None at the beginning.

    Returns:
        `(trials, batch, features)`, and the accumulator: the sum or maximum
        `(trials, batch, features)` and the steps seen `(trials, batch, 1)`.
    """
    trials, batch, time_steps, _ = outputs.shape
    if before is None:
        before = (torch.zeros_like(outputs[:, :, 0]), outputs.new_zeros(trials, batch, 1))
    value, seen = before
    now = seen + (time_steps if lengths is None else lengths.unsqueeze(-1).to(seen.dtype))
    if kind == "mean":
        value = value + _masked(outputs, lengths, 0.0).sum(2)
        return value / now.clamp(min=1), (value, now)
    best = _masked(outputs, lengths, -torch.inf).amax(2)
    value = torch.where(seen > 0, torch.maximum(best, value), best)
    value = torch.where(now > 0, value, 0.0)  # a row that has not begun: no infinities
    return value, (value, now)


def _masked(outputs: Tensor, lengths: Tensor | None, fill: float) -> Tensor:
    if lengths is None:
        return outputs
    here = exists(lengths, outputs.shape[2]).unsqueeze(-1)
    return torch.where(here, outputs, fill)
