"""The search: an in-memory Optuna study that is asked and told, and rebuilt from the log.

What is asked next is a sampler's affair (`sweep.search.sampler`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import TrialState as OptunaState

from search_spaces.space import Space
from sweep.config.sampling import SamplerSection
from sweep.history.goal import Goal
from sweep.history.state import Standing, SweepState, TrialState
from sweep.search.experimental import experimental
from sweep.search.pinned_sampler import PinnedSampler
from sweep.search.sampler import sampler_of
from sweep.search.seeds import ask_seed

Told = tuple[TrialState, bool]
"""A trial, and whether it was told before (see `Search.tell`)."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass(frozen=True)
class SearchRules:
    """How the search is run: sampler, seed, goal, known configurations.

    Attributes:
        packs: Whether trials are asked in packs: a free ask fixes the structure of those after it.
    """

    sampler: SamplerSection
    seed: int
    goal: Goal
    enqueue: tuple[dict[str, Any], ...] = ()
    packs: bool = False


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
        self._sampler = sampler_of(rules.sampler, space, rules.seed)
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
        seed = ask_seed(self._rules.seed, index)
        if pin:
            sampler = PinnedSampler(self._sampler.ask(seed), pin)
            return self._draw(index, sampler, dict(pin)), source
        self._free_asks += 1
        early = self._rules.packs and self._free_asks <= self._sampler.startup
        drawn = RandomSampler(seed=seed) if early else self._sampler.ask(seed)
        return self._draw(index, drawn, {}), source

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
        self._fixed(trial.index)  # a sequence moves on
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
        """Add a complete trial to what was told about it before."""
        with experimental():
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
        with experimental():
            if fixed:
                self._study.enqueue_trial(fixed)
            trial = self._study.ask()
            params = self._space.suggest(trial)
        self._live[index] = trial
        return params

    def _fixed(self, index: int) -> tuple[dict[str, Any], str]:
        known = self._rules.enqueue
        if index < len(known):
            return dict(known[index]), "enqueued"
        return self._sampler.listed(index - len(known)), "sampler"

    def _violations(self, best: Mapping[str, float], trial: TrialState) -> dict[str, float]:
        found = self._rules.goal.violations(best, trial.parameters)
        return {f"{c.metric}:{c.min}:{c.max}": v for c, v in found if math.isfinite(v)}


def search_limit(space: Space, rules: SearchRules) -> int | None:
    """Return how many trials the search can be asked for in all; None where there is no end."""
    count = sampler_of(rules.sampler, space, rules.seed).count
    return None if count is None else len(rules.enqueue) + count


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
