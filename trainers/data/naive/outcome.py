"""What naive forecasts came to: plain values, which travel between processes."""

from __future__ import annotations

from dataclasses import dataclass, field

Metrics = dict[str, dict[str, dict[str, float]]]
"""By forecast, by part and by metric."""


@dataclass(frozen=True)
class NaiveMetrics:
    """What naive forecasts came to.

    Attributes:
        metrics: By forecast, by part and by metric; what the data do not define is absent.
        about: What each forecast says, by name.
        notes: What a person should know of a fit, by name, where there is something.
        left_out: Why a forecast that such data may have is not there, by name.
        seconds: How long it took.
    """

    metrics: Metrics
    about: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
