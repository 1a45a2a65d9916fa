"""The search: an in-memory Optuna study that is asked and told, and rebuilt from the log.

Each ask has a sampler of its own, seeded from (sweep seed, trial number): a study rebuilt after a
restart proposes exactly what the undisturbed one would have.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.trial import TrialState as OptunaState

from search_spaces.space import SearchSpace, Space
from sweep.errors import ConfigProblem
from sweep.history.goal import Goal
from sweep.history.state import Standing, SweepState, TrialState
from sweep.search.pinned_sampler import PinnedSampler

Told = tuple[TrialState, bool]
"""A trial, and whether it was told of before (see `Search.tell`)."""
FREE_STARTUP = 10
"""Free asks that are drawn at random when trials come in packs: otherwise the first pack alone
would end the sampler's startup, and nothing would be known of any other structure."""
SamplerName = Literal["tpe", "gp", "random", "grid", "qmc"]

optuna.logging.set_verbosity(optuna.logging.WARNING)


@contextmanager
def _experimental() -> Iterator[None]:
    """Use a part of Optuna that it calls experimental, knowingly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


@dataclass(frozen=True)
class SearchRules:
    """How the search is run: sampler, seed, goal, known configurations.

    Attributes:
        packs: Whether trials are asked in packs: a free ask fixes the structure of those after it.
    """

    sampler: SamplerName
    seed: int
    goal: Goal
    enqueue: tuple[dict[str, Any], ...] = ()
    packs: bool = False


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
    """Asks for configurations in order, and is told how their trials ended.

    Trials are known to it by their index: their place among those it was asked for.
    """

    def __init__(self, space: Space, rules: SearchRules) -> None:
        """Start an empty study."""
        self._space = space
        self._rules = rules
        self._study = optuna.create_study(directions=rules.goal.directions)
        self._live: dict[int, optuna.trial.Trial] = {}
        self._conditional = not isinstance(space, SearchSpace)
        self._points = _grid_points(space, rules) if rules.sampler == "grid" else None
        with _experimental():
            self._qmc = QMCSampler(scramble=True, seed=rules.seed)
        self._qmc_study = optuna.create_study()
        self._next = 0
        self._free_asks = 0

    def ask(self, pin: Mapping[str, Any] | None = None) -> tuple[dict[str, Any], str]:
        """Return the next trial's parameters and where they come from.

        Args:
            pin: The structure that the trial shall have; None for a free ask.
        """
        index = self._next
        self._next += 1
        fixed, source = self._fixed(index)
        if fixed:
            return self._draw(index, RandomSampler(seed=0), fixed), source
        if pin:
            sampler = PinnedSampler(self._sampler(index), pin)
            return self._draw(index, sampler, dict(pin)), source
        self._free_asks += 1
        early = self._rules.packs and self._free_asks <= FREE_STARTUP
        return self._draw(index, self._sampler(index, startup=early), {}), source

    def tell(self, trial: TrialState, again: bool = False) -> None:
        """Tell the study how a trial ended, as DESIGN's Pruning says (never FAIL for diverged).

        Args:
            again: The trial was paused and told so, then promoted, and is complete now.
        """
        if again:
            self._add(trial.params, trial.values, self._violations(trial.best, trial))
            return
        live = self._live.pop(trial.index, None)
        if live is None:
            return
        pause = trial.first_pause
        best, values = (pause.best, pause.values) if pause else (trial.best, trial.values)
        for name, value in self._violations(best, trial).items():
            live.set_constraint(name, value)
        if pause is None and trial.state is Standing.COMPLETE:
            self._study.tell(live, list(values))
        elif pause is None and trial.state is Standing.FAILED and not trial.diverged:
            self._study.tell(live, state=OptunaState.FAIL)
        else:
            if len(self._rules.goal.objectives) == 1 and values:
                live.report(values[0], step=max(pause.epoch if pause else trial.epoch, 1))
            self._study.tell(live, state=OptunaState.PRUNED)

    def restore(self, trial: TrialState) -> None:
        """Ask again, without any sampling, what was asked before; trials come by index."""
        if self._rules.sampler == "qmc" and trial.index >= len(self._rules.enqueue):
            self._fixed(trial.index)  # moves the Sobol sequence on
        self._draw(trial.index, RandomSampler(seed=0), dict(trial.params))
        self._next = trial.index + 1
        self._free_asks += trial.lead == trial.number and trial.source == "sampler"

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

    def _add(
        self, params: Mapping[str, Any], values: Sequence[float], violations: Mapping[str, float]
    ) -> None:
        """Add a complete trial to what was told of it before."""
        with _experimental():
            self._study.enqueue_trial(dict(params))
            self._study.sampler = RandomSampler(seed=0)
            trial = self._study.ask()
            self._space.suggest(trial)
        for name, value in violations.items():
            trial.set_constraint(name, value)
        self._study.tell(trial, list(values))

    def _draw(self, index: int, sampler: BaseSampler, fixed: dict[str, Any]) -> dict[str, Any]:
        """Let Optuna begin a trial; dimensions in `fixed` are not drawn."""
        self._study.sampler = sampler
        with _experimental():
            if fixed:
                self._study.enqueue_trial(fixed)
            trial = self._study.ask()
            params = self._space.suggest(trial)
        self._live[index] = trial
        return params

    def _fixed(self, index: int) -> tuple[dict[str, Any], str]:
        rules = self._rules
        if index < len(rules.enqueue):
            return dict(rules.enqueue[index]), "enqueued"
        if self._points is not None:
            return self._points[index - len(rules.enqueue)], "sampler"
        if rules.sampler == "qmc":
            trial = optuna.trial.create_trial(value=0.0)
            space = self._space.distributions()
            return self._qmc.sample_relative(self._qmc_study, trial, space), "sampler"
        return {}, "sampler"

    def _sampler(self, index: int, startup: bool = False) -> BaseSampler:
        seed = ask_seed(self._rules.seed, index)
        match "random" if startup else self._rules.sampler:
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

    def _violations(self, best: Mapping[str, float], trial: TrialState) -> dict[str, float]:
        found = self._rules.goal.violations(best, trial.parameters)
        return {f"{c.metric}:{c.min}:{c.max}": v for c, v in found if math.isfinite(v)}


def search_limit(space: Space, rules: SearchRules) -> int | None:
    """Return how many trials the search can be asked for in all; None where there is no end."""
    if rules.sampler != "grid":
        return None
    return len(rules.enqueue) + math.prod(len(values) for values in space.grid().values())


def restore_search(
    space: Space, rules: SearchRules, state: SweepState, before: Callable[[int], Iterable[Told]]
) -> Search:
    """Rebuild the search from the log: warm-start trials, then all asks and what they knew.

    Args:
        before: Returns what was told before the ask of this index, and not before an earlier one.
    """
    search = Search(space, rules)
    for warmed in state.warmed:
        search.warm(warmed.params, warmed.values, warmed.state)
    asked = (trial for _, trial in sorted(state.trials.items()) if trial.of is None)
    for trial in asked:
        for told, again in before(trial.index):
            search.tell(told, again)
        search.restore(trial)
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
