"""A back-test as a picture: each forecast's error, origin by origin."""

from __future__ import annotations

import math
from html import escape

import altair as alt

from sweep.report.chart import (
    BLACK,
    BLUE,
    GRAY,
    GREEN,
    ORANGE,
    PINK,
    VERMILION,
    WIDTH,
    Plot,
    plot,
    rows_of,
)
from sweep.report.page import figure, page, section
from sweep.results.backtest import Backtest
from sweep.words.console import short

_SKY, _BROWN = "#56b4e9", "#8c564b"
_COLORS = (
    BLUE,
    ORANGE,
    GREEN,
    VERMILION,
    PINK,
    GRAY,
    _SKY,
    BLACK,
    _BROWN,
)  # finalists and naive ones
_HEIGHT = 320


def origins_plot(found: Backtest) -> Plot:
    """Return the leading metric of each forecast by origin; lines at the side are the means."""
    metric, forecasts = found.objective.metric, found.forecasts
    unit = found.units.get(metric, "")
    points = [
        {"place": place + 1, "origin": row.origin, "forecast": name, "value": value}
        for place, row in enumerate(found.rows)
        for name in forecasts
        if (value := row.metrics.get(name, {}).get(metric)) is not None and math.isfinite(value)
    ]
    order = [row.origin for row in found.rows]
    color = alt.Color("forecast:N", scale=alt.Scale(domain=forecasts, range=_colors(forecasts)))
    base = rows_of("points").encode(
        x=alt.X("origin:N", sort=order, title="origin", axis=alt.Axis(labelAngle=0)),
        y=alt.Y(
            "value:Q", title=f"{metric} ({unit})" if unit else metric, scale=alt.Scale(zero=False)
        ),
        color=color,
        tooltip=["origin:N", "forecast:N", "value:Q"],
    )
    chart = (base.mark_line(strokeWidth=1.5) + base.mark_point(filled=True, size=60)).properties(
        width=WIDTH, height=_HEIGHT
    )
    means = ((name, found.estimate(name, metric)) for name in forecasts)
    said = ", ".join(f"{name} {short(one.mean)}" for name, one in means if one is not None)
    return plot(
        "backtest", found.title, chart, {"points": points},
        note="each point is judged on the stretch from its origin to the next one; "
        f"means: {said}",
        summary=f"Mean {metric} over {len(found.rows)} origins: {said}.",
    )  # fmt: skip


def _colors(forecasts: list[str]) -> list[str]:
    return [_COLORS[place % len(_COLORS)] for place in range(len(forecasts))]


def backtest_page(found: Backtest) -> str:
    """Return a page that needs no network: the picture and the table."""
    drawn = origins_plot(found)
    metric, forecasts = found.objective.metric, found.forecasts
    head = "".join(
        f'<th class="text">{escape(name)}</th>' for name in ("origin", "windows", *forecasts)
    )
    lines = [
        [
            row.origin,
            f"{row.windows:,}",
            *(short(row.metrics.get(n, {}).get(metric)) for n in forecasts),
        ]
        for row in found.rows
    ]
    estimates = [found.estimate(name, metric) for name in forecasts]
    lines += [
        ["mean", "", *(short(None if one is None else one.mean) for one in estimates)],
        ["± sd", "", *(short(None if one is None else one.deviation) for one in estimates)],
        ["95 % from", "", *(short(None if one is None else one.low) for one in estimates)],
        ["to", "", *(short(None if one is None else one.high) for one in estimates)],
    ]
    body = "".join(
        "<tr>" + "".join(f'<td class="text">{escape(cell)}</td>' for cell in line) + "</tr>"
        for line in lines
    )
    rows = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    table = f'<div class="scroll"><table>{rows}</table></div>'
    parts = section(drawn.name, drawn.title, figure(drawn)) + section("table", "By origin", table)
    title = f"{found.name}: backtest"
    header = f'<header class="top"><h1>{escape(title)}</h1></header>'
    return page(title, f"{header}\n<main>{parts}</main>", [drawn], [])
