"""Cells that break what is asked of a cell, each in one way."""

import torch

from trainers.config.cells import CellType
from trainers.network.cells.affine import AffineCell
from trainers.network.cells.elman import Tanh


class MixesTrials(AffineCell):
    def combine(self, from_x, from_h, state, weights):
        return (torch.tanh(from_x + from_h.mean(0, keepdim=True)),)


class NamesTooFew(Tanh):
    def shapes(self, features, hidden):
        return dict(list(super().shapes(features, hidden).items())[:3])


class LeavesTheForgetGate(AffineCell):
    def combine(self, from_x, from_h, state, weights):
        return (torch.tanh((from_x + from_h).chunk(2, -1)[0]),)

    def first_biases(self, weights, config, generator):
        pass


MIXES_TRIALS = CellType("mixes trials", "broken_cells:MixesTrials", ("new",))
NAMES_TOO_FEW = CellType("names too few", "broken_cells:NamesTooFew", ("new",))
LEAVES_THE_FORGET_GATE = CellType("", "broken_cells:LeavesTheForgetGate", ("new", "forget"))
NO_CELL = CellType("no cell", "broken_cells:torch", ("new",))
