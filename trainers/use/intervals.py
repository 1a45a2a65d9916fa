"""Intervals that hold what they say: a trial's own, widened by what it got wrong in validation.

Split conformal prediction (Romano et al. 2019): the conformity score of a target y is
max(q_lo - y, y - q_hi) where the network answers with a distribution or quantiles, |y - ŷ| where it
answers with a number. The ceil((n + 1) · level)-th smallest of n scores is the margin: added on
both sides, the interval holds at least `level` of targets that come from where those did. Margins
are of each output, so of each step of a horizon, and in the network's scale: an interval's ends
become own units as answers do.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trainers.config.train_config import Structure
from trainers.errors import CheckpointError, ConfigError
from trainers.learning import losses
from trainers.learning.losses.forecast import forecast
from trainers.network.masks import Array

LEVELS = tuple(n / 100 for n in range(50, 100))
"""The levels that a model knows margins of."""


@dataclass(frozen=True)
class Calibration:
    """What widens the intervals of one trained network.

    Attributes:
        margins: `(levels, outputs)` in the network's scale, by `LEVELS`; NaN where there are too
            few scores for the level.
        scores: `(outputs,)` how many there are.
    """

    margins: Array
    scores: Array

    @classmethod
    def of(
        cls, structure: Structure, outputs: Array, targets: Array, mask: Array | None
    ) -> Calibration:
        """Calibrate on a part that was not trained on.

        Args:
            structure: Of the trial.
            outputs: `(targets, outputs · each)` of its head there.
            targets: `(targets, outputs)` as trained on.
            mask: `(targets, outputs)` where single ones are masked, or None.
        """
        valid = np.broadcast_to(True, targets.shape) if mask is None else mask
        margins = np.full((len(LEVELS), targets.shape[-1]), np.nan)
        for number, level in enumerate(LEVELS):
            low, high = _uncalibrated(structure, outputs, level)
            scores = np.maximum(low - targets, targets - high)
            for output, own in enumerate(valid.T):
                margins[number, output] = _margin(scores[own, output], level)
        return cls(margins, valid.sum(0))

    def margin(self, level: float) -> Array | None:
        """Return `(outputs,)` of a level; None where there are too few scores for it.

        Raises:
            ConfigError: it is no level of `LEVELS`.
        """
        margin: Array = self.margins[level_number(level)]
        return None if np.isnan(margin).any() else margin

    def required_margin(self, level: float) -> Array:
        """Return `margin`.

        Raises:
            ConfigError: it is no level of `LEVELS`, or there are too few scores for it.
        """
        margin = self.margin(level)
        if margin is None:
            raise ConfigError(
                f"an interval at level {level:g} needs at least {scores_needed(level)} validation "
                f"targets a step, but this model was calibrated on {int(self.scores.min())}; ask "
                "for a lower level."
            )
        return margin

    def to_bytes(self) -> bytes:
        """Return a JSON file's content."""
        margins = [[None if m != m else m for m in row] for row in self.margins.tolist()]
        return json.dumps({"margins": margins, "scores": self.scores.tolist()}).encode()

    @classmethod
    def read(cls, path: Path) -> Calibration:
        """Read such a file.

        Raises:
            CheckpointError: it is missing or damaged.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            margins = np.array(values["margins"], dtype=np.float64)
            if margins.ndim != 2 or len(margins) != len(LEVELS):
                raise ValueError(f"margins have shape {margins.shape}")
            return cls(margins, np.array(values["scores"], dtype=np.int64))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"the calibration in {path} can't be read: {error!r}.") from error


def checked_level(level: Any) -> float:
    """Return an interval's level as a number.

    Raises:
        ConfigError: it is none, or none of `LEVELS`.
    """
    if isinstance(level, bool) or not isinstance(level, int | float):
        raise ConfigError(f"an interval's level must be a number, as 0.9, but got {level!r:.40}.")
    level_number(level)
    return float(level)


def level_number(level: float) -> int:
    """Return where a level stands in `LEVELS`.

    Raises:
        ConfigError: it is none of them.
    """
    number = round(level * 100) - 50 if math.isfinite(level) else -1
    if not 0 <= number < len(LEVELS) or not math.isclose(level, LEVELS[number], abs_tol=1e-9):
        raise ConfigError(
            f"an interval's level must be a whole per cent, 0.50 … 0.99, but got {level:g}."
        )
    return number


def scores_needed(level: float) -> int:
    """Return the fewest scores that have a margin of the level: n ≥ 1/α − 1 for α = 1 − level."""
    return math.ceil(round(1 / (1 - level) - 1, 9))


def interval(
    structure: Structure, outputs: Array, level: float, margin: Array
) -> tuple[Array, Array]:
    """Return both ends `(…, outputs)` of the central interval, in the network's scale.

    Args:
        structure: Of the trial.
        outputs: `(…, outputs · each)` of its head.
        level: The share of targets that it shall hold.
        margin: `(outputs,)` of the level, see `Calibration.margin`; zeros: as the network says.
    """
    low, high = _uncalibrated(structure, outputs, level)
    low, high = low - margin, high + margin
    crossed = low > high  # a negative margin may be more than all that there was
    middle = (low + high) / 2
    return np.where(crossed, middle, low), np.where(crossed, middle, high)


def _uncalibrated(structure: Structure, outputs: Array, level: float) -> tuple[Array, Array]:
    """Return both ends `(…, outputs)` as the network says; of a number the number itself, twice."""
    head = torch.from_numpy(outputs)
    said = forecast(structure, head)
    if said is None:
        answers = losses.point(structure, head).numpy().astype(np.float64)
        return answers, answers
    ends = said.quantile(((1 - level) / 2, (1 + level) / 2)).numpy().astype(np.float64)
    return ends[..., 0], ends[..., 1]


def _margin(scores: Array, level: float) -> float:
    """Return the ceil((n + 1) · level)-th smallest score; NaN where there are too few."""
    count = len(scores)
    rank = math.ceil(round((count + 1) * level, 9))
    return float(np.partition(scores, rank - 1)[rank - 1]) if 0 < rank <= count else math.nan
