"""A table by series: how well a trial predicts each series of a sweep's data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Group
from rich.table import Table

from sweep.errors import UserError
from sweep.models.trained import checkpointed_trial
from sweep.results.export import Exported
from sweep.results.results import Results
from sweep.running.preparation import prepare_again
from sweep.words.console import short
from trainers.config.objective import Objective

if TYPE_CHECKING:
    import pandas as pd

MOST_SHOWN = 50


@dataclass(frozen=True)
class SeriesRow:
    """One series: its name, its windows in the part, its metrics."""

    name: str
    windows: int
    metrics: dict[str, float]


@dataclass(frozen=True)
class SeriesTable:
    """The metrics of a trial by series, the worst first.

    Attributes:
        title: What the table is of, for people.
        part: Of the data.
        objective: What the order goes by.
        units: Of each metric; empty for a pure number.
        rows: One a series that has windows in the part.
    """

    title: str
    part: Literal["validation", "test"]
    objective: Objective
    units: dict[str, str]
    rows: tuple[SeriesRow, ...]

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics that any series has, the leading one first."""
        names = dict.fromkeys([self.objective.metric, *self.units])
        return [name for name in names if any(name in row.metrics for row in self.rows)]

    def exported(self) -> Exported:
        """Return every form of it."""
        return Exported(self.frame, self.records, self.shown)

    def frame(self) -> pd.DataFrame:
        """Return one row a series, metrics as `test.rmse`, as a trial's are called."""
        import pandas as pd

        columns: dict[str, list[Any]] = {
            "series": [row.name for row in self.rows],
            "windows": [row.windows for row in self.rows],
        }
        for name in self.metrics:
            columns[f"{self.part}.{name}"] = [row.metrics.get(name) for row in self.rows]
        return pd.DataFrame(columns)

    def records(self) -> list[dict[str, Any]]:
        """Return one plain dictionary a series, its metrics in one of the part's name."""
        return [
            {
                "series": row.name,
                "windows": row.windows,
                self.part: {name: row.metrics.get(name) for name in self.metrics},
            }
            for row in self.rows
        ]

    def shown(self, width: int) -> Group:
        """Return the worst series for people, under a title."""
        del width  # names of series and a few numbers
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("series", no_wrap=True)
        table.add_column("windows", justify="right", no_wrap=True)
        for name in self.metrics:
            unit = self.units[name]
            heading = name if unit in ("", "share") else f"{name} ({unit})"
            table.add_column(heading, justify="right", no_wrap=True)
        for row in self.rows[:MOST_SHOWN]:
            values = (short(row.metrics.get(name)) for name in self.metrics)
            table.add_row(row.name, f"{row.windows:,}", *values)
        hidden = len(self.rows) - MOST_SHOWN
        note = f"not shown: {hidden:,} better series (see --format csv)"
        return Group(self.title, table, *([note] if hidden > 0 else []))


def by_series(found: Results, number: int | None = None) -> SeriesTable:
    """Evaluate a trial's best weights on each series, in one pass over the data.

    A trial that was evaluated on the test part is judged there, any other on the validation part:
    the test part is for finalists.

    Args:
        found: The sweep.
        number: The trial; None for the best.

    Raises:
        UserError: there is no such trial or no checkpoint of it, or the data have changed.
        DataError: the data can't be read, or have a single series.
    """
    trial, checkpoint = checkpointed_trial(found, number)
    opened = found.state.first_opened
    if opened is None:
        raise UserError(f"sweep {found.config.name!r} has not begun; run it first.")
    prepared = prepare_again(found.config, opened, "a table by series")
    part: Literal["validation", "test"] = "test" if trial.test else "validation"
    from trainers.learning.checkpoint import read_checkpoint
    from trainers.packs.pack import pack_of_checkpoint

    data = prepared.data_of(read_checkpoint(checkpoint, tensors=False).config)

    leading = prepared.goal.leading
    pack = pack_of_checkpoint(checkpoint, data, leading, prepared.asked)
    measured = pack.evaluate_by_series(0, part)
    rows = [SeriesRow(data.series[one.series], one.windows, one.metrics) for one in measured]
    rows.sort(key=lambda row: _better(leading, row))
    names = dict.fromkeys(name for row in rows for name in row.metrics)
    title = f"trial {trial.number} by series, {part} part, worst first"
    units = {name: found.unit(name) for name in names}
    return SeriesTable(title, part, leading, units, tuple(rows))


def _better(objective: Objective, row: SeriesRow) -> tuple[bool, float, str]:
    """Order by cost, the highest first; series without the metric come last."""
    value = row.metrics.get(objective.metric)
    return (value is None, 0.0 if value is None else -objective.cost(value), row.name)
