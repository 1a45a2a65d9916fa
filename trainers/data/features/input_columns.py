"""How each input column becomes features: values of categories and fillings, of training rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from trainers.data.contract import Array, Category
from trainers.data.features.encoding import Fitted
from trainers.data.features.filling import Fill, fit_filling
from trainers.data.features.recipe import InputColumn, distinct_values
from trainers.data.tables.columns import matrix

if TYPE_CHECKING:
    import pandas as pd

CategoryEncoding = Literal["auto", "one_hot", "embedding"]

ONE_HOT_BELOW = 4  # values; SEMANTICS
LARGEST_EMBEDDING = 50


@dataclass(frozen=True)
class ColumnRules:
    """What input columns are to become.

    Attributes:
        encoding: Of categories; `auto`: one-hot below four values.
        fill: How missing numbers are filled, or that by column; None leaves gaps.
        indicator: Whether features say which ones were.
    """

    encoding: CategoryEncoding
    fill: Fill | Mapping[str, Fill] | None
    indicator: bool


def category_column(
    frame: pd.DataFrame, name: str, train: Array, rules: ColumnRules
) -> InputColumn:
    """A column of names, whose values are those of the training rows `(rows,)` bool."""
    values = distinct_values(frame[name], train)
    auto = rules.encoding == "auto" and len(values) >= ONE_HOT_BELOW
    return InputColumn(name, values, embedded=rules.encoding == "embedding" or auto)


def number_column(frame: pd.DataFrame, name: str, train: Array, rules: ColumnRules) -> InputColumn:
    """A column of numbers, filled as the training rows `(rows,)` bool say.

    Raises:
        DataError: it is to be filled, and missing in all of them.
    """
    if rules.fill is None:
        return InputColumn(name)
    numbers = matrix(frame, [name], "mask")[:, 0][train]
    how = rules.fill if isinstance(rules.fill, str) else rules.fill.get(name, "forward")
    marked = rules.indicator and bool(np.isnan(numbers).any())
    return InputColumn(name, filling=fit_filling(how, numbers, name), indicator=marked)


def embedded_categories(fitted: Fitted, size: int | None) -> tuple[Category, ...]:
    """Return the features that a network embeds, in vectors of `size`; None: min(50, 2·⌈√K⌉)."""
    found = []
    for place, column in fitted.categories.items():
        values = column.values or ()
        usual = min(LARGEST_EMBEDDING, 2 * math.ceil(math.sqrt(len(values))))
        found.append(Category(place, fitted.names[place], values, size or usual))
    return tuple(found)
