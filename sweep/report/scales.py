"""Where a value lies on an axis: from what trials hold to positions in [0, 1], and ticks. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from sweep.words.console import is_wide, same, setting

_OUTLIER_SPANS = 1.5
_WORSE_SHARE, _WORSE_SPANS = 1 / 3, 0.5
_MARGIN = 0.03


class Tick(NamedTuple):
    """A label at a position in [0, 1]."""

    at: float
    text: str


@dataclass(frozen=True)
class NumberScale:
    """Numbers from `low` to `high`, on a linear or a logarithmic axis."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def at(self, value: Any) -> float:
        """Return the position, cut at both ends; one value alone lies in the middle."""
        if not self.low < self.high:
            return 0.5
        low, high, number = (self._along(v) for v in (self.low, self.high, float(value)))
        return min(max((number - low) / (high - low), 0.0), 1.0)

    @property
    def values(self) -> list[float]:
        """Return about five round numbers on the axis."""
        if not self.low < self.high:
            return [self.low]
        values = _decades(self.low, self.high) if self.log else []
        return values if len(values) > 1 else _round_steps(self.low, self.high, self.whole)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Return a label for each of `values`."""
        return tuple(
            Tick(self.at(value), f"{value:.5g}".replace("e-0", "e-")) for value in self.values
        )

    def _along(self, value: float) -> float:
        return math.log(max(value, self.low)) if self.log else value


@dataclass(frozen=True)
class ChoiceScale:
    """Choices side by side, in the order given."""

    choices: tuple[Any, ...]

    def at(self, value: Any) -> float:
        """Return the middle of the choice's share of the axis."""
        place = next(i for i, choice in enumerate(self.choices) if same(choice, value))
        return (place + 0.5) / len(self.choices)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """Return every choice as YAML has it."""
        return tuple(Tick(self.at(choice), setting(choice)) for choice in self.choices)


Scale = NumberScale | ChoiceScale


def parameter_scale(values: Sequence[Any], distribution: BaseDistribution | None = None) -> Scale:
    """Return the axis of a parameter: as its distribution says, or else as its values look."""
    if isinstance(distribution, FloatDistribution | IntDistribution):
        whole = isinstance(distribution, IntDistribution)
        low, high = min((distribution.low, *values)), max((distribution.high, *values))
        return NumberScale(low, high, distribution.log and low > 0, whole)
    known = distribution.choices if isinstance(distribution, CategoricalDistribution) else ()
    if not known and values and all(map(_is_number, values)):
        low, high = min(values), max(values)
        return NumberScale(low, high, is_wide(low, high), all(isinstance(v, int) for v in values))
    choices: list[Any] = []
    for value in (*known, *values):
        if not any(same(value, choice) for choice in choices):
            choices.append(value)
    return ChoiceScale(tuple(choices))


def value_scale(
    values: Iterable[float], direction: str | None = None, *, whole_range: bool = False
) -> NumberScale:
    """Return the axis of a metric; values far outside the bulk are cut, so that the rest is seen.

    Args:
        direction: minimize or maximize: the better two thirds of the values are the bulk, and
            none of the good ones is cut; None spreads the middle of the values.
        whole_range: Cut nothing.
    """
    known = sorted(value for value in values if math.isfinite(value))
    if not known:
        return NumberScale(0.0, 1.0)
    low, high = (known[0], known[-1]) if whole_range else _reach(known, direction)
    if not low < high:
        low, high = known[0], known[-1]
    if is_wide(low, high):
        return NumberScale(low * (low / high) ** _MARGIN, high * (high / low) ** _MARGIN, log=True)
    margin = _MARGIN * (high - low)
    return NumberScale(low - margin, high + margin)


def _reach(known: Sequence[float], direction: str | None) -> tuple[float, float]:
    lowest, highest = known[0], known[-1]
    match direction:
        case "minimize":
            bulk = _quantile(known, 1 - _WORSE_SHARE)
            return lowest, min(highest, bulk + _WORSE_SPANS * (bulk - lowest))
        case "maximize":
            bulk = _quantile(known, _WORSE_SHARE)
            return max(lowest, bulk - _WORSE_SPANS * (highest - bulk)), highest
    tenth, ninetieth = _quantile(known, 0.1), _quantile(known, 0.9)
    reach = _OUTLIER_SPANS * (ninetieth - tenth)
    return max(lowest, tenth - reach), min(highest, ninetieth + reach)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _quantile(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _round_steps(low: float, high: float, whole: bool) -> list[float]:
    """Return the multiples of 1, 2 or 5 times a power of ten: the fewest that are at least four."""
    power = math.floor(math.log10(high - low))
    steps = [factor * 10.0**p for p in (power, power - 1) for factor in (5, 2, 1)]
    if whole:
        steps = [step for step in steps if step >= 1] or [1.0]
    for step in steps:
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first >= 3:
            break
    return [0.0 if index == 0 else round(index * step, 12) for index in range(first, last + 1)]


def _decades(low: float, high: float) -> list[float]:
    """Return 1, 2, 5 of each decade, or the decades alone where that is too many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        values = [f * 10.0**p for p in powers for f in factors]
        values = [v for v in values if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
        if len(values) <= 6:
            return values
    return values[:: math.ceil(len(values) / 6)]
