"""Long short-term memory."""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.network.cells.affine import AffineCell, AffineWeights
from trainers.network.cells.interface import State


class Lstm(AffineCell):
    """Hochreiter & Schmidhuber 1997 with a forget gate (Gers et al. 2000), no peepholes."""

    def combine(
        self, from_x: Tensor, from_h: Tensor, state: State, weights: AffineWeights
    ) -> State:
        """Return h' and c'."""
        c, leave = memory(from_x + from_h, state[1])
        return leave * torch.tanh(c), c


def memory(shares: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Return c' = σ(f) c + σ(i) tanh(g), and σ(o): `shares (trials, batch, 4 · hidden)`."""
    enter, forget, new, leave = shares.chunk(4, -1)
    after = torch.sigmoid(forget) * c + torch.sigmoid(enter) * torch.tanh(new)
    return after, torch.sigmoid(leave)
