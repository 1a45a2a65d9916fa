"""Tables with a row a series and a column a step, which look like many columns of a long table."""

from __future__ import annotations

import fnmatch
import re
from collections import defaultdict
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from trainers.data.finding import Finding
from trainers.data.findings.judged import JudgedTable
from trainers.data.findings.time_columns import find_times
from trainers.data.tables.cells import kind_of

if TYPE_CHECKING:
    import pandas as pd

_FEWEST_STEPS = 8
_COUNTED = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True)
class WideForm:
    """How a wide table says its series.

    Attributes:
        pattern: Of the columns that are steps, as `data.wide` takes it.
        series: The column that names the series.
        steps: How many columns are steps.
        dated: Whether the columns' names are times.
    """

    pattern: str
    series: str
    steps: int
    dated: bool


def wide_form(frame: pd.DataFrame) -> WideForm | None:
    """Return how a table is wide; None: its rows are steps, as far as can be told.

    Columns of numbers whose names count or are dates, and another whose values name the rows.
    """
    # Columns that are numbers as read: what others hold is asked of those who use them.
    numbers = frame.select_dtypes("number").columns
    steps, dated = _steps([str(name) for name in numbers])
    if len(steps) < _FEWEST_STEPS:
        return None
    others = [str(name) for name in frame.columns if name not in steps]
    names = [name for name in others if _names_rows(frame[name])]
    if not names or find_times(frame[others]) is not None:
        return None
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(min(steps), max(steps), strict=False))
    prefix = "".join(sign for sign, _ in alike)
    pattern = f"{prefix.rstrip('0123456789') if not dated else prefix}*"
    fits = {name for name in map(str, frame.columns) if fnmatch.fnmatchcase(name, pattern)}
    return WideForm(pattern, names[0], len(steps), dated) if fits == set(steps) else None


def judge_form(table: JudgedTable) -> list[Finding]:
    """A table that is wide, and taken as long."""
    found = None if table.times or table.series else wide_form(table.frame)
    if found is None:
        return []
    text = (
        f"{found.steps} columns are called {found.pattern}, and each {found.series!r} has one row, "
        f'as series of steps in wide form: set data.wide: "{found.pattern}" and data.series: '
        f"{found.series}"
    )
    return [Finding("series", "doubtful", text)]


def _steps(names: list[str]) -> tuple[list[str], bool]:
    """The largest group of names that count, or are dates."""
    dates = [name for name in names if kind_of(name) == "date"]
    if len(dates) >= _FEWEST_STEPS:
        return dates, True
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        match = _COUNTED.fullmatch(name)
        if match:
            groups[match.group(1)].append(name)
    return max(groups.values(), key=len, default=[]), False


def _names_rows(column: Any) -> bool:
    import pandas as pd

    named = not pd.api.types.is_numeric_dtype(column) or "id" in str(column.name).casefold()
    return bool(named and column.notna().all() and column.is_unique)
