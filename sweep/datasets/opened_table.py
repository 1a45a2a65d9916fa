"""A table that was read, with what a person says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.datasets.draft import Wishes
from sweep.errors import ConfigProblem
from trainers.data.options import build_options, nearest
from trainers.data.tables.columns import numeric_columns
from trainers.data.tables.reading_options import ReadingOptions
from trainers.data.tables.table import read_table

if TYPE_CHECKING:
    import pandas as pd

    from trainers.data.tables.request import TableRead

TRAIN_SHARE = 0.7
_SHOWN = 12
_NAMES = ("target", "time", "series")
_COMMA = re.compile(r"\s*,\s*")


@dataclass(frozen=True)
class Table:
    """A table that was read, and what a person says of it."""

    path: Path
    read: TableRead
    wishes: Wishes

    @property
    def frame(self) -> pd.DataFrame:
        """Its columns."""
        return self.read.frame


def open_table(path: Path, wishes: Wishes) -> Table:
    """Read a file as the wishes say.

    Raises:
        DataError: it can't be read, or there is no such way of reading.
    """
    reading = build_options(ReadingOptions, "table", wishes.options.get("reading") or {})
    read = read_table(path, reading)
    names: dict[str, Any] = {name: _matched(getattr(wishes, name), read.frame) for name in _NAMES}
    return Table(path, read, replace(wishes, **names))


def _matched(given: tuple[str, ...], frame: pd.DataFrame) -> tuple[str, ...]:
    """The names as the table has them: one with a comma in it was taken for two."""
    whole = ",".join(given)
    alike = [name for name in map(str, frame.columns) if _COMMA.sub(",", name) == whole]
    return tuple(alike) or given


def columns_said(frame: pd.DataFrame) -> str:
    """Return the columns in one line, with what they hold."""
    numbers = set(numeric_columns(frame))
    said = [f"{name}{'' if name in numbers else ' (text)'}" for name in map(str, frame.columns)]
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return ", ".join(said[:_SHOWN]) + more


def require_named(frame: pd.DataFrame, names: Sequence[str], flag: str) -> None:
    """Check that a flag names columns.

    Raises:
        ConfigProblem: one is not there; the message names the nearest.
    """
    have = [str(name) for name in frame.columns]
    for name in names:
        if name not in have:
            raise ConfigProblem(
                f"{flag} must name a column, but got {name!r};{nearest(name, have)} the file has: "
                f"{columns_said(frame)}."
            )


def listed(value: Any) -> tuple[str, ...]:
    """Return names that a sweep file has as one, or as a list."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def one_or_list(names: Sequence[str]) -> Any:
    """Return one name, or a list of several, as a sweep file has it."""
    return names[0] if len(names) == 1 else list(names)


def missing_of(frame: pd.DataFrame, names: Sequence[str]) -> dict[str, Any]:
    """Return the option that makes gaps of missing values, where there are some."""
    absent = any(frame[name].isna().any() for name in names)
    return {"missing": "mask"} if absent else {}
