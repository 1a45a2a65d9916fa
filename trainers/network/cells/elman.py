"""Elman networks (1990)."""

from __future__ import annotations

import torch
from torch import Tensor

from trainers.network.cells.affine import AffineCell, AffineWeights
from trainers.network.cells.interface import State


class Tanh(AffineCell):
    """h' = tanh(W x + U h + b)."""

    def combine(
        self, from_x: Tensor, from_h: Tensor, state: State, weights: AffineWeights
    ) -> State:
        """Return h'."""
        return (torch.tanh(from_x + from_h),)


class Relu(AffineCell):
    """h' = max(0, W x + U h + b) (IRNN: Le et al. 2015)."""

    def combine(
        self, from_x: Tensor, from_h: Tensor, state: State, weights: AffineWeights
    ) -> State:
        """Return h'."""
        return (torch.relu(from_x + from_h),)
