"""What the network asks of a cell: its weights, their first values, and one step.

Every tensor has the trial axis first. A step is two products, one from the input and one from h,
and a function that combines them; so the input's product of all steps can be taken at once. The
products' rows G are usually gates · hidden.

A cell is a `CellType` (`trainers.config.cells`) and the class that its `code` names; the suite
`trainers.conformance.cells` says whether the two keep what is asked here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cache
from typing import Any, Generic, TypeVar, final

import torch
from torch import Tensor

from trainers.config.cells import CELLS, CellType
from trainers.config.train_config import TrainConfig
from trainers.errors import ConfigError
from trainers.registry import UnknownEntry, load_object

State = tuple[Tensor, ...]  # as `CellType.state` names them; each (trials, batch, hidden)
LayerWeights = tuple[Tensor, ...]  # one layer, one direction: the NamedTuple that a cell declares
W = TypeVar("W", bound=LayerWeights)


class Cell(ABC, Generic[W]):
    """One step of a cell, and the weights of one layer in one direction.

    Attributes:
        facts: What is known of it without torch.
        weights: The NamedTuple that holds its weights, with the trial axis in front.
        recurrent: The field that is h's kernel `(trials, G, hidden)`, whose elements weight drop
            drops; None where h is multiplied by no matrix.
    """

    weights: type[W]
    recurrent: str | None = None

    def __init__(self, facts: CellType) -> None:
        self.facts = facts

    @abstractmethod
    def shapes(self, features: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Return each weight's name and shape without the trial axis, in the fields' order.

        Names are torch's where torch has the weight: `weight_ih`, `bias_hh`.
        """

    @abstractmethod
    def from_input(self, x: Tensor, weights: W) -> Tensor:
        """Return the input's share: `(trials, rows, features)` → `(trials, rows, G)`."""

    @abstractmethod
    def from_hidden(self, h: Tensor, weights: W) -> Tensor:
        """Return h's share: `(trials, batch, hidden)` → `(trials, batch, G)`."""

    @abstractmethod
    def combine(self, from_x: Tensor, from_h: Tensor, state: State, weights: W) -> State:
        """Return the next state from both shares `(trials, batch, G)` and the state."""

    @abstractmethod
    def first_weights(self, weights: W, config: TrainConfig, generator: torch.Generator) -> None:
        """Change, in place, what was drawn from U(±1/√hidden), without the trial axis.

        By `recurrent_init`, and for weights that begin otherwise (gains at 1).
        """

    @abstractmethod
    def first_biases(self, weights: W, config: TrainConfig, generator: torch.Generator) -> None:
        """Set, in place, what decides how long the cell remembers, after all layers' weights.

        By `forget_bias` and `chrono_time_steps`, where the facts say that it has such gates.
        """

    @final
    def step(self, x: Tensor, state: State, weights: W) -> State:
        """Make one step from `x (trials, batch, features)`."""
        shares = self.from_input(x, weights), self.from_hidden(state[0], weights)
        return self.combine(*shares, state, weights)


@cache
def cell_of(name: str) -> Cell[Any]:
    """Return a cell by name.

    Raises:
        ConfigError: its code can't be loaded, or is no cell.
    """
    try:
        facts = CELLS[name]
        code = load_object(facts.code)
    except UnknownEntry as error:
        raise ConfigError(str(error)) from error
    if not (isinstance(code, type) and issubclass(code, Cell)):
        raise ConfigError(f"the code of cell {name} must be a class of Cell, but got {facts.code}.")
    return code(facts)


def initial_state(cell: str, trials: int, batch: int, hidden: int, like: Tensor) -> State:
    """Return the zero state, each `(trials, batch, hidden)`, of `like`'s dtype and device."""
    return tuple(like.new_zeros(trials, batch, hidden) for _ in CELLS[cell].state)
