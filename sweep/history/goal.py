"""Which trials are best: by the first objective, and the Pareto front of several. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sweep.config.sections import ConstraintSection, ObjectiveSection
from sweep.config.sweep_config import SweepConfig, default_objectives
from sweep.history.state import Standing, SweepState, TrialState


@dataclass(frozen=True)
class Goal:
    """What a sweep is for: its objectives, the first one leading, and its constraints."""

    objectives: tuple[ObjectiveSection, ...]
    constraints: tuple[ConstraintSection, ...] = ()

    @classmethod
    def of(cls, config: SweepConfig, state: SweepState) -> Goal:
        """Return the sweep's goal; objectives that the file leaves open stand in its log."""
        recorded = () if state.first_opened is None else state.first_opened.objectives
        objectives = tuple(ObjectiveSection.model_validate(given) for given in recorded)
        fallback = config.search.objectives or default_objectives("regression")
        return cls(objectives or fallback, config.search.constraints)

    @property
    def leading(self) -> ObjectiveSection:
        """The objective that ranks trials: the first one that is measured on validation."""
        measured = (o for o in self.objectives if o.metric != "parameters")
        return next(measured, self.objectives[0])

    def leading_cost(self, trial: TrialState) -> float:
        """Return the leading objective, the lower the better; infinite where there is none."""
        return self.costs(trial)[self.objectives.index(self.leading)]

    def values(self, trial: TrialState) -> tuple[float | None, ...]:
        """Return one value per objective, of the trial's best epoch; None where there is none."""
        if trial.state is Standing.FAILED:
            return (None,) * len(self.objectives)
        return tuple(_value(trial, objective.metric) for objective in self.objectives)

    def allows(self, trial: TrialState) -> bool:
        """Return whether the trial keeps every constraint."""
        return all(_within(_value(trial, bound.metric), bound) for bound in self.constraints)

    def costs(self, trial: TrialState) -> tuple[float, ...]:
        """Return one number per objective, the lower the better; infinite where there is none."""
        return tuple(
            math.inf if value is None else (-value if o.direction == "maximize" else value)
            for o, value in zip(self.objectives, self.values(trial), strict=True)
        )


def ranked(trials: Iterable[TrialState], goal: Goal) -> list[TrialState]:
    """Return the complete trials that keep the constraints, best leading objective first.

    Replicates are left out: they tell how much a finalist's value owes to its seed.
    """
    complete = [t for t in searched(trials) if t.state is Standing.COMPLETE and goal.allows(t)]
    return sorted(complete, key=lambda trial: (goal.leading_cost(trial), trial.number))


def searched(trials: Iterable[TrialState]) -> list[TrialState]:
    """Return the trials that search for something: all but replicates."""
    return [trial for trial in trials if trial.source != "replicate"]


def pareto_front(trials: Iterable[TrialState], goal: Goal) -> list[TrialState]:
    """Return the trials that no other one beats in all objectives, best leading objective first."""
    candidates = ranked(trials, goal)
    costs = {trial.number: goal.costs(trial) for trial in candidates}
    return [
        trial
        for trial in candidates
        if not any(_dominates(other, costs[trial.number]) for other in costs.values())
    ]


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def _value(trial: TrialState, metric: str) -> float | None:
    if metric == "parameters":
        return float(trial.parameters) if trial.parameters else None
    return trial.best.get(metric)


def _within(value: float | None, bound: ConstraintSection) -> bool:
    if value is None:
        return False
    above = bound.min is None or value >= bound.min
    return above and (bound.max is None or value <= bound.max)
