"""A back-test: how forecasts do at one origin after another, in every form that it is shown in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Group
from rich.table import Table

from sweep.results.export import Exported
from sweep.results.replicates import Estimate
from sweep.words.console import counted, short
from trainers.config.objective import Objective

if TYPE_CHECKING:
    import pandas as pd

Refit = Literal["never", "every"]


@dataclass(frozen=True)
class OriginRow:
    """One origin.

    Attributes:
        origin: The time, or the number, of the first row that is judged.
        windows: How many are judged, up to the next origin.
        metrics: By forecast and metric; empty where a forecast has none.
    """

    origin: str
    windows: int
    metrics: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Backtest:
    """Forecasts of a sweep's test part, origin by origin.

    Attributes:
        name: The sweep's.
        refit: Whether models were trained anew at every origin, or never.
        objective: What people compare by.
        units: Of each metric; empty for a pure number.
        rows: One an origin, in order of time.
    """

    name: str
    refit: Refit
    objective: Objective
    units: dict[str, str]
    rows: tuple[OriginRow, ...]

    @property
    def forecasts(self) -> list[str]:
        """Names of the forecasts, those of trials first."""
        return list(dict.fromkeys(name for row in self.rows for name in row.metrics))

    @property
    def title(self) -> str:
        """What the table is of, for people."""
        how = {"never": "models as they are", "every": "models trained anew at each"}[self.refit]
        return f"{self.name} at {counted(len(self.rows), 'origin')}, {how}"

    def values(self, forecast: str, metric: str) -> list[float | None]:
        """Return a metric at each origin; None where it is not defined."""
        return [row.metrics.get(forecast, {}).get(metric) for row in self.rows]

    def estimate(self, forecast: str, metric: str) -> Estimate | None:
        """Return mean, deviation and the 95 % t interval of the mean over origins that have it."""
        known = [value for value in self.values(forecast, metric) if value is not None]
        return Estimate.of(known) if known else None

    def exported(self) -> Exported:
        """Return every form of it."""
        return Exported(self.frame, self.document, self.shown)

    def frame(self) -> pd.DataFrame:
        """Return one row an origin, and columns `FORECAST.METRIC`."""
        import pandas as pd

        columns: dict[str, list[Any]] = {
            "origin": [row.origin for row in self.rows],
            "windows": [row.windows for row in self.rows],
        }
        for forecast, metric in self._pairs():
            columns[f"{forecast}.{metric}"] = self.values(forecast, metric)
        return pd.DataFrame(columns)

    def document(self) -> dict[str, Any]:
        """Return plain values for JSON: each origin, and a summary of each forecast's metrics."""
        summary: dict[str, dict[str, Any]] = {forecast: {} for forecast in self.forecasts}
        for forecast, metric in self._pairs():
            found = self.estimate(forecast, metric)
            summary[forecast][metric] = None if found is None else asdict(found)
        return {
            "sweep": self.name,
            "refit": self.refit,
            "objective": self.objective.metric,
            "units": self.units,
            "origins": [asdict(row) for row in self.rows],
            "summary": summary,
        }

    def shown(self, width: int) -> Group:
        """Return the leading metric by origin for people: its mean, deviation and interval."""
        del width
        metric, forecasts = self.objective.metric, self.forecasts
        unit = self.units.get(metric, "")
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("origin", no_wrap=True)
        table.add_column("windows", justify="right", no_wrap=True)
        for name in forecasts:
            table.add_column(name, justify="right", no_wrap=True)
        for row in self.rows:
            own = (short(row.metrics.get(name, {}).get(metric)) for name in forecasts)
            table.add_row(row.origin, f"{row.windows:,}", *own)
        found = [self.estimate(name, metric) for name in forecasts]
        table.add_section()
        table.add_row("mean", "", *("-" if one is None else short(one.mean) for one in found))
        table.add_row("± sd", "", *("-" if one is None else short(one.deviation) for one in found))
        table.add_row("95 % interval", "", *map(_interval, found))
        said = metric if unit in ("", "share") else f"{metric} ({unit})"
        return Group(f"{self.title}: {said}", table)

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for forecast in self.forecasts:
            metrics = dict.fromkeys(m for row in self.rows for m in row.metrics.get(forecast, {}))
            yield from ((forecast, metric) for metric in metrics)


def _interval(found: Estimate | None) -> str:
    if found is None or found.low is None:
        return "-"
    return f"{short(found.low)} to {short(found.high)}"
