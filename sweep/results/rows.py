"""A sweep's trials as plain values: dictionaries for JSON, a pandas table for everything else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.history.state import TrialState
from sweep.results.column import ABSENT, Column, Family
from sweep.results.columns import COLUMNS, columns_of
from sweep.results.results import DEFAULT_FOLDER, Results, open_results

if TYPE_CHECKING:
    import pandas as pd


def records(results: Results, trials: Iterable[TrialState] | None = None) -> list[dict[str, Any]]:
    """Return one plain dictionary a trial, as `rnn-sweep results --format json` prints it.

    Families of columns (see `sweep.results.columns`) are dictionaries in it: `best`, `params`.
    With several objectives `objective` is a list, one value each.
    """
    families = {entry.name: entry for entry in COLUMNS.values() if isinstance(entry, Family)}
    columns = columns_of(results)
    chosen = results.trials if trials is None else trials
    return [_record(results, trial, columns, families) for trial in chosen]


def _record(
    results: Results, trial: TrialState, columns: Iterable[Column], families: Mapping[str, Family]
) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for column in columns:
        value = column.read(results, trial)
        family, _, member = column.name.partition(".")
        if not member:
            record[column.name] = value
        elif families[family].listed:
            record.setdefault(family, []).append(value)
        elif value is not ABSENT:
            record.setdefault(family, {})[member] = value
    return record | {name: {} for name in families if name not in record}


def frame(results: Results) -> pd.DataFrame:
    """Return one row a trial, and every column of `sweep.results.columns`.

    Parameters and metrics are in columns `params.*`, `best.*` and `test.*`. With several objectives
    `objective` becomes one `objective.<metric>` each.
    """
    import pandas as pd

    columns = columns_of(results)
    values = {
        column.name: [column.value(results, trial) for trial in results.trials]
        for column in columns
    }
    return pd.DataFrame(values, columns=list(values))


def load_results(name: str | Path, directory: str | Path = DEFAULT_FOLDER) -> pd.DataFrame:
    """Return a sweep's trials, one row each, as a pandas DataFrame.

    Args:
        name: The sweep's name in `directory`, or its folder.
        directory: The folder of sweeps, as `--dir`.

    Raises:
        LogError: there is no such sweep, or its log can't be read.
    """
    return frame(open_results(name, directory))
