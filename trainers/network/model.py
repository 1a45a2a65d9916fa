"""Stem → recurrent stack → readout → head, or a decoder; with the trial axis throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from trainers.config.train_config import Structure
from trainers.network.cells.interface import State
from trainers.network.decoder import Decoder
from trainers.network.draws import Draws
from trainers.network.dropout import Counted, DropoutKey
from trainers.network.head import run_head
from trainers.network.layers import Existing, Layers
from trainers.network.parameters import Layout, Weights
from trainers.network.readout import pool
from trainers.network.recurrence import Backend
from trainers.network.regularisation import activation_sums
from trainers.network.segment import Segment, StackState
from trainers.network.sites import OUTPUT
from trainers.network.stem import convolve, dense, embed, embed_categories


class _Features(NamedTuple):
    """What the recurrent stack made of a segment.

    Attributes:
        every: `(trials, batch, time, read)` outputs of the last layer.
        read: `(trials, batch, read)` the readout; None when every step is read.
        state: After the segment.
    """

    every: Tensor
    read: Tensor | None
    state: StackState


def carried_parts(structure: Structure) -> int:
    """Return how many states are carried beside the layers' own: convolution, readout."""
    return (structure.stem == "conv") + (structure.readout in ("mean", "max"))


@dataclass(frozen=True)
class Model:
    """The function from a segment to its outputs; holds no weights.

    Attributes:
        structure: What trials of the pack have in common.
        layout: Where the parameters lie.
        backend: Runs the recurrent layers.
    """

    structure: Structure
    layout: Layout
    backend: Backend

    def forward(
        self,
        weights: Weights,
        segment: Segment,
        state: StackState | None = None,
        keys: Sequence[DropoutKey] | None = None,
        activations: list[Tensor] | None = None,
    ) -> tuple[Tensor, StackState]:
        """Run one segment.

        Args:
            weights: Views of the flat rows.
            segment: Compacted inputs and where outputs are wanted.
            state: The state to begin from; None is zero.
            keys: One dropout key per trial; None drops nothing (evaluation without zoneout).
            activations: Where given, the segment's `activation_sums` are added to it.

        Returns:
            Outputs `(trials, wanted, outputs)`, empty where the segment has no valid target, and
            the state after it, not detached.
        """
        draws = Draws(self.structure, keys, Counted(segment.offset, segment.rows))
        with torch.set_grad_enabled(torch.is_grad_enabled() and segment.gradient):
            features = self._stack(weights, segment, state, draws)
        if self.structure.decodes:
            return self._decoded(weights, segment, features, draws, activations), features.state
        every = features.every
        if features.read is None:
            every = draws.dropped(every, OUTPUT)
        if activations is not None and segment.gradient:
            activations.append(activation_sums(every, features.every, segment.lengths))
        if segment.targets is None:
            return _no_outputs(features), features.state
        wanted = every
        if features.read is not None:
            wanted = draws.dropped(features.read.unsqueeze(2), OUTPUT)
        outputs = run_head(self.structure, weights, wanted, segment.positions, draws)
        return outputs, features.state

    def _decoded(
        self,
        weights: Weights,
        segment: Segment,
        features: _Features,
        draws: Draws,
        activations: list[Tensor] | None,
    ) -> Tensor:
        """Answer step by step from the state after a segment."""
        if segment.targets is None:
            return _no_outputs(features)
        decoder = Decoder(Layers(self.structure, self.backend, decoder=True))
        begin = features.state[: self.structure.num_layers]
        return decoder.answer(weights, segment, begin, draws, activations)

    def _stack(
        self, weights: Weights, segment: Segment, state: StackState | None, draws: Draws
    ) -> _Features:
        """Run stem, all layers and the readout."""
        structure = self.structure
        layers = structure.num_layers
        x, carried = self._stem(weights, segment, state, draws.keys)
        existing = Existing(segment.lengths, segment.hold or structure.decodes)
        ran = Layers(structure, self.backend).run(weights.layers, x, state, draws, existing)
        read = ran.finals[-1]
        if structure.readout == "all_states":
            read = torch.cat(ran.finals, -1)
        elif structure.readout in ("mean", "max"):
            before = None if state is None else state[layers + len(carried)] or None
            read, accumulator = pool(structure.readout, ran.every, segment.lengths, before)
            carried = (*carried, accumulator)
        return _Features(ran.every, read if structure.one_target else None, (*ran.states, *carried))

    def _stem(
        self,
        weights: Weights,
        segment: Segment,
        state: StackState | None,
        keys: Sequence[DropoutKey] | None,
    ) -> tuple[Tensor, tuple[State, ...]]:
        """Run what stands in front of the recurrence; also what it carries on."""
        x = segment.inputs
        if weights.embedding is not None:
            x = embed(x, weights.embedding, keys)
        if weights.categories:
            features = [feature for feature, _, _ in self.structure.category_embeddings]
            x = embed_categories(x, weights.categories, features)
        if weights.stem is None:
            return x, ()
        if self.structure.stem == "dense":
            return dense(self.structure, weights.stem, x), ()
        history = None if state is None else state[self.structure.num_layers] or None
        x, after = convolve(self.structure, weights.stem, x, history, segment.lengths)
        return x, (after,)


def _no_outputs(features: _Features) -> Tensor:
    return features.every.new_empty(features.every.shape[0], 0, 0)
