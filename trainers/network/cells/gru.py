"""The gated recurrent unit."""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.network.cells.affine import AffineCell, AffineWeights
from trainers.network.cells.interface import State


class Gru(AffineCell):
    """Cho et al. 2014 as cuDNN has it: the reset gate acts after the recurrent product."""

    def combine(
        self, from_x: Tensor, from_h: Tensor, state: State, weights: AffineWeights
    ) -> State:
        """Return h'."""
        (h,) = state
        reset_x, update_x, new_x = from_x.chunk(3, -1)
        reset_h, update_h, new_h = from_h.chunk(3, -1)
        reset = torch.sigmoid(reset_x + reset_h)
        update = torch.sigmoid(update_x + update_h)
        new = torch.tanh(new_x + reset * new_h)
        return ((1 - update) * new + update * h,)
