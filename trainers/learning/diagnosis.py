"""A trial's curves, judged: does it learn too little, too much by heart, or is it balanced?

The rules look at the loss per epoch, training t and validation v, both relative to the larger of
their first values (what little learning costs), so that tiny losses do not look like large gaps:

- overfitting: validation ends at least 5 % above its best while training fell on, or at the best
  epoch validation lies at least 20 % above training;
- underfitting: training hardly fell at all (by less than 5 %), or it fell by at least 5 % more
  over the last quarter of the epochs and validation had its best there: it was stopped too early;
- balanced: neither.

A gap needs no more epochs, so overfitting is judged first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Diagnosis = Literal["underfitting", "overfitting", "balanced"]

MIN_EPOCHS = 4
_RISE, _GAP, _FALL = 0.05, 0.20, 0.05


def diagnose(train: Sequence[float], validation: Sequence[float]) -> Diagnosis | None:
    """Judge one trial by its loss curves; pure.

    Args:
        train: Training loss of each epoch, at least 0; the mean over the epoch.
        validation: Validation loss of the same epochs.

    Returns:
        The judgement, or None with fewer than `MIN_EPOCHS` epochs: too short to tell.
    """
    epochs = min(len(train), len(validation))
    if epochs < MIN_EPOCHS:
        return None
    scale = max(train[0], validation[0])
    if scale <= 0:
        return "balanced"
    last = epochs - 1
    best = min(range(epochs), key=lambda epoch: validation[epoch])
    rise = (validation[last] - validation[best]) / scale
    gap = (validation[best] - train[best]) / scale
    if gap >= _GAP or (rise >= _RISE and train[last] < train[best]):
        return "overfitting"
    quarter = last - max(1, epochs // 4)
    still_falling = train[quarter] - train[last] >= _FALL * train[quarter] and best > quarter
    hardly_fell = train[0] - min(train) < _FALL * train[0]
    return "underfitting" if hardly_fell or still_falling else "balanced"
