"""A conditional space: a function of the user's own, `path.py:function`, that asks the trial.

`function(trial) -> dict` may ask for a parameter only where another has a certain value. Such
parameters are known only once a trial has been asked, and TPE models jointly only those that
every trial has: prefer a flat space where one will do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import optuna
from optuna.distributions import BaseDistribution

from search_spaces.dimensions import Dimension
from search_spaces.errors import SpaceError, UnenumerableSpaceError
from search_spaces.overrides import dimension_from
from search_spaces.space import random_trial


@dataclass(frozen=True)
class FunctionSpace:
    """A space whose dimensions are whatever the function asks the trial for.

    `overrides` answer the function's own questions: a pinned or narrowed parameter is suggested
    from its override, so the function's branches follow. Overrides that the function never asks
    for are added to its answer.
    """

    name: str
    function: Callable[[Any], Mapping[str, Any]]
    overrides: Mapping[str, Dimension] = field(default_factory=lambda: MappingProxyType({}))

    def suggest(self, trial: optuna.trial.Trial) -> dict[str, Any]:
        """Return one configuration, by calling the function.

        Raises:
            SpaceError: the function did not return a mapping with names; what it raises itself is
                let through.
        """
        answer = self.function(_NarrowedTrial(trial, self.overrides))
        if not isinstance(answer, Mapping) or not all(isinstance(key, str) for key in answer):
            raise SpaceError(
                f"search space {self.name} must return a dict of parameters, but got {answer!r}."
            )
        added = {n: d.suggest(trial, n) for n, d in self.overrides.items() if n not in answer}
        return {**answer, **added}

    def narrowed(self, overrides: Mapping[str, Any]) -> FunctionSpace:
        """Return this space with overrides for parameters that the function asks for, or more.

        Raises:
            DimensionError: an override breaks a law.
        """
        changed = {
            name: dimension_from(name, written, self.overrides.get(name))
            for name, written in overrides.items()
        }
        return FunctionSpace(self.name, self.function, {**self.overrides, **changed})

    def size(self) -> float:
        """`math.inf`: nobody knows what a function asks for."""
        return math.inf

    def grid(self) -> dict[str, list[Any]]:
        """No grid.

        Raises:
            UnenumerableSpaceError: always.
        """
        raise UnenumerableSpaceError(
            f"a grid needs dimensions known beforehand, but search space {self.name} is a "
            "function; choose another sampler or write the dimensions under space.parameters."
        )

    def sample(self, seed: int) -> dict[str, Any]:
        """Return one configuration drawn at random (an example for people)."""
        return self.suggest(random_trial(seed))

    def distributions(self) -> dict[str, BaseDistribution]:
        """Empty: what a trial was asked is known only after `suggest`."""
        return {}

    def validate_point(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration; the function itself can't be asked what it would take."""
        return dict(params)


class _NarrowedTrial:
    """A trial that answers overridden parameters from their override, everything else itself."""

    def __init__(self, trial: optuna.trial.Trial, overrides: Mapping[str, Dimension]) -> None:
        self._trial = trial
        self._overrides = overrides

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._trial, attribute)

    def _ask(self, method: str, name: str, *args: Any, **kwargs: Any) -> Any:
        if name in self._overrides:
            return self._overrides[name].suggest(self._trial, name)
        return getattr(self._trial, method)(name, *args, **kwargs)

    def suggest_float(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask("suggest_float", name, *args, **kwargs)

    def suggest_int(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask("suggest_int", name, *args, **kwargs)

    def suggest_categorical(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._ask("suggest_categorical", name, *args, **kwargs)
