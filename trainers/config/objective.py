"""What a trial is judged by: one metric, and which way is better; free of torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Direction = Literal["minimize", "maximize"]


@dataclass(frozen=True)
class Objective:
    """One metric to optimise.

    Attributes:
        metric: A name in `trainers.config.metrics.METRICS`.
        direction: Whether less or more of it is better.
    """

    metric: str
    direction: Direction = "minimize"

    @property
    def sign(self) -> float:
        """What a value is multiplied by, so that less is better: 1 or -1."""
        return -1.0 if self.direction == "maximize" else 1.0

    def cost(self, value: float | None) -> float:
        """Return what ranks a value, the lower the better; infinite where there is none."""
        return math.inf if value is None or math.isnan(value) else self.sign * value

    def better(self, value: float, best: float | None) -> bool:
        """Return whether `value` beats `best` (None: nothing to beat yet)."""
        return best is None or self.sign * value < self.sign * best
