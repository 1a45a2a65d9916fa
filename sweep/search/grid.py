"""Every point of a grid, once, in an order drawn from the sweep's seed."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sweep.config.sampling import SamplerEntry, SamplerSection
from sweep.errors import ConfigProblem
from sweep.search.independent import RandomSearch
from sweep.search.seeds import ask_seed

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from search_spaces.space import Space

MAX_GRID_POINTS = 1_000_000


class Grid:
    """A list of points.

    Args:
        axes: All values of every free dimension.
        seed: The sweep's.
    """

    startup = 0

    def __init__(self, axes: Mapping[str, list[Any]], seed: int) -> None:
        """List nothing yet."""
        self._axes = axes
        self._seed = seed

    @property
    def count(self) -> int:
        """The grid's points."""
        return math.prod(len(values) for values in self._axes.values())

    def listed(self, place: int) -> dict[str, Any]:
        """Return a point."""
        return self._points[place]

    def ask(self, seed: int) -> BaseSampler:
        """Return what draws nothing: a point has every free dimension."""
        return RandomSearch().ask(seed)

    @cached_property
    def _points(self) -> list[dict[str, Any]]:
        every = itertools.product(*self._axes.values())
        points = [dict(zip(self._axes, values, strict=True)) for values in every]
        random.Random(ask_seed(self._seed, 0, "grid")).shuffle(points)
        return points


def _build(section: SamplerSection, space: Space, seed: int) -> Grid:
    axes = space.grid()
    if not axes:
        raise ConfigProblem("sampler=grid needs at least one dimension that is not pinned.")
    grid = Grid(axes, seed)
    if grid.count > MAX_GRID_POINTS:
        raise ConfigProblem(
            f"a grid must have at most {MAX_GRID_POINTS:,} points, but this one has "
            f"{grid.count:,}; give coarser steps or fewer choices under space.parameters, or "
            "set search.sampler to qmc or random."
        )
    return grid


GRID = SamplerEntry(SamplerSection, _build)
