"""One plot as data: a Vega-Lite chart, drawn by Vega on a page and by vl-convert as a picture.

Every row of a trial's mark holds `trial`, its number. The page sets the chart's two parameters,
`lit` (the trial under the pointer) and `off` (the trials that a brush left out), and reads where
marks lie from Vega: nothing else links charts to each other (`assets/page.js`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import altair as alt
import vl_convert

Rows = Sequence[Mapping[str, Any]]
Chart = Any  # what `+` and `properties` of Altair's charts return


class Role(StrEnum):
    """What a mark stands for, as legends name it; it decides colour and shape."""

    COMPLETE = "complete"
    PRUNED = "pruned or paused"
    FAILED = "failed"
    RUNNING = "running"
    WENT_ON = "went on"
    STOPPED = "stopped or paused"


# Okabe & Ito's palette: told apart with any colour vision, and by lightness in print.
BLUE, ORANGE, VERMILION, GREEN = "#0072b2", "#e69f00", "#d55e00", "#009e73"
BLACK, GRAY, PINK = "#111111", "#9aa3ad", "#d6006c"
COLORS = {
    Role.COMPLETE: BLUE,
    Role.PRUNED: ORANGE,
    Role.FAILED: VERMILION,
    Role.RUNNING: GREEN,
    Role.WENT_ON: BLUE,
    Role.STOPPED: ORANGE,
}
WIDTH = 1000
_PNG_SCALE = 1.4
_INK, _SOFT, _GRID = "#1f2933", "#52606d", "#e3e6e9"
_CONFIG = {
    "background": "white",
    "font": "Liberation Sans, Arial, Helvetica, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12, "titleFontSize": 12.5, "labelColor": _SOFT, "titleColor": _INK,
        "titleFontWeight": "normal", "gridColor": _GRID, "domainColor": GRAY, "tickColor": GRAY,
        "labelLimit": 190, "titleLimit": 280, "labelOverlap": True,
    },
    "axisX": {"grid": False},
    "legend": {
        "orient": "top", "title": None, "labelFontSize": 12.5, "labelColor": _INK,
        "symbolSize": 70, "columnPadding": 18,
    },
    "title": {"anchor": "start", "fontSize": 13, "color": _INK, "fontWeight": 600},
    "text": {"fontSize": 12, "color": _SOFT},
}  # fmt: skip


@dataclass(frozen=True)
class Plot:
    """One plot of a sweep.

    Attributes:
        name: File name without its ending.
        note: One line below: how to read it, or why there is nothing.
        spec: The chart in Vega-Lite, its data inside; empty where there is nothing to draw.
    """

    name: str
    title: str
    note: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)

    def png(self) -> bytes:
        """Return the plot as a PNG picture."""
        title = {"text": self.title, "fontSize": 17, "offset": 14}
        return vl_convert.vegalite_to_png({**self.spec, "title": title}, scale=_PNG_SCALE)


def plot(
    name: str, title: str, chart: Chart, data: Mapping[str, Rows], *, note: str = "", summary: str
) -> Plot:
    """Return the plot of an Altair chart.

    Args:
        data: Rows by the names that the chart's layers draw from (`alt.NamedData`).
        summary: What the picture shows, for those who can't see it.
    """
    spec = {
        **chart.to_dict(),
        "params": [{"name": "lit", "value": None}, {"name": "off", "value": {}}],
        "datasets": {key: list(map(_drawable, rows)) for key, rows in data.items()},
        "description": f"{title}. {summary}",
        "config": _CONFIG,
    }
    return Plot(name, title, note, spec)


def _drawable(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row without NaN and infinities, which JSON does not know."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }


def nothing(name: str, title: str, why: str) -> Plot:
    """Return a plot that says why it is empty."""
    return Plot(name, title, f"Nothing to draw: {why}.")


def rows_of(name: str) -> alt.Chart:
    """Return a chart over the rows of that name, which `plot` gives it."""
    return alt.Chart(alt.NamedData(name))
