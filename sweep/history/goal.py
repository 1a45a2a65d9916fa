"""What a sweep is for: values, feasibility and ranking of its trials stand here alone. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sweep.config.sweep_config import SweepConfig, default_objectives
from sweep.history.state import Standing, SweepState, TrialState
from trainers.config.objective import Direction, Objective


@dataclass(frozen=True)
class Constraint:
    """Bounds of a metric of the best epoch, or of `parameters`; a missing value breaks them."""

    metric: str
    min: float | None = None
    max: float | None = None

    def violation(self, value: float | None) -> float:
        """Return how far `value` lies outside; zero or less is feasible."""
        if value is None:
            return math.inf
        over = -math.inf if self.max is None else value - self.max
        under = -math.inf if self.min is None else self.min - value
        return max(over, under)


@dataclass(frozen=True)
class Goal:
    """A sweep's objectives, the first measured one leading, and its constraints."""

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()

    @classmethod
    def read(
        cls, objectives: Iterable[Mapping[str, Any]], constraints: Iterable[Mapping[str, Any]] = ()
    ) -> Goal:
        """Return the goal from plain values, as the log and the sweep file hold them."""
        return cls(
            tuple(Objective(**given) for given in objectives),
            tuple(Constraint(**given) for given in constraints),
        )

    @classmethod
    def of_task(
        cls, config: SweepConfig, task: str, own: Mapping[str, Direction] | None = None
    ) -> Goal:
        """Return a sweep's goal; the data's task gives the objective that its file leaves open.

        Args:
            config: The sweep.
            task: Of its data.
            own: The directions of metrics of one's own.
        """
        objectives = config.search.objectives or default_objectives(task)
        constraints = (bound.model_dump() for bound in config.search.constraints)
        directed = (
            {**o.model_dump(), "direction": o.direction or (own or {}).get(o.metric, "minimize")}
            for o in objectives
        )
        return cls.read(directed, constraints)

    @classmethod
    def of(cls, config: SweepConfig, state: SweepState) -> Goal:
        """Return a sweep's goal as its log states it."""
        stated = cls.of_task(config, "regression")
        recorded = cls.read(() if state.first_opened is None else state.first_opened.objectives)
        return cls(recorded.objectives or stated.objectives, stated.constraints)

    @property
    def leading(self) -> Objective:
        """The first objective that is measured on validation: it ranks trials.

        Best epochs and rungs are judged by it.
        """
        measured = (o for o in self.objectives if o.metric != "parameters")
        return next(measured, self.objectives[0])

    @property
    def directions(self) -> list[Direction]:
        """Each objective's direction, in order."""
        return [objective.direction for objective in self.objectives]

    def plain(self) -> list[dict[str, Any]]:
        """Return the objectives as the log holds them."""
        return [asdict(objective) for objective in self.objectives]

    def values(self, trial: TrialState) -> tuple[float | None, ...]:
        """Return one value per objective, of the trial's best epoch; None where there is none."""
        return tuple(_value(trial, objective) for objective in self.objectives)

    def leading_value(self, trial: TrialState) -> float | None:
        """Return the leading objective's value; None where there is none."""
        return _value(trial, self.leading)

    def costs(self, trial: TrialState) -> tuple[float, ...]:
        """Return one number per objective, the lower the better; infinite where there is none."""
        return tuple(o.cost(_value(trial, o)) for o in self.objectives)

    def leading_cost(self, trial: TrialState) -> float:
        """Return the leading objective, the lower the better; infinite where there is none."""
        return self.leading.cost(self.leading_value(trial))

    def violations(
        self, best: Mapping[str, float], parameters: int
    ) -> list[tuple[Constraint, float]]:
        """Return how far the metrics of a best epoch lie outside each constraint."""
        return [(c, c.violation(measured(c.metric, best, parameters))) for c in self.constraints]

    def feasible(self, best: Mapping[str, float], parameters: int) -> bool:
        """Return whether the metrics of a best epoch keep every constraint."""
        return all(violation <= 0 for _, violation in self.violations(best, parameters))

    def allows(self, trial: TrialState) -> bool:
        """Return whether the trial keeps every constraint."""
        return self.feasible(trial.best, trial.parameters)

    def cost(self, trial: TrialState) -> float:
        """Return what ranks a complete trial, the lower the better; infinite where infeasible."""
        return self.leading_cost(trial) if self.allows(trial) else math.inf

    def ranks(self, trial: TrialState) -> bool:
        """Return whether the trial may be the best: complete, feasible, and no replicate.

        Replicates tell how much a finalist's value owes to its seed.
        """
        complete = trial.state is Standing.COMPLETE and trial.source != "replicate"
        return complete and math.isfinite(self.cost(trial))


def measured(metric: str, best: Mapping[str, float], parameters: int) -> float | None:
    """Return a metric of the best epoch, or the parameter count; None where it is missing."""
    return (float(parameters) or None) if metric == "parameters" else best.get(metric)


def ranked(trials: Iterable[TrialState], goal: Goal) -> list[TrialState]:
    """Return the trials that rank (see `Goal.ranks`), best leading objective first."""
    found = (trial for trial in trials if goal.ranks(trial))
    return sorted(found, key=lambda trial: (goal.leading_cost(trial), trial.number))


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


def _value(trial: TrialState, objective: Objective) -> float | None:
    if trial.state is Standing.FAILED:
        return None
    return measured(objective.metric, trial.best, trial.parameters)
