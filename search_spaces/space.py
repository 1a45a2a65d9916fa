"""A search space: named dimensions that a trial's parameters are suggested from.

Spaces are flat by preference: TPE models jointly only parameters that every trial has. For
conditional parameters see `search_spaces.function`.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

import optuna
from optuna.distributions import BaseDistribution

from search_spaces.dimensions import Categorical, Dimension, Fixed, Float, Int, Value
from search_spaces.errors import SpaceError, UnenumerableSpaceError
from search_spaces.overrides import dimension_from


class Space(Protocol):
    """What the sweep needs of a search space."""

    @property
    def name(self) -> str:
        """Name shown to people."""
        ...

    def suggest(self, trial: optuna.trial.Trial) -> dict[str, Any]:
        """Return one configuration, pinned parameters included."""
        ...

    def narrowed(self, overrides: Mapping[str, Any]) -> Space:
        """Return the space with dimensions narrowed, pinned, replaced or added."""
        ...

    def size(self) -> float:
        """Number of configurations; `math.inf` when there is no end of them."""
        ...

    def grid(self) -> dict[str, list[Any]]:
        """All values of every free dimension, as Optuna's GridSampler takes them."""
        ...

    def sample(self, seed: int) -> dict[str, Any]:
        """Return one configuration drawn at random, the same for the same seed."""
        ...

    def distributions(self) -> dict[str, BaseDistribution]:
        """Distributions that are known before any trial; empty for conditional spaces."""
        ...

    def validate_point(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Check a known configuration and return it as it will be enqueued."""
        ...


@dataclass(frozen=True)
class SearchSpace:
    """A flat space: every trial has every dimension.

    Raises:
        SpaceError: there is no dimension at all.
    """

    name: str
    dimensions: Mapping[str, Dimension]

    def __post_init__(self) -> None:
        if not self.dimensions:
            raise SpaceError(
                f"search space {self.name!r} is empty: it needs at least one parameter; name one "
                "under space.parameters, or choose space.base (see `rnn-sweep spaces`)."
            )
        object.__setattr__(self, "dimensions", MappingProxyType(dict(self.dimensions)))

    def suggest(self, trial: optuna.trial.Trial) -> dict[str, Any]:
        """Return one configuration; pinned dimensions are in it, but the trial isn't asked."""
        return {name: dim.suggest(trial, name) for name, dim in self.dimensions.items()}

    def narrowed(self, overrides: Mapping[str, Any]) -> SearchSpace:
        """Return this space with some dimensions replaced or added.

        Args:
            overrides: By name: a scalar pins, a list gives the choices, `{low, high, log, step}`
                gives a range (keys left out are taken from the range that stood there).

        Raises:
            DimensionError: an override breaks a law.
        """
        changed = {
            name: dimension_from(name, written, self.dimensions.get(name))
            for name, written in overrides.items()
        }
        return SearchSpace(self.name, {**self.dimensions, **changed})

    def size(self) -> float:
        """Number of configurations: an int, or `math.inf` with a continuous dimension."""
        counts = [dim.values() for dim in self.dimensions.values()]
        if any(values is None for values in counts):
            return math.inf
        return math.prod(len(values) for values in counts if values is not None)

    def grid(self) -> dict[str, list[Value]]:
        """All values of every free dimension, for Optuna's GridSampler.

        Raises:
            UnenumerableSpaceError: a free dimension is continuous.
        """
        grid: dict[str, list[Value]] = {}
        for name, dim in self._free().items():
            values = dim.values()
            if values is None:
                raise UnenumerableSpaceError(
                    f"a grid needs a finite number of values, but parameter {name!r} is continuous "
                    f"({_show(dim)}); give it a step or a list of values under space.parameters."
                )
            grid[name] = values
        return grid

    def sample(self, seed: int) -> dict[str, Any]:
        """Return one configuration drawn at random (an example for people)."""
        return self.suggest(random_trial(seed))

    def distributions(self) -> dict[str, BaseDistribution]:
        """Optuna's distributions of the free dimensions, to rebuild trials from a log."""
        known = {name: dim.distribution() for name, dim in self.dimensions.items()}
        return {name: dist for name, dist in known.items() if dist is not None}

    def validate_point(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Check a known configuration, which may leave parameters to the sampler.

        Returns:
            The free parameters' values, as Optuna's `enqueue_trial` takes them; pinned ones,
            which have to agree, are left out.

        Raises:
            SpaceError: a name isn't in the space, or a value lies outside its dimension.
        """
        for name, value in params.items():
            if name not in self.dimensions:
                raise SpaceError(_unknown(name, self))
            dim = self.dimensions[name]
            if not dim.contains(value):
                raise SpaceError(
                    f"parameter {name!r} must be {_show(dim)}, but got {value!r}; widen it under "
                    "space.parameters or change the configuration."
                )
        free = self._free()
        return {name: _exact(free[name], value) for name, value in params.items() if name in free}

    def _free(self) -> dict[str, Dimension]:
        return {n: dim for n, dim in self.dimensions.items() if not isinstance(dim, Fixed)}


def random_trial(seed: int) -> optuna.trial.Trial:
    """Return a trial of a throw-away study that draws its parameters at random."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    finally:
        optuna.logging.set_verbosity(verbosity)
    return study.ask()


def _exact(dim: Dimension, value: Any) -> Any:
    """The value in the dimension's own type: a float for a Float, the choice for a choice."""
    if isinstance(dim, Float):
        return float(value)
    values = dim.values() or []
    return next(choice for choice in values if Fixed(choice).contains(value))


def _show(dim: Dimension) -> str:
    if isinstance(dim, Fixed):
        return f"{dim.value!r} (pinned)"
    if isinstance(dim, Categorical):
        return f"one of {list(dim.choices)}"
    kind = "a number" if isinstance(dim, Float) else "a whole number"
    stepped = dim.step is not None and not (isinstance(dim, Int) and dim.step == 1)
    scale = ", log" if dim.log else f", step {dim.step}" if stepped else ""
    return f"{kind} in [{dim.low}, {dim.high}]{scale}"


def _unknown(name: str, space: SearchSpace) -> str:
    near = difflib.get_close_matches(name, space.dimensions, n=1, cutoff=0.5)
    hint = f" did you mean {near[0]!r}?" if near else ""
    return (
        f"search space {space.name!r} has no parameter {name!r};{hint} its parameters are: "
        f"{', '.join(space.dimensions)}."
    )
