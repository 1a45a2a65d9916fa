"""The search: an in-memory Optuna study that is asked and told, and rebuilt from the log.

Each ask has a sampler of its own, seeded from (sweep seed, trial number): a study rebuilt after a
restart proposes exactly what the undisturbed one would have.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.trial import TrialState as OptunaState

from search_spaces.space import SearchSpace, Space
from sweep.errors import ConfigProblem
from sweep.state import Standing, SweepState, TrialState

Direction = Literal["minimize", "maximize"]
SamplerName = Literal["tpe", "gp", "random", "grid", "qmc"]

optuna.logging.set_verbosity(optuna.logging.WARNING)


@contextmanager
def _experimental() -> Iterator[None]:
    """Use a part of Optuna that it calls experimental, knowingly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


@dataclass(frozen=True)
class Constraint:
    """A metric of the best epoch, or `parameters`, that must lie within bounds."""

    metric: str
    minimum: float | None = None
    maximum: float | None = None

    def violation(self, value: float) -> float:
        """Return how far `value` lies outside; zero or less is feasible."""
        over = value - self.maximum if self.maximum is not None else float("-inf")
        under = self.minimum - value if self.minimum is not None else float("-inf")
        return max(over, under)


@dataclass(frozen=True)
class SearchRules:
    """How the search is run: sampler, seed, directions, constraints, known configurations."""

    sampler: SamplerName
    seed: int
    directions: tuple[Direction, ...]
    constraints: tuple[Constraint, ...] = ()
    enqueue: tuple[dict[str, Any], ...] = ()


def ask_seed(seed: int, number: int, purpose: str = "ask") -> int:
    """Return a 32-bit seed that depends on the sweep's seed, the trial's number and a purpose."""
    text = f"{purpose}:{seed}:{number}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big")


class _FlatTPE(TPESampler):
    """Multivariate TPE over a space that every trial shares.

    Optuna looks through all trials for what they have in common; a sampler made anew for each ask
    would do so from the beginning. We know the answer.
    """

    def __init__(self, space: dict[str, BaseDistribution], seed: int) -> None:
        super().__init__(seed=seed, multivariate=True)
        self._space = {name: d for name, d in space.items() if not d.single()}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: optuna.trial.FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._space


class Search:
    """Asks for configurations in order of trial number, and is told how they ended."""

    def __init__(self, space: Space, rules: SearchRules) -> None:
        """Start an empty study."""
        self._space = space
        self._rules = rules
        self._study = optuna.create_study(directions=list(rules.directions))
        self._live: dict[int, optuna.trial.Trial] = {}
        self._conditional = not isinstance(space, SearchSpace)
        self._points = _grid_points(space, rules) if rules.sampler == "grid" else None
        with _experimental():
            self._qmc = QMCSampler(scramble=True, seed=rules.seed)
        self._qmc_study = optuna.create_study()
        self._next = 0

    @property
    def limit(self) -> int | None:
        """How many trials the search can ask in all; None where there is no end."""
        return None if self._points is None else len(self._rules.enqueue) + len(self._points)

    def ask(self) -> tuple[dict[str, Any], str]:
        """Return the next trial's parameters and where they come from."""
        number = self._next
        self._next += 1
        fixed, source = self._fixed(number)
        return self._draw(number, self._sampler(number), fixed), source

    def tell(self, trial: TrialState) -> None:
        """Tell the study how a trial ended, as DESIGN's Pruning says (never FAIL for diverged)."""
        live = self._live.pop(trial.number, None)
        if live is None:
            return
        for name, value in self._violations(trial).items():
            live.set_constraint(name, value)
        if trial.state is Standing.COMPLETE:
            self._study.tell(live, list(trial.values))
        elif trial.state is Standing.FAILED and not trial.diverged:
            self._study.tell(live, state=OptunaState.FAIL)
        else:
            if len(self._rules.directions) == 1 and trial.values:
                live.report(trial.values[0], step=max(trial.epoch, 1))
            self._study.tell(live, state=OptunaState.PRUNED)

    def restore(self, trials: Iterable[TrialState]) -> None:
        """Ask again, without any sampling, what was asked before; trials come by number.

        None of them is told: the coordinator tells them in the order that its rules demand.
        """
        for trial in trials:
            if self._rules.sampler == "qmc" and trial.number >= len(self._rules.enqueue):
                self._fixed(trial.number)  # moves the Sobol sequence on
            self._draw(trial.number, RandomSampler(seed=0), dict(trial.params))
            self._next = trial.number + 1

    def warm(self, params: Mapping[str, Any], values: Sequence[float], state: str) -> None:
        """Add a trial of an earlier sweep, so that the sampler knows it.

        Raises:
            ValueError: the parameters do not fit this sweep's space.
        """
        distributions = self._space.distributions()
        drawn = {name: params[name] for name in distributions}
        complete = state == Standing.COMPLETE.value
        frozen = optuna.trial.create_trial(
            params=drawn,
            distributions=distributions,
            values=list(values) if complete else None,
            intermediate_values={} if complete or not values else {1: values[0]},
            state=OptunaState.COMPLETE if complete else OptunaState.PRUNED,
        )
        self._study.add_trial(frozen)

    def _draw(self, number: int, sampler: BaseSampler, fixed: dict[str, Any]) -> dict[str, Any]:
        """Let Optuna begin a trial; dimensions in `fixed` are not drawn."""
        self._study.sampler = sampler
        with _experimental():
            if fixed:
                self._study.enqueue_trial(fixed)
            trial = self._study.ask()
            params = self._space.suggest(trial)
        self._live[number] = trial
        return params

    def _fixed(self, number: int) -> tuple[dict[str, Any], str]:
        rules = self._rules
        if number < len(rules.enqueue):
            return dict(rules.enqueue[number]), "enqueued"
        if self._points is not None:
            return self._points[number - len(rules.enqueue)], "sampler"
        if rules.sampler == "qmc":
            trial = optuna.trial.create_trial(value=0.0)
            space = self._space.distributions()
            return self._qmc.sample_relative(self._qmc_study, trial, space), "sampler"
        return {}, "sampler"

    def _sampler(self, number: int) -> BaseSampler:
        seed = ask_seed(self._rules.seed, number)
        match self._rules.sampler:
            case "tpe":
                with _experimental():
                    if self._conditional:
                        return TPESampler(seed=seed, multivariate=True, group=True)
                    return _FlatTPE(self._space.distributions(), seed)
            case "gp":
                with _experimental():
                    return GPSampler(seed=seed)
            case _:
                return RandomSampler(seed=seed)

    def _violations(self, trial: TrialState) -> dict[str, float]:
        found = {}
        for constraint in self._rules.constraints:
            value = objective_value(trial.best, trial.parameters, constraint.metric)
            if value is not None:
                bounds = f"{constraint.metric}:{constraint.minimum}:{constraint.maximum}"
                found[bounds] = constraint.violation(value)
        return found


def objective_value(best: Mapping[str, float], parameters: int, metric: str) -> float | None:
    """Return a metric of the best epoch, or the parameter count; None where it is missing."""
    return float(parameters) if metric == "parameters" else best.get(metric)


def feasible(trial: TrialState, constraints: Sequence[Constraint]) -> bool:
    """Return whether an ended trial keeps every constraint."""
    values = ((c, objective_value(trial.best, trial.parameters, c.metric)) for c in constraints)
    return all(value is not None and c.violation(value) <= 0 for c, value in values)


def restore_search(
    space: Space, rules: SearchRules, state: SweepState, told: Iterable[int]
) -> Search:
    """Rebuild the search from the log: warm-start trials, all asks, then the trials of `told`."""
    search = Search(space, rules)
    for event in state.warmed:
        payload = event.payload
        search.warm(payload["params"], payload["values"], payload["state"])
    search.restore(state.trials[number] for number in sorted(state.trials))
    for number in told:
        search.tell(state.trials[number])
    return search


def _grid_points(space: Space, rules: SearchRules) -> list[dict[str, Any]]:
    """Return every point of the grid, in an order drawn from the sweep's seed."""
    import itertools
    import random

    axes = space.grid()
    if not axes:
        raise ConfigProblem("sampler=grid needs at least one dimension that is not pinned.")
    points = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    random.Random(ask_seed(rules.seed, 0, "grid")).shuffle(points)
    return points
