"""One dimension of a search space: a range, a set of choices, or a pinned value.

Every dimension suggests itself to an Optuna trial, tells how many values it has and whether a
given value is one of them. `Fixed` is never suggested, so samplers don't see it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias, TypeGuard

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from search_spaces.errors import DimensionError

Value: TypeAlias = bool | int | float | str | None
STEP_TOLERANCE = 1e-8


@dataclass(frozen=True)
class Float:
    """A real number in `[low, high]`, uniform in its logarithm if `log`, else on steps if given."""

    low: float
    high: float
    log: bool = False
    step: float | None = None

    def __post_init__(self) -> None:
        _check_range(self.low, self.high, self.log, self.step)

    @property
    def last(self) -> float:
        """The highest value that the steps reach; `high` without a step."""
        if self.step is None:
            return self.high
        low, high, step = (Decimal(str(n)) for n in (self.low, self.high, self.step))
        return float(high - (high - low) % step)

    def suggest(self, trial: optuna.trial.Trial, name: str) -> Value:
        """Ask the trial for a value under this name."""
        return trial.suggest_float(name, self.low, self.last, log=self.log, step=self.step)

    def distribution(self) -> BaseDistribution:
        """Optuna's description of this dimension."""
        return FloatDistribution(self.low, self.last, log=self.log, step=self.step)

    def contains(self, value: object) -> bool:
        """Whether the value is one that `suggest` could return."""
        if not _is_number(value) or not self.low <= value <= self.high:
            return False
        if self.step is None:
            return True
        steps = (value - self.low) / self.step
        return abs(steps - round(steps)) < STEP_TOLERANCE

    def values(self) -> list[Value] | None:
        """All values in order, or None when there is no end of them."""
        if self.step is None:
            return [self.low] if self.low == self.high else None
        # In decimals, as they were written: 3 steps of 0.3 are 0.9, not 0.8999….
        low, last, step = (Decimal(str(n)) for n in (self.low, self.last, self.step))
        return [float(low + k * step) for k in range(int((last - low) / step) + 1)]


@dataclass(frozen=True)
class Int:
    """A whole number in `[low, high]`, uniform in its logarithm if `log`, else in steps."""

    low: int
    high: int
    log: bool = False
    step: int = 1

    def __post_init__(self) -> None:
        for name in ("low", "high", "step"):
            if not _is_int(getattr(self, name)):
                raise DimensionError(
                    f"a whole-number range needs whole numbers, but got {name}="
                    f"{getattr(self, name)!r}."
                )
        _check_range(self.low, self.high, self.log, None if self.step == 1 else self.step)

    @property
    def last(self) -> int:
        """The highest value that the steps reach."""
        return self.high - (self.high - self.low) % self.step

    def suggest(self, trial: optuna.trial.Trial, name: str) -> Value:
        """Ask the trial for a value under this name."""
        return trial.suggest_int(name, self.low, self.last, log=self.log, step=self.step)

    def distribution(self) -> BaseDistribution:
        """Optuna's description of this dimension."""
        return IntDistribution(self.low, self.last, log=self.log, step=self.step)

    def contains(self, value: object) -> bool:
        """Whether the value is one that `suggest` could return."""
        if not _is_number(value) or value != int(value):
            return False
        return self.low <= value <= self.high and (value - self.low) % self.step == 0

    def values(self) -> list[Value] | None:
        """All values in order."""
        return list(range(self.low, self.high + 1, self.step))


@dataclass(frozen=True)
class Categorical:
    """One of several values; `None` (YAML's null) may be among them."""

    choices: tuple[Value, ...]

    def __post_init__(self) -> None:
        if not self.choices:
            raise DimensionError("a list of choices needs at least one value, but got [].")
        for choice in self.choices:
            if not isinstance(choice, bool | int | float | str | None):
                raise DimensionError(
                    f"a choice must be a number, a text, true, false or null, but got {choice!r}."
                )
        keys = [(type(choice), choice) for choice in self.choices]
        if len(set(keys)) < len(keys):
            raise DimensionError(f"choices must differ, but got {list(self.choices)}.")

    def suggest(self, trial: optuna.trial.Trial, name: str) -> Value:
        """Ask the trial for a value under this name."""
        return trial.suggest_categorical(name, self.choices)

    def distribution(self) -> BaseDistribution:
        """Optuna's description of this dimension."""
        return CategoricalDistribution(self.choices)

    def contains(self, value: object) -> bool:
        """Whether the value is one of the choices (true is not 1)."""
        same_kind = [c for c in self.choices if isinstance(c, bool) == isinstance(value, bool)]
        return any(value == choice for choice in same_kind)

    def values(self) -> list[Value] | None:
        """All choices, as given."""
        return list(self.choices)


@dataclass(frozen=True)
class Fixed:
    """A pinned value: every trial has it, no sampler sees it."""

    value: Value

    def suggest(self, trial: optuna.trial.Trial, name: str) -> Value:
        """Return the value; the trial isn't asked."""
        del trial, name
        return self.value

    def distribution(self) -> BaseDistribution | None:
        """None: Optuna is told nothing of a pinned dimension."""
        return None

    def contains(self, value: object) -> bool:
        """Whether the value is the pinned one."""
        return Categorical((self.value,)).contains(value)

    def values(self) -> list[Value] | None:
        """The one value."""
        return [self.value]


Dimension: TypeAlias = Float | Int | Categorical | Fixed


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_range(low: object, high: object, log: bool, step: float | None) -> None:
    if not _is_number(low) or not _is_number(high):
        raise DimensionError(f"a range needs finite numbers, but got (low={low!r}, high={high!r}).")
    if low > high:
        raise DimensionError(f"`low <= high` must hold, but got (low={low}, high={high}).")
    if not isinstance(log, bool):
        raise DimensionError(f"`log` must be true or false, but got {log!r}.")
    if log and low <= 0:
        raise DimensionError(f"`low > 0` must hold with log=true, but got low={low}.")
    if step is not None and (not _is_number(step) or step <= 0):
        raise DimensionError(f"`step > 0` must hold, but got step={step!r}.")
    if log and step is not None:
        raise DimensionError(
            f"log=true and a step exclude each other, but got step={step}; leave one of them out."
        )
