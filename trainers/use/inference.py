"""A trained network on whole sequences of any length: evaluation's pass, its outputs kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from trainers.data.contract import SequenceSet
from trainers.data.padding import padded
from trainers.errors import DataError
from trainers.learning.batches import Part
from trainers.learning.checkpoint import Checkpoint
from trainers.learning.spans import Span
from trainers.learning.tbptt import cut
from trainers.network.dropout import evaluation_keys
from trainers.network.masks import Array
from trainers.network.model import Model
from trainers.network.parameters import Layout, weights_of
from trainers.network.recurrence import choose_backend
from trainers.use.export import chosen_weights

_FLOATS = 1 << 20  # of the largest array in a batch


class Network:
    """A saved trial's best weights, run from zero state over each sequence.

    Args:
        saved: A checkpoint with its tensors.
    """

    def __init__(self, saved: Checkpoint) -> None:
        structure = saved.config.structure()
        layout = Layout.of(structure, saved.input_size, saved.output_size)
        self._structure = structure
        self._input_size = saved.input_size
        self._model = Model(structure, layout, choose_backend("auto", structure.cell, 1, "cpu"))
        self._weights = weights_of(layout, chosen_weights(saved).unsqueeze(0).clone())
        self._keys = evaluation_keys(saved.config)

    def outputs(
        self,
        sequences: Sequence[Array],
        masks: Sequence[Array],
        ahead: Sequence[Array | None] | None = None,
    ) -> list[Array]:
        """Run sequences, several at a time.

        Args:
            sequences: `(time, features)` float32 each, or ids `(time,)`; lengths may differ.
            masks: `(time,)` bool each, True where a step exists; at least one does.
            ahead: `(horizon, features)` each, scaled, what a decoder knows of the steps that it
                answers; needed where it was trained with any.

        Returns:
            As trained on, so scaled where targets were and logits for classes: `(time, outputs)`
            each, NaN where no step exists, or `(outputs,)` with one target per sequence. Of pairs
            `(steps, outputs)`, as many as the longest answer that was learned.
        """
        found: list[Array] = []
        known = self._known_ahead(len(sequences), ahead)
        for first, stop in self._batches([len(one) for one in sequences]):
            own = None if known is None else np.stack(known[first:stop])
            found += self._run(sequences[first:stop], masks[first:stop], own)
        return found

    def _known_ahead(
        self, count: int, given: Sequence[Array | None] | None
    ) -> Sequence[Array] | None:
        """Return what is known ahead of each sequence; None where the network asks for nothing.

        Raises:
            DataError: it was not given.
        """
        size = self._structure.ahead_size
        if not self._structure.decodes or not size:
            return None
        wanted = (self._structure.horizon, size)
        found = [one for one in given or () if one is not None and one.shape == wanted]
        if len(found) != count:
            raise DataError(
                f"the model needs what is known ahead of each of its {wanted[0]} steps, {size} "
                "numbers each, but a sequence comes without; bring its columns and times."
            )
        return found

    def _batches(self, lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield [first, stop) of sequences that fill a batch, padding included."""
        per_step = 4 * max(self._structure.layer_sizes)
        first, longest = 0, 0
        for index, length in enumerate(lengths):
            longest = max(longest, length)
            if index > first and longest * per_step * (index + 1 - first) > _FLOATS:
                yield first, index
                first, longest = index, length
        if lengths:
            yield first, len(lengths)

    def _run(
        self, sequences: Sequence[Array], masks: Sequence[Array], ahead: Array | None
    ) -> list[Array]:
        inputs, _ = padded(sequences)
        mask, _ = padded(masks, fill=False)
        asked = None
        if self._structure.pairs:  # targets stand where answers may be: at as many steps as learned
            more = max(self._structure.horizon - mask.shape[1], 0)
            inputs, mask = (_longer(one, more) for one in (inputs, mask))
            asked = np.broadcast_to(np.arange(mask.shape[1]) < self._structure.horizon, mask.shape)
        # Targets decide where the head is read; what they hold is never looked at.
        targets = np.broadcast_to(np.int64(0), mask.shape)
        data = SequenceSet(inputs, targets, input_mask=mask, target_mask=asked, ahead=ahead)
        batch = Part(data, self._structure).batch(np.arange(len(inputs)))
        span = Span(0, batch.time_steps, gradient=False)
        segment = cut(batch, span, self._structure, self._input_size)
        with torch.no_grad():
            outputs, _ = self._model.forward(self._weights, segment, None, self._keys)
        values = outputs[0].numpy()
        if self._structure.one_target:
            return list(values)
        if self._structure.pairs:
            return list(values.reshape(-1, len(inputs), values.shape[-1]).swapaxes(0, 1))
        whole = np.full((*mask.shape, values.shape[-1]), np.nan, dtype=values.dtype)
        steps, rows = np.nonzero(mask.T)  # as segments have them: time comes first
        whole[rows, steps] = values
        return [whole[row, : len(one)] for row, one in enumerate(sequences)]


def _longer(values: Array, more: int) -> Array:
    """Return `values (rows, time, …)` with so many more steps of zeros."""
    return np.pad(values, [(0, 0), (0, more), *[(0, 0)] * (values.ndim - 2)])
