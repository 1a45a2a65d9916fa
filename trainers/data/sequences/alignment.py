"""How a sequence's labels stand to its steps (Deeplearning4j's alignment modes), one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainers.data.contract import Array
from trainers.errors import DataError

Alignment = Literal["equal", "align_start", "align_end", "one_label"]


@dataclass(frozen=True)
class Aligned:
    """One sequence on one time axis.

    Attributes:
        inputs: `(time, features)`; NaN in a step with a missing value, 0 where none was brought.
        targets: `(time, outputs)`, NaN where there is none.
        brought: `(time,)` bool, whether the step brought an input. One that didn't exists all the
            same: a label beyond the inputs belongs to it.
        name: The sequence's, for people.
    """

    inputs: Array
    targets: Array
    brought: Array
    name: str = ""

    @property
    def exists(self) -> Array:
        """`(time,)`: all steps but those with a missing input."""
        return np.asarray(~np.isnan(self.inputs).any(axis=1))


def align(inputs: Array, labels: Array, alignment: Alignment, name: str) -> Aligned:
    """Put the labels of a sequence to its steps; a label on a step that doesn't exist is hidden.

    Args:
        inputs: `(steps, features)`, NaN where missing.
        labels: `(labels, outputs)`, NaN where missing.
        alignment: `equal`: label i belongs to step i. `align_start`, `align_end`: the first
            (last) label belongs to the first (last) step, whichever are more. `one_label`: all
            labels are the same one, which stands at the last existing step.
        name: The sequence's, for messages.

    Raises:
        DataError: lengths differ under `equal`, or labels differ under `one_label`.
    """
    if alignment == "one_label":
        return _one_label(inputs, labels, name)
    steps, count = len(inputs), len(labels)
    if alignment == "equal" and steps != count:
        raise DataError(
            f"alignment 'equal' needs a label for each step, but sequence {name!r} has {steps} "
            f"steps and {count} label(s); set data.alignment to align_start, align_end or "
            "one_label."
        )
    time = max(steps, count)
    at_end = alignment == "align_end"
    here = slice(time - steps, time) if at_end else slice(0, steps)
    there = slice(time - count, time) if at_end else slice(0, count)
    aligned = Aligned(
        inputs=np.zeros((time, inputs.shape[1])),
        targets=np.full((time, labels.shape[1]), np.nan),
        brought=np.zeros(time, dtype=np.bool_),
        name=name,
    )
    aligned.inputs[here] = inputs
    aligned.brought[here] = True
    aligned.targets[there] = labels
    aligned.targets[~aligned.exists] = np.nan
    return aligned


def _one_label(inputs: Array, labels: Array, name: str) -> Aligned:
    steps = len(inputs)
    present = labels[~np.isnan(labels).all(axis=1)]
    if len(present) and not ((present == present[0]) | np.isnan(present)).all():
        different = len(np.unique(present, axis=0))
        raise DataError(
            f"alignment 'one_label' needs one label a sequence, but sequence {name!r} has "
            f"{different} different ones in {len(labels)} rows; set data.alignment to equal."
        )
    targets = np.full((steps, labels.shape[1]), np.nan)
    aligned = Aligned(inputs, targets, np.ones(steps, dtype=np.bool_), name)
    exists = np.flatnonzero(aligned.exists)
    if len(exists) and len(present):
        targets[exists[-1]] = present[0]
    return aligned
