"""Greedy ensemble selection with replacement (Caruana et al. 2004), and how sure its gain is.

Selection goes by the validation part; the test part is only told. The interval is a paired
bootstrap over sequences: both sides are judged on the same resamples (Efron & Tibshirani 1993).
Windows of one series overlap, which it does not know: it is then too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainers.config.objective import Objective
from trainers.ensembles.judging import Judge
from trainers.network.masks import Array

ROUNDS = 25
_RESAMPLES, _FEWEST_RESAMPLES, _DRAWS = 1_000, 200, 20_000_000
_FEWEST_SEQUENCES = 10
_LEVELS = (2.5, 97.5)


@dataclass(frozen=True)
class Selected:
    """The members that were chosen.

    Attributes:
        counts: `(trials,)` how often each was taken.
        single: The best trial alone.
        metrics: Of the members together, on the part that they were chosen by.
        better: Whether they are better there than the best trial alone.
    """

    counts: Array
    single: int
    metrics: dict[str, float]
    better: bool


def select(
    judge: Judge, trials: int, objective: Objective, rounds: int = ROUNDS
) -> Selected | None:
    """Add, again and again, the trial with which the mean is best; keep the best mean of all.

    Of equals the first trial is taken, and the smaller ensemble.

    Returns:
        None where the objective is not defined for means.
    """
    one_metric = judge.only(objective.metric)
    counts, path = np.zeros(trials, dtype=np.int64), list[tuple[float, Array]]()
    for _ in range(rounds):
        tries = [counts + one for one in np.eye(trials, dtype=np.int64)]
        costs = [objective.cost(one_metric.metrics(each).get(objective.metric)) for each in tries]
        best = int(np.argmin(costs))
        if not np.isfinite(costs[best]):
            return None
        counts = tries[best]
        path.append((costs[best], counts))
    cost, chosen = min(path, key=lambda step: step[0])
    return Selected(chosen, int(np.argmax(path[0][1])), judge.metrics(chosen), cost < path[0][0])


def interval(
    judge: Judge, members: Array, single: Array, metric: str, seed: int
) -> tuple[float, float] | None:
    """Return a 95 % interval of a metric's difference, the members' less the single trial's.

    Args:
        judge: Of the part.
        members: `(trials,)` how often each counts.
        single: Likewise, of the trial that they are compared with.
        metric: Its name.
        seed: Of the resamples.

    Returns:
        None with fewer than ten sequences, or where the metric is not defined in a resample.
    """
    judge = judge.only(metric)
    ours, theirs = judge.by_sequence(members), judge.by_sequence(single)
    if len(ours) < _FEWEST_SEQUENCES:
        return None
    generator = np.random.default_rng(seed)
    count = min(_RESAMPLES, max(_FEWEST_RESAMPLES, _DRAWS // len(ours)))
    differences = []
    for _ in range(count):
        rows = generator.integers(0, len(ours), len(ours))
        drawn = np.bincount(rows, minlength=len(ours)).astype(np.float64)
        pair = [judge.of_sums(sums, drawn).get(metric) for sums in (ours, theirs)]
        if pair[0] is None or pair[1] is None:
            return None
        differences.append(pair[0] - pair[1])
    low, high = np.percentile(differences, _LEVELS)
    return float(low), float(high)
