"""Forecast against truth on the test part, with intervals as a fan."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np

from sweep.report.answers.found import Found, said_time
from sweep.report.answers.stretches import Line, longest_line, stretches
from sweep.report.chart import BLACK, BLUE, WIDTH, Chart, Plot, nothing, plot, rows_of

_NAME, _TITLE = "forecast", "Forecast and truth on the test part"
_SHADES = (0.42, 0.24, 0.14, 0.1)
_TITLES = {
    "all": "the whole test part",
    "newest": "the newest stretch",
    "worst": "the worst stretch",
    "best": "the best stretch",
}


def fan(found: Found) -> Plot:
    """Return forecasts, truth and calibrated intervals of the newest, worst and best stretch."""
    line = longest_line(found)
    if line is None:
        return nothing(_NAME, _TITLE, "targets do not follow each other in time")
    shown = stretches(found, line)
    data = {f"fan_{name}": _rows(found, part) for name, part in shown.items()}
    panels = [_panel(found, name) for name in shown]
    note = f"Trial {found.trial}: blue is the forecast, black the truth. {_coverage(found)}"
    summary = f"{_target(found)}{found.unit}, {', '.join(_TITLES[each] for each in shown)}. {note}"
    return plot(_NAME, _TITLE, alt.vconcat(*panels), data, note=note, summary=summary)


def _target(found: Found) -> str:
    """Return the name of the target that is shown, without the step ahead."""
    name = found.kept.names[0] if found.kept.names else "target"
    return name.rpartition("+")[0] or name if found.kept.horizon > 1 else name


def _coverage(found: Found) -> str:
    """Say how much of the test part each interval holds."""
    kept = found.kept
    if kept.low is None or kept.high is None:
        return "There are no intervals: validation has too few targets."
    held = (kept.low <= kept.targets) & (kept.targets <= kept.high)
    valid = np.ones(kept.targets.shape, np.bool_) if kept.mask is None else kept.mask
    shares = [
        f"{level:.0%} hold {own[valid].mean():.1%}"
        for level, own in zip(kept.levels, held, strict=True)
    ]
    return f"Intervals calibrated on validation, and what they hold here: {', '.join(shares)}."


def _panel(found: Found, name: str) -> Chart:
    kept = found.kept
    timed = kept.times is not None
    x = alt.X("at:Q", title="row")
    if timed:
        x = alt.X("at:T", title=None, axis=alt.Axis(format="%d %b %H:%M", tickCount=8))
    title = f"{_target(found)}{found.unit}"
    y = alt.Y("truth:Q", title=title, scale=alt.Scale(zero=False))
    base = rows_of(f"fan_{name}").encode(x=x)
    layers: list[Any] = []
    for place in reversed(range(len(kept.levels))):
        band = base.mark_area(color=BLUE, opacity=_SHADES[min(place, len(_SHADES) - 1)])
        layers.append(band.encode(y=alt.Y(f"low{place}:Q", title=title), y2=f"high{place}:Q"))
    layers.append(base.mark_line(color=BLACK, strokeWidth=1.2).encode(y=y))
    layers.append(base.mark_line(color=BLUE, strokeWidth=1.8).encode(y="forecast:Q"))
    return alt.layer(*layers).properties(width=WIDTH, height=190, title=_TITLES[name])


def _rows(found: Found, line: Line) -> list[dict[str, Any]]:
    kept, places = found.kept, (line.targets, line.outputs)
    columns = {"truth": kept.targets[places], "forecast": kept.answers[places]}
    if kept.mask is not None:
        columns["truth"] = np.where(kept.mask[places], columns["truth"], np.nan)
    if kept.low is not None and kept.high is not None:
        for place in range(len(kept.levels)):
            columns[f"low{place}"] = kept.low[place][places]
            columns[f"high{place}"] = kept.high[place][places]
    when = _when(found, line)
    plain = {name: values.astype(float).tolist() for name, values in columns.items()}
    return [
        {"at": at, **{name: values[number] for name, values in plain.items()}}
        for number, at in enumerate(when)
    ]


def _when(found: Found, line: Line) -> list[Any]:
    """Return the time of each step as Vega reads it, or its row."""
    kept = found.kept
    first = kept.origins[line.targets]
    if kept.times is None:
        ahead = line.outputs // max(kept.answers.shape[1] // kept.horizon, 1)
        return [int(row) for row in first + ahead]
    step = _usual_step(kept.times, kept.origins)
    ahead = line.outputs // max(kept.answers.shape[1] // kept.horizon, 1)
    return [said_time(int(t)) for t in kept.times[line.targets] + ahead * step]


def _usual_step(times: Any, origins: Any) -> int:
    """Return nanoseconds between rows that follow each other."""
    near = np.diff(origins) == 1
    steps = np.diff(times)[near]
    return int(np.median(steps)) if len(steps) else 0
