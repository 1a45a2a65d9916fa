"""Several rows made one: means of numbers, the last of anything else, or as a column says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from trainers.data.contract import Array
from trainers.data.tables.columns import require_columns
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

How = Literal["mean", "sum", "min", "max", "first", "last", "count"]
HOWS: tuple[How, ...] = get_args(How)
_OF_ANYTHING = ("first", "last", "count")


def aggregated(frame: pd.DataFrame, groups: Array, hows: Mapping[str, How]) -> pd.DataFrame:
    """Return one row a group, whose number is its index; groups (int `(rows,)`) never fall.

    Missing values are left out; where a group has no other, its value is missing, its count 0.
    """
    import pandas as pd

    last = np.append(np.diff(groups) != 0, True)
    found = [pd.DataFrame(index=groups[last])]
    for how in HOWS:
        names = [name for name, its in hows.items() if its == how]
        if names:
            grouped = frame[names].groupby(groups, sort=True)
            found.append(grouped.sum(min_count=1) if how == "sum" else getattr(grouped, how)())
    joined = pd.concat(found, axis=1)[list(hows)]
    # pandas' means of float32 are float64, which takes twice the memory for nothing.
    small = {
        name: np.float32
        for name, how in hows.items()
        if how != "count" and frame[name].dtype == np.float32
    }
    return joined.astype(small)


def hows_of(frame: pd.DataFrame, how: How | Mapping[str, How], option: str) -> dict[str, How]:
    """Return how each column is aggregated.

    One `how` is that of numbers, and other columns have their last (or first) value; a mapping
    names columns, and any other has the mean or the last value. `option` is what the user wrote it
    under, for messages.

    Raises:
        DataError: a column is not there, or holds no numbers to be aggregated so.
    """
    import pandas as pd

    named: Mapping[str, How] = {} if isinstance(how, str) else how
    require_columns(frame, list(named), option)
    general: How = how if isinstance(how, str) else "mean"
    found: dict[str, How] = {}
    for name in map(str, frame.columns):
        number = pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(
            frame[name]
        )
        found[name] = named.get(name) or (
            general if number else "first" if general == "first" else "last"
        )
        if found[name] not in HOWS:
            raise DataError(
                f"data.{option} must be one of {', '.join(HOWS)}, but got {found[name]!r}."
            )
        if not number and found[name] not in _OF_ANYTHING:
            raise DataError(
                f"data.{option} takes the {found[name]} of {name!r}, which does not hold numbers; "
                f"write {name}: last (or first, count)."
            )
    return found
