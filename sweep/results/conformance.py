"""What every column of results must hold, as a function to call from a test of one's own.

`check_entry(MY_COLUMN, results)` reads the column from a sweep's results, which
`sweep.results.results.open_results` gives.
"""

from __future__ import annotations

import json

from sweep.results.column import ABSENT, PLACES, Column, Entry, Family
from sweep.results.results import Results

_UNIT_CHARACTERS = 12


def check_entry(entry: Entry, results: Results) -> None:
    """Hold a column, or a family of columns, to what tables, files and exports count on.

    Args:
        entry: The column.
        results: A sweep with at least one trial.

    Raises:
        AssertionError: a law is broken; the message says which.
    """
    _require(bool(results.trials), entry, "needs a sweep that has trials to be checked on")
    _require(entry.name.isidentifier(), entry, "must have a name that can be a key")
    _require(bool(entry.about.strip()), entry, "must say in a sentence what it is about")
    columns = entry.columns(results)
    names = [column.name for column in columns]
    _require(len(set(names)) == len(names), entry, "must have each member once")
    for column in columns:
        within = column.name.startswith(f"{entry.name}.") and isinstance(entry, Family)
        _require(within or column.name == entry.name, entry, "must name members `NAME.member`")
        _check_facts(column)
        _check_values(column, results)


def _check_facts(column: Column) -> None:
    _require(bool(column.about.strip()), column, "must say in a sentence what it is about")
    short_unit = len(column.unit) <= _UNIT_CHARACTERS and column.unit == column.unit.strip()
    _require(short_unit and column.unit.isprintable(), column, "must have a unit of one short word")
    _require(column.shown <= PLACES, column, f"must be shown in {sorted(PLACES)} or nowhere")
    for raw in (False, True):
        _require(column.title(raw=raw).isprintable(), column, "must have a heading of one line")
    _require(column.unit in column.title(raw=True), column, "must name its unit over plain values")


def _check_values(column: Column, results: Results) -> None:
    for trial in results.trials:
        value = column.read(results, trial)
        again = column.read(results, trial)
        _require(repr(value) == repr(again), column, "must be read the same twice")
        _require(isinstance(column.cell(results, trial), str), column, "must read as text")
        if value is not ABSENT:
            _require(_is_json(value), column, f"must have values that JSON knows, not {value!r}")


def _is_json(value: object) -> bool:
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError):
        return False


def _require(holds: bool, entry: Entry, law: str) -> None:
    if not holds:
        raise AssertionError(f"column {entry.name!r} {law}")
