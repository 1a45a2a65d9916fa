"""Trials beside naive forecasts: the best of them by a metric, and a trial's skill. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sweep.log.kinds import Baselined
from trainers.config.metrics import METRICS
from trainers.config.objective import Objective

VALIDATION, TEST = "validation", "test"


@dataclass(frozen=True)
class BestNaive:
    """The naive forecast that is best by some metric.

    Attributes:
        name: The forecast's.
        value: Its metric.
    """

    name: str
    value: float


def best_naive(
    baselines: Baselined | None, objective: Objective, part: str = VALIDATION
) -> BestNaive | None:
    """Return the best naive forecast on a part; None where none has the metric.

    Args:
        baselines: As the log has them; None before they are there.
        objective: Which metric, and which way is better.
        part: `validation` or `test`.
    """
    found = values_of(baselines, objective.metric, part)
    if not found:
        return None
    name = min(found, key=lambda one: objective.cost(found[one]))
    return BestNaive(name, found[name])


def values_of(baselines: Baselined | None, metric: str, part: str = VALIDATION) -> dict[str, float]:
    """Return a metric of every naive forecast that has it on a part, by name."""
    if baselines is None:
        return {}
    by_name = {name: parts.get(part, {}) for name, parts in baselines.metrics.items()}
    return {name: values[metric] for name, values in by_name.items() if metric in values}


def skill(objective: Objective, value: float | None, naive: BestNaive | None) -> float | None:
    """Return 1 − error / best naive error; None where one of them is no error, or is 0.

    The error of what is maximised up to 1, as accuracy or r2, is what it lacks of that.
    """
    if value is None or naive is None:
        return None
    own, its = _error(objective, value), _error(objective, naive.value)
    if own is None or its is None or its <= 0 or own < 0:
        return None
    found = 1 - own / its
    return found if math.isfinite(found) else None


def skill_of(
    baselines: Baselined | None,
    objective: Objective,
    metrics: Mapping[str, float],
    part: str = VALIDATION,
) -> float | None:
    """Return the skill of a trial's metrics on a part, by an objective; None where it has none."""
    value = metrics.get(objective.metric)
    return skill(objective, value, best_naive(baselines, objective, part))


def _error(objective: Objective, value: float) -> float | None:
    metric = METRICS.get(objective.metric.partition("/")[0])
    if objective.direction == "minimize":
        return value
    up_to_one = metric is not None and (metric.unit == "share" or objective.metric == "r2")
    return 1 - value if up_to_one else None
