"""Recurrent layers on top of each other: those that read, and those of a decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from trainers.config.train_config import Structure
from trainers.network.backends.contract import LayerRun
from trainers.network.cells.interface import LayerWeights, State, initial_state
from trainers.network.draws import Draws
from trainers.network.masks import last_of, reverse_rows
from trainers.network.recurrence import Backend, run_layer
from trainers.network.sites import DECODER_INPUT, INPUT, Site, between, between_decoders

StackWeights = tuple[tuple[LayerWeights, ...], ...]  # [layer][direction]


class Existing(NamedTuple):
    """Which steps exist; see `Segment`.

    Attributes:
        lengths: `(trials, batch)` existing steps per row; None when all exist.
        hold: Whether each layer's state must be a row's own at its last existing step.
    """

    lengths: Tensor | None = None
    hold: bool = False


class Ran(NamedTuple):
    """What layers made of some steps.

    Attributes:
        every: `(trials, batch, time, features)` outputs of the last layer.
        finals: Each layer's output at the last existing step, `(trials, batch, features)`.
        states: After the steps, forwards.
    """

    every: Tensor
    finals: tuple[Tensor, ...]
    states: tuple[State, ...]


@dataclass(frozen=True)
class Layers:
    """A stack of recurrent layers; holds no weights.

    Attributes:
        structure: What trials have in common.
        backend: Runs a layer.
        decoder: Whether it is the decoder's: it draws for itself.
    """

    structure: Structure
    backend: Backend
    decoder: bool = False

    def run(
        self,
        weights: StackWeights,
        x: Tensor,
        begin: Sequence[State] | None,
        draws: Draws,
        existing: Existing = Existing(),  # noqa: B008 - a constant
    ) -> Ran:
        """Run all layers over `x (trials, batch, time, features)`; `begin` None is zero state."""
        finals, states = [], []
        for layer, directions in enumerate(weights):
            x = draws.dropped(x, self._entry(layer))
            state = begin[layer] if begin is not None else self._zero_state(x, layer)
            x, final, after = self._layer(layer, directions, x, state, draws, existing)
            finals.append(final)
            states.append(after)
        return Ran(x, tuple(finals), tuple(states))

    def _entry(self, layer: int) -> Site:
        """Return where a layer's inputs are dropped."""
        if not self.decoder:
            return between(layer - 1) if layer else INPUT
        return between_decoders(layer - 1, self.structure.num_layers) if layer else DECODER_INPUT

    def _layer(
        self,
        layer: int,
        directions: tuple[LayerWeights, ...],
        x: Tensor,
        begin: State,
        draws: Draws,
        existing: Existing,
    ) -> tuple[Tensor, Tensor, State]:
        """Run one layer in its directions: outputs, their final h, and the forward state."""
        lengths, number = existing.lengths, layer + self.decoder * self.structure.num_layers

        def one_way(direction: int, inputs: Tensor) -> tuple[Tensor, State]:
            place = number, direction
            weights = draws.weights(directions[direction], place)
            noise = draws.recurrence(place, begin, inputs.shape[2])
            hold = existing.hold and direction == 0
            cell = self.structure.cell
            return run_layer(
                self.backend, LayerRun(cell, weights, inputs, begin, lengths, hold, noise)
            )

        y, state = one_way(0, x)
        final = self._final(y, state, begin, existing)
        if len(directions) == 1:
            return y, final, state
        mirrored, after = one_way(1, reverse_rows(x, lengths))
        back = self._final(mirrored, after, begin, existing)
        y_back = reverse_rows(mirrored, lengths)
        if self.structure.bidirectional_merge == "sum":
            return y + y_back, final + back, state
        return torch.cat([y, y_back], -1), torch.cat([final, back], -1), state

    def _zero_state(self, like: Tensor, layer: int) -> State:
        hidden = self.structure.layer_sizes[layer]
        return initial_state(self.structure.cell, like.shape[0], like.shape[1], hidden, like)

    def _final(self, outputs: Tensor, after: State, begin: State, existing: Existing) -> Tensor:
        if self.structure.readout not in ("last", "all_states"):
            return after[0]
        if existing.lengths is None or existing.hold:
            return after[0]
        return last_of(outputs, existing.lengths, begin[0])
