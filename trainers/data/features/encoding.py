"""Features scaled and put side by side: what windows are cut from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from trainers.data.contract import Array
from trainers.data.features.recipe import Feature, InputColumn, Recipe
from trainers.data.features.rows import Rows
from trainers.data.features.scales import UNSCALED, Fit, Scale
from trainers.errors import DataError

_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Encoding:
    """A recipe and how each of its features is scaled; plain values."""

    recipe: Recipe
    scales: tuple[Scale, ...]
    fit: Fit

    @property
    def is_plain(self) -> bool:
        """Whether numbers need scaling only, and all series alike: one feature a column."""
        columns = (*self.recipe.columns, *self.recipe.known)
        numbers = all(column.values is None and column.filling is None for column in columns)
        return numbers and all(s.each is None for s in self.scales) and not self.recipe.needs_times


@dataclass(frozen=True)
class Fitted:
    """An encoding, and what it makes of the rows it was fitted to.

    Attributes:
        names: One a feature.
        categories: By the feature's place: the column whose id it is.
    """

    encoding: Encoding
    names: tuple[str, ...]
    categories: dict[int, InputColumn]


@dataclass(frozen=True)
class Encoded:
    """Inputs of all rows.

    Attributes:
        values: `(rows, features)` float32, scaled; 0 where missing.
        present: `(rows,)` bool, rows that miss nothing of their own.
        known: `(rows,)` bool, rows whose columns known ahead are known.
    """

    values: Array
    present: Array
    known: Array


def fit_encoding(
    recipe: Recipe, rows: Rows, train: Array, fit: Fit, static: Collection[str]
) -> Fitted:
    """Fit the scales of a recipe's features.

    Args:
        recipe: What is made of which columns.
        rows: All rows.
        train: `(rows,)` bool, training rows.
        fit: How to scale.
        static: Columns that are constant in a series, scaled over all.

    Raises:
        DataError: every training row misses something.
    """
    own = _complete(recipe, rows, train, ahead=False)
    known = _complete(recipe, rows, train, ahead=True) if recipe.known else own
    scales, names, categories = [], [], {}
    for place, feature in enumerate(recipe.features(rows)):
        names.append(feature.name)
        column = feature.column
        if column is not None and column.embedded:
            categories[place] = column
        scale = UNSCALED
        if feature.number is not None:
            shared = column is not None and column.name in static
            complete = known if _is_known(feature, recipe) else own
            scale = fit.of(feature.number, rows, complete, shared=shared)
        scales.append(scale)
    return Fitted(Encoding(recipe, tuple(scales), fit), tuple(names), categories)


def encode(encoding: Encoding, rows: Rows, *, consume: bool = False) -> Encoded:
    """Make the features of rows and scale them; `consume` as `Recipe.features` has it.

    Raises:
        DataError: a column is missing, or holds what it must not.
    """
    count, recipe = len(rows.frame), encoding.recipe
    values = np.empty((count, len(encoding.scales)), dtype=np.float32)
    present = np.ones(count, dtype=np.bool_)
    known = np.ones(count, dtype=np.bool_)
    for place, feature in enumerate(recipe.features(rows, consume=consume)):
        there = ~np.isnan(feature.values)
        (known if _is_known(feature, recipe) else present)[~there] = False
        own = feature.values if feature.number is None else feature.number
        by = encoding.scales[place].of_rows(own, rows, encoding.fit)
        for start in range(0, count, _ROWS_AT_ONCE):
            some = slice(start, start + _ROWS_AT_ONCE)
            scale, shift = (one[some] if isinstance(one, np.ndarray) else one for one in by)
            scaled = (feature.values[some] - shift) / scale
            values[some, place] = np.where(there[some], scaled, 0.0)
    return Encoded(values, present, known)


def _is_known(feature: Feature, recipe: Recipe) -> bool:
    """Whether a feature is that of a column known ahead (at 0 rows ahead too)."""
    return any(feature.column is column for column in recipe.known)


def _complete(recipe: Recipe, rows: Rows, train: Array, *, ahead: bool) -> Array:
    """Training rows that miss none of the own columns, or of those known ahead."""
    complete = train.copy()
    for feature in recipe.features(rows):
        if _is_known(feature, recipe) == ahead:
            values = feature.values if feature.number is None else feature.number
            complete &= ~np.isnan(values)
    if not complete.any():
        kind = "known_ahead" if ahead else "input"
        raise DataError(
            f"every one of the {int(train.sum())} training rows misses a value of the {kind} "
            "columns; leave out a column that is mostly missing, or give train a larger share of "
            "data.split."
        )
    return complete
