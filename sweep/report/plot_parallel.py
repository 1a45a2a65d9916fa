"""Parallel coordinates: one line a trial through its parameters to the leading objective. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from sweep.history.state import TrialState
from sweep.report.chart import GRAY, PINK, WIDTH, Chart, Plot, Role, Rows, nothing, plot, rows_of
from sweep.report.drawn import jitter, role_of, thinned, thinned_note
from sweep.report.layers import lines, shaded
from sweep.report.plots_of_parameters import (
    NONE_DIFFERS,
    judged,
    judged_scale,
    log_mark,
    scales_of,
)
from sweep.report.scales import ChoiceScale, Scale
from sweep.results.results import Results
from sweep.words.console import settings

_MAX_POLES = 10
_MAX_STRONG = 40
_HEIGHT = 360


def parallel(results: Results) -> Plot:
    """Return the plot; the page lets a range be dragged along each of its axes."""
    title, metric = "Parallel coordinates", results.goal.leading.metric
    trials, names = judged(results)
    names = names[:_MAX_POLES]
    if not names:
        return nothing("parallel", title, NONE_DIFFERS)
    shown = thinned(results, trials)
    scales = {**scales_of(results, trials, names), "": judged_scale(results, trials)}
    order = sorted(shown, key=lambda trial: (results.goal.leading_cost(trial), trial.number))
    rows = [_row(results, trial, place, len(order), scales) for place, trial in enumerate(order)]
    rows.sort(key=lambda row: (row["strong"], row["shade"]))  # the best ones on top
    labels = [(name or metric) + log_mark(scale) for name, scale in scales.items()]
    note = (
        "the darker, the better; thin lines: the rest, and trials that did not complete. Drag "
        "along an axis to keep the trials that cross it there, click it to let go"
    )
    best = order[0]
    summary = f"{len(trials):,} trials over {', '.join(labels)}. The best, {best.number}: "
    return plot(
        "parallel", title, _chart(len(labels)),
        {"lines": rows, "brushes": [], **_poles(labels, list(scales.values()))},
        note=thinned_note(note, shown, trials), summary=summary + settings(best.params),
    )  # fmt: skip


def _row(
    results: Results, trial: TrialState, place: int, count: int, scales: Mapping[str, Scale]
) -> dict[str, Any]:
    """Return a trial's line: its places on the axes it has a value on, and how good it is."""
    values = {**trial.params, "": results.goal.leading_value(trial)}
    points = [
        (axis, round(_spread(scale, values[name], trial.number), 4))
        for axis, (name, scale) in enumerate(scales.items())
        if name in values
    ]
    complete = role_of(trial) is Role.COMPLETE
    return {
        "trial": trial.number,
        "axis": [axis for axis, _ in points],
        "at": [at for _, at in points],
        "shade": round(1 - place / max(1, count - 1), 3),
        "strong": complete and place <= max(_MAX_STRONG, count // 10),
    }


def _spread(scale: Scale, value: Any, number: int) -> float:
    """Return the value's place; choices are spread a little, or their lines would be one."""
    at = scale.at(value)
    return at + 0.28 * jitter(number) / len(scale.choices) if isinstance(scale, ChoiceScale) else at


def _poles(labels: Sequence[str], scales: Sequence[Scale]) -> dict[str, Rows]:
    return {
        "poles": [{"axis": axis, "name": label} for axis, label in enumerate(labels)],
        "ticks": [
            {"axis": axis, "at": tick.at, "text": tick.text}
            for axis, scale in enumerate(scales)
            for tick in scale.ticks
        ],
    }


def _chart(axes: int) -> Chart:
    x = alt.X("axis:Q", axis=None, scale=alt.Scale(domain=[-0.4, axes - 0.8], nice=False))
    y = alt.Y("at:Q", axis=None, scale=alt.Scale(domain=[0, 1]))
    legend = alt.Legend(
        title="worst to best", titleFontWeight="normal", titleOrient="left", values=[],
        gradientLength=160,
    )  # fmt: skip
    poles = rows_of("poles").encode(x=x)
    ticks = rows_of("ticks").encode(x=x, y=y)
    texts = ticks.encode(text="text:N")
    brush = rows_of("brushes").mark_rect(color=PINK, fillOpacity=0.15, stroke=PINK, width=16)
    names = (
        poles.transform_filter(f"datum.axis % 2 == {odd}")
        .mark_text(limit=180)
        .encode(text="name:N", y=alt.value(_HEIGHT + 18 + 17 * odd))
        for odd in (0, 1)
    )
    return alt.layer(
        lines("lines", shaded(legend), ("axis", "at"), x=x, y=y),
        poles.mark_rule(color=GRAY, strokeWidth=1.2).encode(y=alt.value(0), y2=alt.value(_HEIGHT)),
        ticks.mark_tick(orient="horizontal", size=6, color=GRAY),
        texts.mark_text(align="right", dx=-6, stroke="white", strokeWidth=3),
        texts.mark_text(align="right", dx=-6),
        *names,
        brush.encode(x=x, y=alt.Y("low:Q", axis=None), y2="high:Q"),
    ).properties(width=WIDTH + 60, height=_HEIGHT)
