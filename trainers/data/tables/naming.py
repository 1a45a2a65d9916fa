"""The columns' names: checked, and made up where a column has none."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainers.data.tables.request import Request
from trainers.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

UNNAMED = "Unnamed: "
"""What pandas calls a column without a name; its number follows, from 0."""


def named(names: Sequence[str], request: Request) -> list[str]:
    """Return the columns' names: the user's, else the file's, made up where it has none.

    Raises:
        DataError: the user names more or fewer columns than there are, or two names are the same.
    """
    own = request.reading.columns
    if own is not None and len(own) < len(names):
        raise DataError(
            f"{request.path.name} has {len(names)} columns, but data.reading.columns names "
            f"{len(own)}; name each one."
        )
    found = [unicodedata.normalize("NFC", name) for name in own or names]
    for place in [place for place, name in enumerate(found) if not name]:
        made = (f"{UNNAMED}{place}{'.1' * more}" for more in range(len(found)))
        found[place] = next(name for name in made if name not in found)
    require_unique(found, request.path)
    return found


def require_unique(names: Sequence[str], path: Path) -> None:
    """Check that no two columns have the same name.

    Raises:
        DataError: two have; the message names them.
    """
    if len(set(names)) == len(names):
        return
    twice = next(name for place, name in enumerate(names) if name in names[:place])
    first = names.index(twice)
    second = names.index(twice, first + 1)
    raise DataError(
        f"{path.name}: columns must have different names, but columns {first} and {second} "
        f"(counted from 0) are both called {twice!r}; name all with data.reading.columns."
    )


def without_unnamed(frame: pd.DataFrame, index: bool | None) -> tuple[pd.DataFrame, list[str]]:
    """Leave out what no one named and means nothing: row numbers in front, empty columns.

    Args:
        frame: As read.
        index: Whether the first column is row numbers; None where its name and values say so.

    Returns:
        What is left, and a line on each column that is not.
    """
    notes: list[str] = []
    while index is not False and len(frame.columns) > 1:
        first = str(frame.columns[0])
        if not (_is_index(frame, first) or (index and not notes)):
            break
        frame = frame.drop(columns=first)
        notes.append(
            f"the first column, {first!r}, counts the rows and is left out "
            "(data.reading.index: false keeps it)"
        )
    for name in [str(name) for name in frame.columns if str(name).startswith(UNNAMED)]:
        if frame[name].isna().all():
            frame = frame.drop(columns=name)
        else:
            notes.append(f"a column without a name is called {name!r} (data.reading.columns)")
    return frame, notes


def without_empty_end(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Leave out rows at the end that hold nothing, as spreadsheets write them; and a line on it."""
    if len(frame.columns) < 2 or not frame.iloc[-1:].isna().all(axis=None):
        return frame, []
    full = np.zeros(len(frame), dtype=bool)
    for name in frame.columns:
        full |= frame[name].notna().to_numpy()
    rows = int(np.flatnonzero(full)[-1]) + 1 if full.any() else 0
    return frame.iloc[:rows], [f"{len(frame) - rows} empty rows at the end are left out"]


def _is_index(frame: pd.DataFrame, name: str) -> bool:
    """Whether a column is the index that pandas wrote: no name, whole numbers, each once.

    Of rows that were shuffled it does not rise.
    """
    unnamed = name.startswith((UNNAMED, "__index_level_"))
    if not unnamed or frame[name].dtype.kind not in "iuf":
        return False
    values = frame[name].to_numpy()
    if not (values == np.round(values)).all():
        return False
    whole = values.astype(np.int64)
    rises = (np.diff(whole) > 0) | (whole[1:] == whole[0])
    return bool(rises.all()) or len(np.unique(whole)) == len(whole)
