"""Where a part's valid targets are: those that trials are judged on, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trainers.data.contract import Array, SequenceSet

_BLOCK = 1 << 22  # elements of an array over time


@dataclass(frozen=True)
class Places:
    """Some valid targets of a part, by row and then by step.

    Attributes:
        rows: `(targets,)` the sequence of each.
        steps: `(targets,)` its step there.
    """

    rows: Array
    steps: Array

    def __len__(self) -> int:
        return len(self.rows)

    def blocks(self, most: int) -> Iterator[Places]:
        """Yield them in their order, at most so many at once."""
        for start in range(0, len(self), max(most, 1)):
            span = slice(start, start + max(most, 1))
            yield Places(self.rows[span], self.steps[span])

    def thinned(self, most: int) -> Places:
        """Return at most so many, evenly spaced."""
        every = -(-len(self) // max(most, 1))
        return Places(self.rows[::every], self.steps[::every])


@dataclass(frozen=True)
class Truth:
    """Targets at some places.

    Attributes:
        targets: `(targets, outputs)` as a network is trained on them, or class ids `(targets,)`.
        mask: `(targets, outputs)` where single outputs are masked, otherwise None.
        rescale: `(targets, 2, outputs)` as `SequenceSet` has it, otherwise None.
    """

    targets: Array
    mask: Array | None
    rescale: Array | None


def places_of(part: SequenceSet, *, one_target: bool) -> Places:
    """Return where a part's valid targets are.

    Args:
        part: Of the data.
        one_target: Whether only the last of each sequence counts, as a network sees it that is
            read out there.
    """
    found = [_in_block(start, shown, one_target) for start, shown in _shown(part)]
    return Places(*(np.concatenate([block[axis] for block in found]) for axis in (0, 1)))


def truth_at(part: SequenceSet, places: Places) -> Truth:
    """Return the targets at some places; those that are masked may be anything."""
    at = places.rows, places.steps
    mask = part.target_mask
    return Truth(
        np.asarray(part.targets[at]),
        np.asarray(mask[at]) if mask is not None and mask.ndim == 3 else None,
        None if part.rescale is None else np.asarray(part.rescale[places.rows]),
    )


def existing(part: SequenceSet, rows: Array) -> Array:
    """Return which input steps of some rows exist, `(rows, time)`."""
    if part.input_mask is None:
        return np.ones((len(rows), part.time_steps), dtype=np.bool_)
    return np.asarray(part.input_mask[rows])


def _shown(part: SequenceSet) -> Iterator[tuple[int, Array]]:
    """Walk over which steps have a target, `(rows, time)`, some rows at a time."""
    mask = part.input_mask if part.target_mask is None else part.target_mask
    outputs = 1 if mask is None or mask.ndim == 2 else mask.shape[2]
    rows = max(1, _BLOCK // max(part.time_steps * outputs, 1))
    for start in range(0, len(part), rows):
        count = min(rows, len(part) - start)
        if mask is None:
            yield start, np.ones((count, part.time_steps), dtype=np.bool_)
            continue
        block = np.asarray(mask[start : start + count])
        yield start, np.asarray(block.any(axis=2) if block.ndim == 3 else block)


def _in_block(start: int, shown: Array, one_target: bool) -> tuple[Array, Array]:
    if one_target:
        rows = np.flatnonzero(shown.any(axis=1))
        steps = shown.shape[1] - 1 - shown[rows, ::-1].argmax(axis=1)
        return rows + start, steps
    rows, steps = np.nonzero(shown)
    return rows + start, steps
