"""A part of the data that lies on the device as a whole, gathered there by index.

For parts whose rows are whole or padded on the right. Shapes are those of the whole part, so a
captured program can gather any batch: a row's own length stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from trainers.config.train_config import Structure
from trainers.learning.batches import Part
from trainers.learning.lanes import StreamPart
from trainers.network.masks import Array
from trainers.network.segment import Segment


def fits_device(structure: Structure, part: Part | StreamPart) -> bool:
    """Return whether a part can be walked there: no stream, gaps, resets or pairs, k2 = k1."""
    if not isinstance(part, Part) or part.pattern == "general" or part.data.resets is not None:
        return False
    if structure.pairs:
        return False
    return structure.tbptt_backward_steps in (None, structure.tbptt_forward_steps)


@dataclass(frozen=True)
class Picked:
    """What a step runs.

    Attributes:
        rows: `(trials, batch)` rows of the part; anything beyond `present`.
        present: `(trials,)` rows that each trial's batch has.
        start: `(trials,)` the step at which each trial's segment begins.
    """

    rows: Tensor
    present: Tensor
    start: Tensor


class DevicePart:
    """One part on a device.

    Attributes:
        rows: Number of sequences.
        time_steps: Of the longest.
        ends: `(rows,)` the step after each row's last, on the host.
    """

    def __init__(
        self,
        part: Part | StreamPart,
        structure: Structure,
        input_size: int,
        device: torch.device,
    ) -> None:
        assert isinstance(part, Part)  # what fits is one
        self._structure = structure
        self._dtype = getattr(torch, structure.dtype)
        self.rows, self.ends = part.rows, part.ends
        self.time_steps = max(int(part.ends.max()), 1)
        inputs = np.array(part.data.inputs[:, : self.time_steps])
        inputs[np.arange(self.time_steps) >= part.ends[:, None]] = 0  # padding may hold NaN
        batch = part.batch(np.arange(part.rows))
        self._valid_here = _valid(batch.target_mask, batch.targets)
        self._ids = inputs.ndim == 2
        self._inputs = torch.from_numpy(inputs).to(device, None if self._ids else self._dtype)
        self._one_hot = torch.eye(input_size, dtype=self._dtype, device=device)
        self._ends = torch.from_numpy(part.ends).to(device)
        self._targets = torch.from_numpy(np.ascontiguousarray(batch.targets)).to(device)
        if batch.targets.dtype.kind not in "iu":
            self._targets = self._targets.to(self._dtype)
        self._valid = torch.from_numpy(self._valid_here).to(device)
        self._counts = torch.from_numpy(batch.target_counts).to(device, self._dtype)
        ahead = batch.ahead
        self._ahead = None if ahead is None else torch.tensor(ahead).to(device, self._dtype)
        by = batch.rescale
        self._rescale = None if by is None else torch.from_numpy(by).to(device)

    def scored(self, length: int) -> Array:
        """Return `(rows, segments)`: which segments of `length` steps hold a target of a row."""
        segments = -(-self.time_steps // length)
        valid: Array = np.asarray(self._valid_here.any(axis=-1))
        if self._structure.one_target:
            at = (np.maximum(self.ends, 1) - 1) // length
            in_it = np.arange(segments) == at[:, None]
            return np.asarray(in_it & (valid & (self.ends > 0))[:, None])
        padded = np.zeros((self.rows, segments * length), dtype=bool)
        padded[:, : self.time_steps] = valid
        return np.asarray(padded.reshape(self.rows, segments, length).any(axis=2))

    def segment(self, picked: Picked, length: int) -> tuple[Segment, Tensor, Tensor]:
        """Gather the next `length` steps of every trial.

        Returns:
            The segment, its targets everywhere and weighed 0 where there is none; the valid
            elements `(trials,)`; the share of the epoch mean's denominator `(trials,)`.
        """
        rows, start = picked.rows, picked.start
        exists = torch.arange(rows.shape[1], device=rows.device) < picked.present.unsqueeze(1)
        ends = torch.where(exists, self._ends[rows], 0)
        steps = start.unsqueeze(1) + torch.arange(length, device=rows.device)  # (trials, time)
        within = steps < self.time_steps
        at = rows.unsqueeze(1), steps.clamp(max=self.time_steps - 1).unsqueeze(2)
        whole = self._is_whole(length)
        segment = Segment(
            inputs=self._features(self._inputs[at]).transpose(1, 2),
            lengths=None if whole else (ends - start.unsqueeze(1)).clamp(0, length),
            hold=not whole,
            rows=picked.present,
            rescale=self._rescale_of(rows, length),
            ahead=None if self._ahead is None else self._ahead[rows],
        )
        if self._structure.one_target:
            here = (ends > start.unsqueeze(1)) & (ends <= start.unsqueeze(1) + length)
            valid = self._valid[rows] & here.unsqueeze(-1)
            return self._weighed(segment, self._targets[rows], valid, picked, exists)
        valid = self._valid[at] & within.unsqueeze(-1).unsqueeze(-1)
        valid = valid & exists.unsqueeze(1).unsqueeze(-1)
        return self._weighed(segment, self._targets[at], valid, picked, exists)

    def _is_whole(self, length: int) -> bool:
        """Return whether every batch is full and all its rows exist in every segment."""
        longest = bool((self.ends == self.time_steps).all())
        full = self.rows % self._structure.batch_size == 0
        return longest and full and self.time_steps % length == 0

    def _features(self, inputs: Tensor) -> Tensor:
        if not self._ids:
            return inputs
        if self._structure.embedding_size is not None:
            return inputs.long()
        return torch.embedding(self._one_hot, inputs.long())

    def _rescale_of(self, rows: Tensor, length: int) -> Tensor | None:
        """Return factors and offsets `(trials, wanted, 2, outputs)`, time-major as the targets."""
        if self._rescale is None:
            return None
        by = self._rescale[rows]
        return by if self._structure.one_target else by.repeat(1, length, 1, 1)

    def _weighed(
        self, segment: Segment, targets: Tensor, valid: Tensor, picked: Picked, exists: Tensor
    ) -> tuple[Segment, Tensor, Tensor]:
        """Add targets, time-major, and how their losses are weighed (`LossReduction`)."""
        structure, trials = self._structure, len(picked.rows)
        reduction, ids = structure.loss_reduction, not targets.is_floating_point()
        outputs = 1 if ids else targets.shape[-1]
        elements = valid.flatten(1).sum(1) * (outputs // valid.shape[-1])
        counts = torch.where(exists, self._counts[picked.rows], 0)
        weights = valid.to(self._dtype)
        batch_rows = picked.present.to(self._dtype)
        if reduction == "sequence_sum":
            batch_rows = batch_rows * outputs
        count = torch.where(picked.start == 0, batch_rows, 0)
        denominator = batch_rows
        if reduction == "valid_step":
            count = elements.to(self._dtype)
            denominator = counts.sum(1) if structure.one_target else count
        elif reduction == "sequence_mean":
            each = 1.0 / counts.clamp(min=1)
            weights = weights * (each if structure.one_target else each.unsqueeze(1)).unsqueeze(-1)
        wide = (trials, -1, valid.shape[-1])
        shape = (trials, -1) if ids else (trials, -1, outputs)
        moved = replace(
            segment,
            targets=targets.reshape(shape),
            element_mask=valid.reshape(wide),
            weights=weights.reshape(wide),
            denominator=denominator.clamp(min=1),
        )
        return moved, elements, count


def _valid(mask: Array | None, targets: Array) -> Array:
    """Return which targets are valid, with an axis of outputs: of size one where they share it."""
    ids = targets.dtype.kind in "iu"
    steps = targets.shape if ids else targets.shape[:-1]
    if mask is None:
        return np.ones((*steps, 1), dtype=bool)
    return mask if mask.ndim > len(steps) else mask[..., None]
