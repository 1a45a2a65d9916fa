"""What the network runs: some steps of a batch, and the state that is carried past them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trainers.network.cells.interface import State

# One state per layer; then the convolution's last inputs and the readout's accumulator, where the
# structure has them. Zero is the beginning of all of them.
StackState = tuple[State, ...]


class Answers(NamedTuple):
    """How long the answers of pairs are.

    Attributes:
        steps: Of the longest.
        lengths: `(K, batch)` the step after each row's last target.
        whole: Whether every step before it has its target.
    """

    steps: int
    lengths: Tensor
    whole: bool

    def to(self, device: torch.device) -> Answers:
        """Return them on a device."""
        return self._replace(lengths=self.lengths.to(device))


@dataclass(frozen=True)
class Segment:
    """Some steps of a batch, compacted, with the trial axis first (K = 1 unless stacked).

    Attributes:
        inputs: `(K, batch, time, features)`, existing steps to the left, zero beyond them; token
            ids `(K, batch, time)` where the structure embeds them.
        lengths: `(K, batch)` existing steps per row; None when all exist.
        hold: Whether a row that is shorter than the segment goes on in a later one.
        positions: Where outputs are wanted: flat indices into `(K, time, batch)` (readout every)
            or `(K, batch)` (last); None for everywhere, in that order.
        targets: `(K, wanted, outputs)` or class ids `(K, wanted)`; None without a valid target.
        element_mask: `(K, wanted, outputs)` where single outputs are masked, otherwise None.
        weights: Factors of the loss's elements, broadcast to them; None for 1.
        denominator: What the weighted sum is divided by; `(K,)` where trials differ.
        count: This segment's share of the epoch mean's denominator.
        gradient: Whether stem and recurrence are differentiated; the head always is.
        origins: `(batch,)` whose state a row begins with, −1 for zero; None: its own. Where trials
            differ `(K, batch)`.
        finals: `(rows of the batch,)` the row whose state each goes on with; None: its own. Where
            trials differ `(K, rows of the batch)`.
        offset: Steps that the same segment ran before this span of it; `(K,)` where trials differ.
        rows: `(K,)` rows that each trial has without the padding of others; None: all of them.
        rescale: `(K, wanted, 2, outputs)` float64, by which factor and offset metrics take outputs
            and targets; None: as they are.
        ahead: `(K, batch, horizon, features)` what a decoder knows of the steps that it answers.
        answers: How long they are, of pairs: time is then theirs for positions and targets. None
            for others.
    """

    inputs: Tensor
    lengths: Tensor | None = None
    hold: bool = False
    positions: Tensor | None = None
    targets: Tensor | None = None
    element_mask: Tensor | None = None
    weights: Tensor | None = None
    denominator: float | Tensor = 1.0
    count: float = 0.0
    gradient: bool = True
    origins: Tensor | None = None
    finals: Tensor | None = None
    offset: int | Tensor = 0
    rows: Tensor | None = None
    rescale: Tensor | None = None
    ahead: Tensor | None = None
    answers: Answers | None = None

    def to(self, device: torch.device) -> Segment:
        """Return the segment on a device."""
        if device.type == "cpu":
            return self
        tensors = {f.name: getattr(self, f.name) for f in fields(self)}
        moved: dict[str, Any] = {
            name: t.to(device) for name, t in tensors.items() if isinstance(t, Tensor | Answers)
        }
        return replace(self, **moved)


def enter(state: StackState | None, segment: Segment) -> StackState | None:
    """Turn the state of a batch's rows into that of the segment's: those cut at a reset begin at 0.

    Every tensor is `(trials, batch, …)` and becomes `(trials, rows, …)`.
    """
    origins = segment.origins
    if origins is None or state is None:
        return state

    def begin(tensor: Tensor) -> Tensor:
        fresh = (origins < 0).reshape(*origins.shape, *[1] * (tensor.dim() - 2))
        return torch.where(fresh, 0.0, _rows(tensor, origins.clamp(min=0)))

    return tuple(tuple(begin(tensor) for tensor in layer) for layer in state)


def leave(state: StackState, segment: Segment) -> StackState:
    """Turn the state after a segment's rows into that of the batch's rows."""
    finals = segment.finals
    if finals is None:
        return state
    return tuple(tuple(_rows(tensor, finals) for tensor in layer) for layer in state)


def _rows(tensor: Tensor, index: Tensor) -> Tensor:
    """Take rows of `tensor (trials, rows, …)`: the same of all trials, or `(trials, taken)`."""
    if index.dim() == 1:
        return tensor.index_select(1, index)
    wide = index.reshape(*index.shape, *[1] * (tensor.dim() - 2))
    return tensor.gather(1, wide.expand(*index.shape, *tensor.shape[2:]))
