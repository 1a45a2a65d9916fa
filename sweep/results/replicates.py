"""Finalists trained again with new seeds: means with intervals, and a test of first against second.

Replicate i of every finalist has the same seed, so two finalists are compared seed by seed: what
a seed does to both of them cancels out. A finalist's own first seed is in its mean, but in no
pair: it is another one for each finalist, and the search has chosen it for doing well.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sweep.history.goal import ranked
from sweep.history.state import Standing, TrialState
from sweep.results.results import Results
from sweep.words.console import short
from trainers.config.objective import Objective

CONFIDENCE = 0.95
_MAX_EXACT_PAIRS = 16
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Estimate:
    """Mean and spread of a sample, and the t interval of its mean; None where n is too small."""

    count: int
    mean: float
    deviation: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """Return the estimate of at least one value (Student's t, n - 1 degrees of freedom)."""
        mean = statistics.fmean(values)
        if len(values) < 2:
            return cls(len(values), mean, None, None, None)
        deviation = statistics.stdev(values)
        half = _t_quantile(len(values) - 1) * deviation / math.sqrt(len(values))
        return cls(len(values), mean, deviation, mean - half, mean + half)


@dataclass(frozen=True)
class PairedTest:
    """Differences of two finalists, seed by seed.

    Attributes:
        difference: Estimate of first minus second.
        p_value: Two-sided p of the paired t test; of the exact sign-flip test where all
            differences are equal, since t knows no spread then.
        exact_p_value: Share of all sign flips of the differences whose sum is as far from zero;
            it supposes nothing about their distribution, and can't fall below 2 / 2^pairs.
    """

    difference: Estimate
    p_value: float
    exact_p_value: float

    @classmethod
    def of(cls, first: Sequence[float], second: Sequence[float]) -> PairedTest:
        """Return the test of at least two pairs."""
        differences = [a - b for a, b in zip(first, second, strict=True)]
        estimate = Estimate.of(differences)
        exact = _sign_flip_p(differences)
        assert estimate.deviation is not None
        if estimate.deviation <= _ROUNDING * max(1.0, abs(estimate.mean)):
            return cls(estimate, exact, exact)
        t = estimate.mean / (estimate.deviation / math.sqrt(estimate.count))
        return cls(estimate, _t_p_value(t, estimate.count - 1), exact)


@dataclass(frozen=True)
class ReplicatedFinalist:
    """One finalist and its replicates.

    Attributes:
        by_seed: The metric by seed, the finalist's own seed first.
        lost: Replicates that failed, or have no value yet.
    """

    trial: TrialState
    by_seed: Mapping[int, float]
    estimate: Estimate
    lost: int


@dataclass(frozen=True)
class Replication:
    """All replicated finalists, in the sweep's ranking, and what tells the first two apart."""

    objective: Objective
    part: Literal["test", "validation"]
    finalists: tuple[ReplicatedFinalist, ...]
    test: PairedTest | None

    @property
    def verdict(self) -> str:
        """Say in one line whether the winner can be told from the second."""
        if len(self.finalists) < 2:
            return "One finalist alone was replicated: there is no second to tell it from."
        first, second = (f.trial.number for f in self.finalists[:2])
        if self.test is None:
            return (
                f"Trial {first} can't be told from trial {second}: they share fewer than two "
                "seeds; give finalists.replicates 3 or more."
            )
        if self.test.p_value >= 1 - CONFIDENCE:
            return f"The winner can't be told from the second: {self._evidence(first, second)}"
        if self.objective.better(self.test.difference.mean, 0.0):
            return f"The winner is better than the second: {self._evidence(first, second)}"
        return (
            f"The second is better than the winner that the search chose: "
            f"{self._evidence(first, second)}"
        )

    def _evidence(self, first: int, second: int) -> str:
        assert self.test is not None
        found = self.test.difference
        return (
            f"{self.part} {self.objective.metric} of trial {first} minus that of trial {second} is "
            f"{short(found.mean)} on {found.count} shared seeds (95 % interval {short(found.low)} "
            f"to {short(found.high)}, paired t test p = {self.test.p_value:.2g}, exact sign-flip "
            f"p = {self.test.exact_p_value:.2g})."
        )


def replication(results: Results) -> Replication | None:
    """Return what the replicates say; None for a sweep without any.

    The metric is the leading objective: on the test part where every member of every group was
    evaluated there, or else on validation.
    """
    groups: dict[int, list[TrialState]] = {}
    for trial in results.trials:
        if trial.source == "replicate" and trial.of in results.state.trials:
            groups.setdefault(trial.of, []).append(trial)
    chosen = [t for t in ranked(results.trials, results.goal) if t.number in groups]
    if not chosen:
        return None
    objective = results.goal.leading
    members = {t.number: [t, *groups[t.number]] for t in chosen}
    complete = [t for g in members.values() for t in g if t.state is Standing.COMPLETE]
    tested = all(objective.metric in trial.test for trial in complete)
    part: Literal["test", "validation"] = "test" if tested else "validation"
    finalists = tuple(_finalist(members[t.number], objective.metric, part) for t in chosen)
    return Replication(objective, part, finalists, _test(finalists))


def _finalist(group: Sequence[TrialState], metric: str, part: str) -> ReplicatedFinalist:
    by_seed = {
        trial.seed: (trial.test if part == "test" else trial.best)[metric]
        for trial in group
        if trial.state is Standing.COMPLETE and metric in trial.best
    }
    lost = len(group) - len(by_seed)
    return ReplicatedFinalist(group[0], by_seed, Estimate.of(list(by_seed.values())), lost)


def _test(finalists: Sequence[ReplicatedFinalist]) -> PairedTest | None:
    if len(finalists) < 2:
        return None
    first, second = (finalist.by_seed for finalist in finalists[:2])
    shared = [seed for seed in first if seed in second]
    if len(shared) < 2:
        return None
    return PairedTest.of([first[s] for s in shared], [second[s] for s in shared])


def _sign_flip_p(differences: Sequence[float]) -> float:
    """Return the exact two-sided p of Fisher's randomization test for pairs."""
    if len(differences) > _MAX_EXACT_PAIRS:
        return math.nan
    bound = abs(sum(differences)) - _ROUNDING
    flips = itertools.product((1.0, -1.0), repeat=len(differences))
    sums = (
        abs(sum(sign * d for sign, d in zip(signs, differences, strict=True))) for signs in flips
    )
    return sum(total >= bound for total in sums) / 2.0 ** len(differences)


def _t_quantile(degrees: int) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, degrees))


def _t_p_value(value: float, degrees: int) -> float:
    from scipy.stats import t

    return float(2 * t.sf(abs(value), degrees))
