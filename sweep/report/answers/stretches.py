"""Which parts of a series of forecasts are shown: the newest, the worst and the best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sweep.report.answers.found import Found
from trainers.data.contract import Array

STEPS = 96  # shown of a stretch, about


@dataclass(frozen=True)
class Line:
    """Forecasts that follow each other in one series, one target a step.

    Attributes:
        targets: `(steps,)` the place of each in the answers.
        outputs: `(steps,)` which output each is.
        steps: `(steps,)` rows of the data since the first.
    """

    targets: Array
    outputs: Array
    steps: Array

    def __len__(self) -> int:
        return len(self.targets)

    def part(self, begin: int, length: int) -> Line:
        """Return some of it."""
        cut = slice(begin, begin + length)
        return Line(self.targets[cut], self.outputs[cut], self.steps[cut])


def longest_line(found: Found) -> Line | None:
    """Return the forecasts of the first target, in time, of the series with most of them.

    A forecast of several steps covers as many rows; the next one begins after it. None where
    targets do not follow each other.
    """
    kept = found.kept
    own = np.arange(len(kept))
    if kept.series_of is not None:
        most = np.bincount(kept.series_of).argmax()
        own = np.flatnonzero(kept.series_of == most)
    origins, horizon = kept.origins[own], kept.horizon
    if len(own) < 3 or (np.diff(origins) < 1).any():
        return None
    chosen, reached = [], origins[0]
    for place, origin in zip(own.tolist(), origins.tolist(), strict=True):
        if origin >= reached:
            chosen.append(place)
            reached = origin + horizon
    each = kept.answers.shape[1] // horizon
    targets = np.repeat(chosen, horizon)
    ahead = np.tile(np.arange(horizon), len(chosen))
    steps = kept.origins[targets] - kept.origins[targets[0]] + ahead
    return Line(targets, ahead * each, steps)


def stretches(found: Found, line: Line) -> dict[str, Line]:
    """Return the newest, the worst and the best stretch, by mean absolute error."""
    horizon = found.kept.horizon
    length = max(horizon, STEPS // horizon * horizon)
    if len(line) <= length:
        return {"all": line}
    errors = np.abs(found.errors[line.targets, line.outputs])
    begins = np.arange(0, len(line) - length + 1, horizon)
    valid = ~np.isnan(errors)
    sums = np.concatenate([[0.0], np.cumsum(np.where(valid, errors, 0.0))])
    counts = np.concatenate([[0], np.cumsum(valid)])
    mean = (sums[begins + length] - sums[begins]) / np.maximum(
        counts[begins + length] - counts[begins], 1
    )
    places = {"newest": begins[-1], "worst": begins[mean.argmax()], "best": begins[mean.argmin()]}
    return {name: line.part(int(begin), length) for name, begin in places.items()}
