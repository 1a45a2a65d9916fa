"""The mask law: `True` = this step exists; at a masked input step every layer's state is held.

No pattern needs a slow path. Rows are compacted, each row's existing steps to the left; what is
left is right padding, which a causal kernel never sees before the steps that count. Held outputs
are the output of the latest existing step, so nothing has to be computed for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
Pattern = Literal["none", "prefix", "general"]


def pattern_of(mask: Array | None) -> Pattern:
    """Say how existing steps lie in `mask (rows, time)`.

    `none`: every step exists; `prefix`: rows are padded on the right only; `general`: there are
    gaps or late starts.
    """
    if mask is None or bool(mask.all()):
        return "none"
    appears_late = mask[:, 1:] & ~mask[:, :-1]
    return "general" if bool(appears_late.any()) else "prefix"


def ends_of(mask: Array | None, rows: int, time_steps: int) -> Array:
    """Return, per row, the step after the last existing one (0 for an empty row)."""
    if mask is None:
        return np.full(rows, time_steps, dtype=np.int64)
    ends = time_steps - np.argmax(mask[:, ::-1], axis=1)
    return np.where(mask.any(axis=1), ends, 0).astype(np.int64)


@dataclass(frozen=True)
class Compaction:
    """Where each row's existing steps go when they are moved to the left.

    Attributes:
        lengths: `(rows,)` existing steps per row.
        source: `(rows, longest)` the step that lands here (arbitrary beyond `lengths`).
        place: `(rows, time)` where the latest existing step up to here went; −1 before the first.
    """

    lengths: Array
    source: Array
    place: Array

    @classmethod
    def of(cls, mask: Array) -> Compaction:
        """Compact `mask (rows, time)`."""
        lengths = mask.sum(axis=1)
        longest = max(int(lengths.max(initial=0)), 1)
        source = np.argsort(~mask, axis=1, kind="stable")[:, :longest]
        return cls(lengths, source, np.cumsum(mask, axis=1) - 1)

    def gather(self, values: Array) -> Array:
        """Move `values (rows, time, …)` to the left; what lies beyond a row's length becomes 0."""
        index = self.source.reshape(*self.source.shape, *[1] * (values.ndim - 2))
        return blank_padding(np.take_along_axis(values, index, axis=1), self.lengths)


def blank_padding(values: Array, lengths: Array) -> Array:
    """Zero `values (rows, time, …)` in place beyond each row's length: padding may hold NaN."""
    values[np.arange(values.shape[1]) >= lengths[:, None]] = 0
    return values


def exists(lengths: Tensor, time_steps: int) -> Tensor:
    """Turn `lengths (trials, batch)` into a bool mask `(trials, batch, time)`."""
    return torch.arange(time_steps, device=lengths.device) < lengths.unsqueeze(-1)


def last_of(outputs: Tensor, lengths: Tensor, initial: Tensor) -> Tensor:
    """Return each row's output at its last existing step, or `initial` where it has none.

    Shapes: outputs `(trials, batch, time, hidden)`, lengths `(trials, batch)`, initial and result
    `(trials, batch, hidden)`.
    """
    trials, batch, time_steps, hidden = outputs.shape
    # Flattened with time before batch, as the kernels lay it out: a view, not a copy.
    first = torch.arange(trials, device=outputs.device).unsqueeze(1) * (time_steps * batch)
    rows = torch.arange(batch, device=outputs.device)
    at = first + (lengths - 1).clamp(min=0) * batch + rows
    flat = outputs.transpose(1, 2).reshape(-1, hidden)
    last = flat.index_select(0, at.reshape(-1)).reshape(trials, batch, hidden)
    return torch.where((lengths > 0).unsqueeze(-1), last, initial)


def reverse_rows(values: Tensor, lengths: Tensor | None) -> Tensor:
    """Reverse each row of `values (trials, batch, time, …)` within its own existing steps."""
    if lengths is None:
        return values.flip(2)
    time_steps = values.shape[2]
    steps = torch.arange(time_steps, device=values.device)
    mirrored = lengths.unsqueeze(-1) - 1 - steps
    index = torch.where(mirrored >= 0, mirrored, steps)
    return values.gather(2, index.unsqueeze(-1).expand(values.shape))
