"""Stem → recurrent stack → readout → head, with the trial axis throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trainers.config.train_config import Structure
from trainers.network.backends.contract import LayerRun
from trainers.network.cells.affine import affine
from trainers.network.cells.interface import LayerWeights, State, cell_of, initial_state
from trainers.network.dropout import (
    INPUT,
    OUTPUT,
    Counted,
    DropoutKey,
    Site,
    between,
    drops,
    head,
    locked_mask,
    recurrent_kernel,
    recurrent_noise,
    step_mask,
)
from trainers.network.masks import last_of, reverse_rows
from trainers.network.parameters import Layout, Weights
from trainers.network.readout import pool
from trainers.network.recurrence import Backend, run_layer
from trainers.network.regularisation import activation_sums
from trainers.network.segment import Segment, StackState
from trainers.network.stem import ACTIVATIONS, convolve, dense, embed, embed_categories


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
        with torch.set_grad_enabled(torch.is_grad_enabled() and segment.gradient):
            features = self._stack(weights, segment, state, keys)
        every = features.every
        if features.read is None:
            every = self._dropped(every, keys, OUTPUT, segment)
        if activations is not None and segment.gradient:
            activations.append(activation_sums(every, features.every, segment.lengths))
        if segment.targets is None:
            return features.every.new_empty(features.every.shape[0], 0, 0), features.state
        wanted = every
        if features.read is not None:
            wanted = self._dropped(features.read.unsqueeze(2), keys, OUTPUT, segment)
        return self._head(weights, segment, wanted, keys), features.state

    def _head(
        self,
        weights: Weights,
        segment: Segment,
        wanted: Tensor,
        keys: Sequence[DropoutKey] | None,
    ) -> Tensor:
        """Run the head where outputs are wanted: `(trials, wanted, outputs)`.

        `wanted (trials, batch, time or 1, read)` is what is read, dropped already.
        """
        trials, batch, time_steps, _ = wanted.shape
        x = _picked(wanted, segment)
        for number, (kernel, bias) in enumerate(weights.dense):
            x = ACTIVATIONS[self.structure.head_activation](affine(x, kernel, bias))
            if keys is not None and drops(keys, head(number)):
                like = x.new_empty(1).expand(trials, batch, time_steps, x.shape[-1])
                mask = self._mask(keys, head(number), like, segment)
                if mask is not None:
                    x = x * _picked(mask.expand(-1, -1, time_steps, -1), segment)
        return affine(x, weights.head_weight, weights.head_bias)

    def _stack(
        self,
        weights: Weights,
        segment: Segment,
        state: StackState | None,
        keys: Sequence[DropoutKey] | None,
    ) -> _Features:
        """Run stem, all layers and the readout."""
        structure = self.structure
        layers = structure.num_layers
        x, carried = self._stem(weights, segment, state, keys)
        finals, states = [], []
        for layer, directions in enumerate(weights.layers):
            x = self._dropped(x, keys, between(layer - 1) if layer else INPUT, segment)
            begin = state[layer] if state is not None else self._zero_state(x, layer)
            x, final, after = self._layer(layer, directions, x, begin, segment, keys)
            finals.append(final)
            states.append(after)
        read = finals[-1]
        if structure.readout == "all_states":
            read = torch.cat(finals, -1)
        elif structure.readout in ("mean", "max"):
            before = None if state is None else state[layers + len(carried)] or None
            read, accumulator = pool(structure.readout, x, segment.lengths, before)
            carried = (*carried, accumulator)
        return _Features(x, read if structure.one_target else None, (*states, *carried))

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

    def _layer(
        self,
        layer: int,
        directions: tuple[LayerWeights, ...],
        x: Tensor,
        begin: State,
        segment: Segment,
        keys: Sequence[DropoutKey] | None,
    ) -> tuple[Tensor, Tensor, State]:
        """Run one layer in its directions: outputs, their final h, and the forward state."""
        lengths = segment.lengths

        def one_way(direction: int, inputs: Tensor) -> tuple[Tensor, State]:
            place = layer, direction
            weights = self._weight_dropped(directions[direction], keys, place)
            noise = recurrent_noise(keys, place, begin, inputs.shape[2], _counted(segment))
            hold = segment.hold and direction == 0
            cell = self.structure.cell
            return run_layer(
                self.backend, LayerRun(cell, weights, inputs, begin, lengths, hold, noise)
            )

        y, state = one_way(0, x)
        final = self._final(y, state, begin, segment)
        if len(directions) == 1:
            return y, final, state
        mirrored, after = one_way(1, reverse_rows(x, lengths))
        back = self._final(mirrored, after, begin, segment)
        y_back = reverse_rows(mirrored, lengths)
        if self.structure.bidirectional_merge == "sum":
            return y + y_back, final + back, state
        return torch.cat([y, y_back], -1), torch.cat([final, back], -1), state

    def _weight_dropped(
        self, weights: Any, keys: Sequence[DropoutKey] | None, place: tuple[int, int]
    ) -> Any:
        """Drop elements of W_hh, the same for all steps (Merity et al. 2018): kernels stay native.

        `weights` is a cell's NamedTuple.
        """
        field = cell_of(self.structure.cell).recurrent
        if keys is None or field is None:
            return weights
        kernel = getattr(weights, field)
        mask = locked_mask(keys, recurrent_kernel(*place), kernel.shape[1], kernel)
        return weights if mask is None else weights._replace(**{field: kernel * mask})

    def _dropped(
        self, x: Tensor, keys: Sequence[DropoutKey] | None, site: Site, segment: Segment
    ) -> Tensor:
        """Drop out of `x (trials, batch, time, features)`."""
        mask = None if keys is None else self._mask(keys, site, x, segment)
        return x if mask is None else x * mask

    def _mask(
        self, keys: Sequence[DropoutKey], site: Site, like: Tensor, segment: Segment
    ) -> Tensor | None:
        if self.structure.dropout_kind == "step":
            return step_mask(keys, site, like, _counted(segment))
        mask = locked_mask(keys, site, like.shape[1], like)
        return None if mask is None else mask.unsqueeze(2)

    def _zero_state(self, like: Tensor, layer: int) -> State:
        hidden = self.structure.layer_sizes[layer]
        return initial_state(self.structure.cell, like.shape[0], like.shape[1], hidden, like)

    def _final(self, outputs: Tensor, after: State, begin: State, segment: Segment) -> Tensor:
        if self.structure.readout not in ("last", "all_states"):
            return after[0]
        if segment.lengths is None or segment.hold:
            return after[0]
        return last_of(outputs, segment.lengths, begin[0])


def _counted(segment: Segment) -> Counted:
    return Counted(segment.offset, segment.rows)


def _picked(values: Tensor, segment: Segment) -> Tensor:
    """Take `values (trials, batch, time, features)` where outputs are wanted, time-major.

    Returns `(trials, wanted, features)`.
    """
    trials, features = values.shape[0], values.shape[-1]
    flat = values.transpose(1, 2).reshape(-1, features)  # as the kernels leave it: no copy
    if segment.positions is not None:
        flat = flat.index_select(0, segment.positions)
    return flat.reshape(trials, -1, features)
