"""The time since the row before, as an input where steps are irregular."""

from __future__ import annotations

import numpy as np

from trainers.data.contract import Array
from trainers.data.times.instants import Instants
from trainers.data.times.rows import by_series
from trainers.data.times.steps import Step
from trainers.errors import DataError

ELAPSED_NAME = "elapsed"


def elapsed(instants: Instants, step: Step, codes: Array | None = None) -> Array:
    """Time since the row before in its series, in usual steps of the training data.

    Float64 `(rows,)`; 1 for the first row of a series, which has none before it.

    Raises:
        DataError: there is no usual step.
    """
    if step.nanoseconds <= 0:
        raise DataError(
            f"data.elapsed counts in usual steps, but the usual step is {step.text}; leave it out."
        )
    order = by_series(codes)
    since = np.diff(instants.utc[order]) / step.nanoseconds
    if codes is not None:
        since[np.diff(codes[order]) != 0] = 1.0
    found = np.ones(len(instants))
    found[np.arange(len(instants))[order][1:]] = since
    return found
