"""The flat rows of a pack: one row of parameters, gradient, best weights and moments per slot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Buffers:
    """Flat rows, `(slots, P)` each: the parameters of all trials of a pack."""

    weights: Tensor
    gradient: Tensor
    best: Tensor
    moments: Tensor  # (the optimizer's, slots, P)

    @classmethod
    def zeros(cls, slots: int, size: int, moments: int, like: Tensor) -> Buffers:
        """Allocate with `like`'s dtype and device."""
        weights, gradient, best = (like.new_zeros(slots, size) for _ in range(3))
        return cls(weights, gradient, best, like.new_zeros(moments, slots, size))

    @property
    def row_bytes(self) -> int:
        """Bytes of one slot."""
        tensors = (self.weights, self.gradient, self.best, self.moments)
        return sum(tensor.nbytes for tensor in tensors) // len(self.weights)

    def views(self, first: int, last: int) -> Buffers:
        """Return the rows of slots [first, last), still with the trial axis: views."""
        some = slice(first, last)
        return Buffers(
            self.weights[some], self.gradient[some], self.best[some], self.moments[:, some]
        )

    def copy_of(self, slots: Sequence[int]) -> Buffers:
        """Return copies of some slots' rows."""
        index = torch.tensor(slots, device=self.weights.device)
        weights, gradient, best = (
            rows.index_select(0, index) for rows in (self.weights, self.gradient, self.best)
        )
        return Buffers(weights, gradient, best, self.moments.index_select(1, index))

    def put(self, slots: Sequence[int], rows: Buffers) -> None:
        """Put weights and moments of some slots back."""
        index = torch.tensor(slots, device=self.weights.device)
        self.weights.index_copy_(0, index, rows.weights)
        self.moments.index_copy_(1, index, rows.moments)
