"""How far a forecast goes, whether paths are drawn, and how both are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainers.data.contract import Array
from trainers.errors import DataError
from trainers.use.records import FORECAST

_OTHERS = ("paths", "quantiles", "seed", "whole_paths")
_MEDIAN = 0.5


@dataclass(frozen=True)
class Horizon:
    """How far to forecast, and how.

    Attributes:
        steps: Coming steps.
        paths: Paths to draw from the distributions that the network gives; None: its forecast.
        quantiles: Levels that are told of the paths.
        seed: Of the draws.
        whole_paths: Whether the paths themselves are told too.

    Raises:
        DataError: a value breaks its law.
    """

    steps: int
    paths: int | None = None
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)
    seed: int = 0
    whole_paths: bool = False

    def __post_init__(self) -> None:
        check_whole("steps", self.steps, 1)
        check_whole("seed", self.seed, 0)
        if self.paths is not None:
            check_whole("paths", self.paths, 1)
        levels = self.quantiles
        numbers = all(isinstance(one, float | int) and 0 < one < 1 for one in levels)
        if not levels or not numbers or sorted({*levels}) != [*levels]:
            raise DataError(
                "`0 < level < 1` must hold for `quantiles`, in ascending order, but got "
                f"{', '.join(map(str, levels)) or 'none'}."
            )

    @classmethod
    def of_record(cls, record: Mapping[str, Any], where: str) -> Horizon:
        """Take it from the fields of a record: `forecast` is the number of steps.

        Raises:
            DataError: a value breaks its law; `where` says whose.
        """
        given = {name: record[name] for name in _OTHERS if record.get(name) is not None}
        levels = given.get("quantiles", ())
        try:
            if not isinstance(levels, list | tuple):
                raise DataError(f"`quantiles` must be a list, but got {levels!r}.")
            if levels:
                given["quantiles"] = tuple(levels)
            return cls(record[FORECAST], **given)
        except DataError as error:
            raise DataError(f"{where}: {error}") from error

    def fields(self) -> dict[str, Any]:
        """Return the fields of a record that ask for it."""
        return {FORECAST: self.steps, **{name: getattr(self, name) for name in _OTHERS}}


def check_whole(name: str, value: object, least: int) -> None:
    """Check a whole number.

    Raises:
        DataError: it is none, or too small.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise DataError(f"`{name} >= {least}` must hold for a whole number, but got {value!r}.")


def told(values: Array, names: Sequence[str], horizon: Horizon) -> dict[str, list[Any]]:
    """Say forecasts `(paths, steps, targets)` by name, a list with one a step each.

    Of paths that is their median, their quantiles as `load_q0.05`, and perhaps all of them.
    """
    answer: dict[str, list[Any]] = {}
    for place, name in enumerate(names):
        paths = values[..., place]
        if horizon.paths is None:
            answer[name] = paths[0].tolist()
            continue
        answer[name] = np.quantile(paths, _MEDIAN, axis=0).tolist()
        for level in horizon.quantiles:
            answer[f"{name}_q{float(level)}"] = np.quantile(paths, level, axis=0).tolist()
        if horizon.whole_paths:
            answer[f"{name}_paths"] = paths.T.tolist()
    return answer
