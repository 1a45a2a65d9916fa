"""Teacher forcing: which true answers a decoder is told, by draws for each row and step.

Scheduled sampling (Bengio et al. 2015). What is not known is never told.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from trainers.config.train_config import Structure
from trainers.network.draws import Draws
from trainers.network.segment import Segment
from trainers.network.sites import TEACHER


class Teacher(NamedTuple):
    """What a decoder is told.

    Attributes:
        truth: `(trials, batch, steps, targets)`, or ids `(trials, batch, steps)`; anything finite
            where it is not known.
        told: Likewise but for the last step, bool: where it takes the place of the own answer.
        always: Whether it does everywhere; known on the host, so never in a captured program.
    """

    truth: Tensor
    told: Tensor
    always: bool


def steps_of(structure: Structure, segment: Segment) -> int:
    """Return how many steps a decoder answers."""
    return structure.horizon if segment.answers is None else segment.answers.steps


def teacher_of(structure: Structure, segment: Segment, draws: Draws) -> Teacher | None:
    """Return what is told of a segment's targets; None for nothing."""
    steps, targets = steps_of(structure, segment), segment.targets
    if steps == 1 or targets is None:
        return None
    drawn = draws.happens(TEACHER, (steps - 1, segment.inputs.shape[1]), segment.inputs)
    if drawn is None:
        return None
    ids = targets.dim() == 2
    truth = _by_step(targets.unsqueeze(-1) if ids else targets, structure, segment)
    told = drawn.transpose(1, 2).unsqueeze(-1)
    if not _all_known(segment):
        known = _by_step(_known(segment, targets), structure, segment, add=True)
        told = told & (known[:, :, :-1] > 0)
    if ids:
        truth, told = truth.squeeze(-1), told.squeeze(-1)
    whole = _all_known(segment) if segment.answers is None else segment.answers.whole
    return Teacher(truth, told, whole and draws.certain(TEACHER))


def _all_known(segment: Segment) -> bool:
    """Return whether every row has the true answer of every step."""
    return segment.element_mask is None and segment.positions is None


def _known(segment: Segment, targets: Tensor) -> Tensor:
    """Return 1 where a wanted target is known, 0 elsewhere: `(trials, wanted, outputs or 1)`."""
    known = torch.ones_like(targets.unsqueeze(-1) if targets.dim() == 2 else targets)
    mask = segment.element_mask
    return known if mask is None else known * mask


def _by_step(
    values: Tensor, structure: Structure, segment: Segment, *, add: bool = False
) -> Tensor:
    """Put what is wanted `(trials, wanted, ·)` where it belongs, `(trials, batch, steps, ·)`."""
    trials, batch, steps = len(values), segment.inputs.shape[1], steps_of(structure, segment)
    if segment.answers is None:
        return _placed(values, segment.positions, batch, add).view(trials, batch, steps, -1)
    placed = _placed(values, segment.positions, steps * batch, add)
    return placed.view(trials, steps, batch, -1).transpose(1, 2)


def _placed(values: Tensor, positions: Tensor | None, places: int, add: bool) -> Tensor:
    """Return `(trials, places, ·)` of `values (trials, wanted, ·)`, 0 elsewhere.

    Padding repeats a trial's first position and its targets, so it overwrites them with
    themselves; its mask is False there, so masks must be added.
    """
    if positions is None:
        return values
    trials, _, size = values.shape
    flat = values.new_zeros(trials * places, size)
    put = flat.index_add_ if add else flat.index_copy_
    return put(0, positions, values.reshape(-1, size)).view(trials, places, size)
