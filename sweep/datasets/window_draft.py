"""How a table of time steps is best taken: times, windows, what it misses, what is left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.draft import Draft, Kind
from sweep.datasets.opened_table import (
    TRAIN_SHARE,
    Table,
    listed,
    missing_of,
    one_or_list,
    require_named,
)
from trainers.data.findings.columns import constant_columns, counters
from trainers.data.findings.judged import JudgedTable, numbers_of
from trainers.data.findings.seasons import window_length
from trainers.data.findings.time_columns import TimeColumns, find_times
from trainers.data.findings.wide import WideForm
from trainers.data.tables.columns import numeric_columns
from trainers.data.times.instants import Instants, read_instants
from trainers.data.times.options import TimeOptions
from trainers.data.times.steps import Step, step_of

if TYPE_CHECKING:
    import pandas as pd

_MOST_WINDOWS = 200_000


def draft_wide(table: Table, wide: WideForm, target: Sequence[str]) -> Draft:
    """Take a row a series, a column a step."""
    steps = [name for name in map(str, table.frame.columns) if fnmatchcase(name, wide.pattern)]
    values = table.frame[steps]
    first = values.iloc[0].to_numpy(dtype=np.float64)
    length = window_length(first, rows=int(TRAIN_SHARE * wide.steps))
    return Draft(
        source="csv",
        kind="forecasting",
        options={
            "path": str(table.path),
            "wide": wide.pattern,
            "series": wide.series,
            "target": target[0],
            **({"time_column": "step", "calendar": True} if wide.dated else {}),
            "input_steps": length,
            "steps_ahead": table.wishes.ahead or 1,
            **({"missing": "mask"} if values.isna().any(axis=None) else {}),
        },
        why={
            "wide": f"{wide.steps} columns, one a step; a row is a series",
            "series": "the column that names the series",
            "target": "the name that the values get",
        },
        examples=int(TRAIN_SHARE * values.size),
    )


def draft_windows(table: Table, target: tuple[str, ...], target_why: str) -> Draft:
    """Take a row a time step, perhaps of several series.

    Raises:
        DataError: the times can't be read without an option.
    """
    frame, wishes = table.frame, table.wishes
    times = _times(table)
    rows = _Rows.of(table, times)
    kind: Kind = "windows" if wishes.task == "classification" else "forecasting"
    ahead = wishes.ahead if wishes.ahead is not None else 0 if kind == "windows" else 1
    length, season = rows.window(target[0])
    judged = JudgedTable(
        frame,
        targets=target,
        inputs=tuple(n for n in map(str, frame.columns) if n not in rows.taken),
    )
    dropped, dropped_why = _dropped(judged)
    usable = [n for n in map(str, frame.columns) if n not in {*rows.taken, *dropped}]
    stride = max(1, math.ceil(TRAIN_SHARE * len(frame) / _MOST_WINDOWS))
    options = {
        "path": str(table.path),
        "target": one_or_list(target),
        **({"task": wishes.task} if wishes.task else {}),
        **rows.options(),
        **({"drop": dropped} if dropped else {}),
        "input_steps": length,
        "steps_ahead": ahead,
        **({"stride": stride} if stride > 1 else {}),
        **missing_of(frame, usable),
    }
    why = {
        "target": target_why,
        "drop": dropped_why,
        "input_steps": season,
        "steps_ahead": "the label of a window's own last row" if not ahead else "rows ahead",
        "stride": f"a window every {stride} rows; 1 uses all of {len(frame):,}",
        "missing": "a row that misses a value is a gap; or fill (data.fill: forward, linear, mean)",
        **rows.why(),
    }
    examples = int(TRAIN_SHARE * len(frame) / stride)
    return Draft("csv", kind, options, why, tuple(_unused(rows, target, frame)), examples)


def _dropped(judged: JudgedTable) -> tuple[list[str], str]:
    """Inputs that say nothing, or only count, and why they are left out."""
    names, reasons = [], []
    for name in judged.inputs:
        if name in judged.targets:
            continue
        one = JudgedTable(judged.frame, inputs=(name,))
        if constant_columns(one):
            names.append(name)
            reasons.append(f"{name} is always the same")
        elif counters(one):
            names.append(name)
            reasons.append(f"{name} only counts")
    return names, "; ".join(reasons[:4])


def _unused(rows: _Rows, target: Sequence[str], frame: pd.DataFrame) -> Iterator[str]:
    yield "output_steps: 24         to predict so many rows at once"
    others = [n for n in numeric_columns(frame) if n not in {*rows.taken, *target}]
    if others:
        yield f"inputs: [{target[0]}]    to see these columns only; null: all of numbers or names"
        yield f"known_ahead: [{others[0]}]   columns whose values at the rows predicted are known"
    if rows.instants is not None:
        yield "time_zone: Europe/Berlin      the local clock that the calendar follows"


def _times(table: Table) -> TimeColumns | None:
    wishes = table.wishes
    given = wishes.time or listed(wishes.options.get("time_column"))
    if "time_column" in wishes.options and not given:
        return None
    if not given:
        return find_times(table.frame)
    require_named(table.frame, given, "--time")
    return TimeColumns(TimeOptions(given))


@dataclass(frozen=True)
class _Rows:
    """The rows of a table, in order of time where they have times.

    Attributes:
        order: `(rows,)` by time, those of one series together; None: as they are.
        codes: `(rows,)` which series each is of.
    """

    table: Table
    times: TimeColumns | None
    instants: Instants | None
    step: Step | None
    order: Any
    codes: Any

    @classmethod
    def of(cls, table: Table, times: TimeColumns | None) -> _Rows:
        """Read the times.

        Raises:
            DataError: the columns look like times, but can't be read without an option.
        """
        codes = _codes(table)
        if times is None:
            return cls(table, None, None, None, np.argsort(codes, kind="stable"), codes)
        options = table.wishes.options
        own = TimeOptions(
            times.options.columns,
            format=options.get("time_format"),
            zone=options.get("time_zone"),
            unit=options.get("time_unit", times.options.unit),
            repeated_hour=options.get("repeated_hour"),
        )
        instants = read_instants(table.frame, own, codes)
        order = np.lexsort((instants.utc, codes))
        sorted_step = step_of(instants.take(order), codes[order])
        return cls(table, TimeColumns(own), instants, sorted_step, order, codes)

    @property
    def taken(self) -> set[str]:
        """Columns that are times or names of series."""
        columns = self.times.options.columns if self.times is not None else ()
        return {*columns, *self.table.wishes.series}

    @property
    def unsorted(self) -> bool:
        """Whether rows of a series are not in order of time."""
        if self.instants is None:
            return False
        places = np.argsort(self.codes, kind="stable")
        steps, same = np.diff(self.instants.utc[places]), np.diff(self.codes[places]) == 0
        return bool((steps[same] < 0).any())

    def window(self, target: str) -> tuple[int, str]:
        """A window's length from the longest series, and why it is so long."""
        values = numbers_of(self.table.frame[target])
        counts = np.bincount(self.codes)
        of_longest = self.order[self.codes[self.order] == counts.argmax()]
        train = of_longest[: max(1, int(TRAIN_SHARE * len(of_longest)))]
        step_ns = float(self.step.nanoseconds) if self.step is not None else None
        known = np.empty(0) if values is None else values[train].astype(np.float64)
        rows = int(TRAIN_SHARE * np.median(counts))
        length = window_length(known, step_ns, rows)
        said = f" of {self.step.text}" if self.step is not None and self.step.nanoseconds else ""
        return length, f"rows{said}; from the target's autocorrelation and the step"

    def options(self) -> dict[str, Any]:
        """What the data section says of times and series."""
        series = self.table.wishes.series
        found: dict[str, Any] = {"series": one_or_list(series)} if series else {}
        if self.times is None:
            return found
        own = self.times.options
        found["time_column"] = one_or_list(own.columns)
        settled = self.instants.options if self.instants is not None else own
        found |= {"time_format": settled.format} if settled.format else {}
        found |= {"time_unit": own.unit} if own.unit else {}
        found |= {"sort": True} if self.unsorted else {}
        irregular = self.step is not None and self.step.kind == "irregular"
        found |= {"elapsed": True} if irregular else {}
        return {**found, "calendar": True}

    def why(self) -> dict[str, str]:
        """Comments on these."""
        return {
            "elapsed": "the time since the row before as an input; or a grid: data.resample",
            "sort": "rows of the file are not in order of time",
            "calendar": "time of day, of week, of year as inputs, as the step makes sense",
            "series": "windows never run from one into the next",
        }


def _codes(table: Table) -> Any:
    import pandas as pd

    series = table.wishes.series or listed(table.wishes.options.get("series"))
    if not series:
        return np.zeros(len(table.frame), dtype=np.int64)
    require_named(table.frame, series, "--series")
    codes = table.frame.groupby(list(series), sort=False, observed=True, dropna=False).ngroup()
    return pd.Series(codes).to_numpy()
