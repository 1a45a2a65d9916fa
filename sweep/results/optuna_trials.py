"""A sweep's trials as Optuna knows them: frozen trials with distributions, and importances."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, create_trial
from optuna.trial import TrialState as OptunaState

from search_spaces import build_space
from search_spaces.errors import SpaceError
from search_spaces.space import SearchSpace
from sweep.config.data_options import drawable
from sweep.history.goal import searched
from sweep.history.state import Standing, TrialState
from sweep.results.results import Results
from sweep.words.console import is_wide, same

optuna.logging.set_verbosity(optuna.logging.WARNING)

_STATES = {
    Standing.COMPLETE: OptunaState.COMPLETE,
    Standing.PRUNED: OptunaState.PRUNED,
    Standing.PAUSED: OptunaState.PRUNED,
    Standing.FAILED: OptunaState.FAIL,
    Standing.RUNNING: OptunaState.RUNNING,
    Standing.WAITING: OptunaState.WAITING,
}


def distributions(results: Results) -> dict[str, BaseDistribution]:
    """Return one distribution a parameter: the space's where it is flat, or else one that fits.

    A space that is a function is not run: it is the user's code, and may lie elsewhere by now.
    """
    known = _space_distributions(results)
    found = {}
    for name in dict.fromkeys(name for trial in results.trials for name in trial.params):
        values = [trial.params[name] for trial in results.trials if name in trial.params]
        distribution = known.get(name)
        if distribution is None or not all(_holds(distribution, value) for value in values):
            distribution = fitting_distribution(values)
        found[name] = distribution
    return found


def fitting_distribution(values: Sequence[Any]) -> BaseDistribution:
    """Return the narrowest distribution that holds all values."""
    if all(type(value) is int for value in values):
        return IntDistribution(min(values), max(values))
    if all(type(value) in (int, float) for value in values):
        low, high = float(min(values)), float(max(values))
        return FloatDistribution(low, high, log=is_wide(low, high))
    choices: list[Any] = []
    for value in map(_choice, values):
        if not any(same(value, choice) for choice in choices):
            choices.append(value)
    return CategoricalDistribution(choices)


def frozen_trial(
    results: Results,
    trial: TrialState,
    known: dict[str, BaseDistribution],
    intermediate_values: dict[int, float] | None = None,
    user_attrs: dict[str, Any] | None = None,
) -> FrozenTrial:
    """Return one trial as Optuna's own.

    Args:
        known: As `distributions` returns them.
        intermediate_values: The leading objective by epoch.
    """
    state = _STATES[trial.state]
    values = results.goal.values(trial)
    whole = all(value is not None for value in values)
    if state is OptunaState.COMPLETE and not whole:
        state = OptunaState.FAIL
    frozen = create_trial(
        state=OptunaState.COMPLETE if state is OptunaState.COMPLETE else OptunaState.FAIL,
        values=list(values) if state is OptunaState.COMPLETE else None,  # type: ignore[arg-type]
        params={name: _choice_of(known[name], value) for name, value in trial.params.items()},
        distributions={name: known[name] for name in trial.params},
        intermediate_values=intermediate_values,
        user_attrs=user_attrs,
    )
    frozen.state = state
    started = trial.started_at or trial.asked_at
    frozen.datetime_start = None if state is OptunaState.WAITING else _moment(started)
    frozen.datetime_complete = None
    if state.is_finished():  # clocks of several machines differ
        frozen.datetime_complete = _moment(max(started, trial.ended_at or started))
    return frozen


def importances(results: Results) -> dict[str, float]:
    """Return each varying parameter's share in the leading objective, by Optuna's PED-ANOVA.

    Only complete trials count; empty where there are too few of them, or they differ in nothing.
    """
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    complete = [t for t in searched(results.trials) if t.state is Standing.COMPLETE]
    complete = [t for t in complete if None not in results.goal.values(t)]
    known = distributions(results)
    index = results.goal.objectives.index(results.goal.leading)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental; zero variance
        study = optuna.create_study(directions=results.goal.directions)
        study.add_trials(frozen_trial(results, trial, known) for trial in complete)
        try:
            found = get_param_importances(
                study,
                evaluator=PedAnovaImportanceEvaluator(),
                target=(lambda trial: trial.values[index]) if len(study.directions) > 1 else None,
            )
        except (RuntimeError, ValueError):
            return {}
    return {name: float(share) for name, share in found.items() if share > 0}


def _space_distributions(results: Results) -> dict[str, BaseDistribution]:
    section = results.config.space
    if section.base is not None and ":" in section.base:
        return {}
    try:
        space = build_space(section.base, drawable(section.parameters))
    except SpaceError:  # a ready space has changed since
        return {}
    return space.distributions() if isinstance(space, SearchSpace) else {}


def _holds(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return any(same(choice, value) for choice in distribution.choices)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and bool(distribution._contains(distribution.to_internal_repr(value)))


def _choice(value: Any) -> Any:
    plain = value is None or isinstance(value, bool | int | float | str)
    return value if plain else repr(value)


def _choice_of(distribution: BaseDistribution, value: Any) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return _choice(value)
    return float(value) if isinstance(distribution, FloatDistribution) else value


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds)
