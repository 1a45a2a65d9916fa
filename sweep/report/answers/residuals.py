"""Where a forecast errs: by the hour of the day, and by the step ahead."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from sweep.report.answers.found import Found
from sweep.report.chart import BLUE, ORANGE, Chart, Plot, Rows, nothing, plot, rows_of
from sweep.words.console import short
from trainers.data.contract import Array

_NAME, _TITLE = "residuals", "Errors by hour and by step ahead"
_HOUR = 3_600_000_000_000
_MEAN, _ABSOLUTE = "mean error", "mean absolute error"


def residuals(found: Found) -> Plot:
    """Return mean and mean absolute errors by hour of the day and by step of the horizon."""
    panels, data, said = list[Chart](), dict[str, Rows](), list[str]()
    for key, title, groups in (
        ("hour", "hour of the day", _hours(found)),
        ("step", "step ahead", _steps(found)),
    ):
        if groups is None:
            continue
        rows = _rows(found.errors, groups)
        data[f"by_{key}"] = rows
        panels.append(_panel(found, key, title))
        worst = max((r for r in rows if r["kind"] == _ABSOLUTE), key=lambda row: row["value"])
        said.append(f"{title} with the largest errors: {worst['group']} ({short(worst['value'])})")
    if not panels:
        return nothing(_NAME, _TITLE, "rows have no time of day and forecasts one step")
    note = f"Orange above 0: forecasts are too high. {'; '.join(said).capitalize()}."
    chart = alt.hconcat(*panels)
    return plot(_NAME, _TITLE, chart, data, note=note, summary=note)


def _hours(found: Found) -> Array | None:
    """Return the hour of each answer `(targets, outputs)`; None where rows are a day or more."""
    kept = found.kept
    if kept.times is None or len(kept) < 2:
        return None
    near = np.diff(kept.origins) == 1
    step = int(np.median(np.diff(kept.times)[near])) if near.any() else 0
    if not 0 < step < 12 * _HOUR:
        return None
    ahead = _ahead(found)
    return np.asarray((kept.times[:, None] + ahead * step) // _HOUR % 24)


def _steps(found: Found) -> Array | None:
    if found.kept.horizon == 1:
        return None
    return np.broadcast_to(_ahead(found) + 1, found.kept.answers.shape)


def _ahead(found: Found) -> Array:
    """Return the step of the horizon of each output, from 0."""
    outputs = found.kept.answers.shape[1]
    return np.asarray(np.arange(outputs) // (outputs // found.kept.horizon))


def _rows(errors: Array, groups: Array) -> list[dict[str, Any]]:
    rows = []
    for group in np.unique(groups).tolist():
        own = errors[groups == group]
        own = own[~np.isnan(own)]
        if len(own):
            for kind, value in ((_ABSOLUTE, np.abs(own).mean()), (_MEAN, own.mean())):
                rows.append({"group": int(group), "kind": kind, "value": float(value)})
    return rows


def _panel(found: Found, key: str, title: str) -> Chart:
    colors = alt.Scale(domain=[_ABSOLUTE, _MEAN], range=[BLUE, ORANGE])
    return (
        rows_of(f"by_{key}")
        .mark_line(point=True)
        .encode(
            x=alt.X("group:Q", title=title, axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y("value:Q", title=f"error{found.unit}"),
            color=alt.Color("kind:N", scale=colors),
        )
        .properties(width=430, height=220)
    )
