"""The layers that plots are made of: axes, one dot or one line a trial, bars. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from sweep.report.chart import COLORS, PINK, Chart, Role, rows_of
from sweep.report.scales import NumberScale, Scale
from sweep.words.console import setting

_CROSS = "M-.7,-.7L.7,.7M.7,-.7L-.7,.7"
_FILLED = (Role.COMPLETE, Role.WENT_ON)
_IS_LIT = "datum.trial === lit"
_IS_OFF = "off[datum.trial]"
_IS_STRONG = "datum.strong"
_FAINT = 0.05
# Part of viridis, light to dark: readable on white at both ends.
_SHADES = ("#a5db36", "#4ac16d", "#1fa187", "#277f8e", "#365c8d", "#46327e", "#440154")


def number_axis(field: str, scale: NumberScale, title: str) -> dict[str, Any]:
    """Return the channel of numbers on an axis; what is off the axis lies at its end."""
    kind = {"type": "log"} if scale.log else {"type": "linear", "zero": False}
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": {**kind, "domain": [scale.low, scale.high], "clamp": True, "nice": False},
        "axis": {"values": scale.values, "format": ".5~g"},
    }


def parameter_axes(field: str, scale: Scale, title: str) -> dict[str, Any]:
    """Return the horizontal channels of a parameter; choices' dots are spread by `jitter`."""
    if isinstance(scale, NumberScale):
        return {"x": number_axis(field, scale, title)}
    names = [setting(choice) for choice in scale.choices]
    x = alt.X(f"{field}:N", title=title, scale=alt.Scale(domain=names))
    return {"x": x.axis(labelAngle=0), "xOffset": jittered()}


def jittered() -> alt.XOffset:
    """Return the channel that spreads the dots of one choice over its room."""
    return alt.XOffset("jitter:Q", scale=alt.Scale(domain=[-1.8, 1.8]))


def dots(name: str, roles: Iterable[Role], **axes: Any) -> Chart:
    """Return one dot a row, coloured and shaped by the row's `role`; the lit trial's stands out."""
    present = set(roles)
    known = [role for role in Role if role in present]
    base = rows_of(name).encode(**axes)
    fills = [COLORS[r] if r in _FILLED else "white" for r in known]
    shapes = [_CROSS if r is Role.FAILED else "circle" for r in known]
    every = base.mark_point(size=38, strokeWidth=1.4).encode(
        stroke=_by_role(known, [COLORS[r] for r in known], alt.Stroke),
        fill=_by_role(known, fills, alt.Fill),
        shape=_by_role(known, shapes, alt.Shape),
        strokeOpacity=_opacity(0.9),
        fillOpacity=_opacity(0.75),
    )
    lit = base.transform_filter(_IS_LIT).mark_point(size=110, filled=True, color=PINK, opacity=1)
    return every + lit


def lines(name: str, color: Any, lists: list[Any], **axes: Any) -> Chart:
    """Return one line a row through the points that its two `lists` hold.

    Rows that are `strong` get thick lines; the lit trial's stands out.
    """
    base = rows_of(name).encode(detail="trial:N", **axes)
    tests = [{"test": _IS_OFF, "value": _FAINT}, {"test": _IS_STRONG, "value": 0.9}]
    every = base.transform_flatten(lists).mark_line(strokeJoin="round").encode(
        color=color,
        strokeWidth=alt.condition(_IS_STRONG, alt.value(1.8), alt.value(1)),
        strokeOpacity={"condition": tests, "value": 0.3},
    )  # fmt: skip
    lit = base.transform_filter(_IS_LIT).transform_flatten(lists)
    return every + lit.mark_line(color=PINK, strokeWidth=3.5, strokeJoin="round")


def shaded(legend: alt.Legend | None = None) -> alt.Color:
    """Return the colour of a line by the row's `shade`: 1 is the best trial, and dark."""
    scale = alt.Scale(domain=[0, 1], range=list(_SHADES))
    return alt.Color("shade:Q", legend=legend, scale=scale)


def bars(name: str, largest: float) -> Chart:
    """Return a horizontal bar a row (`name`, `value`, `color`), with its `text` at the end."""
    base = rows_of(name).encode(
        x=alt.X("value:Q", axis=None, scale=alt.Scale(domain=[0, 1.15 * largest])),
        y=alt.Y("name:N", sort=None, title=None),
    )
    drawn = base.mark_bar(height={"band": 0.62}).encode(color=alt.Color("color:N", scale=None))
    texts = base.mark_text(align="left", dx=6).encode(text="text:N")
    return (drawn + texts).properties(height=alt.Step(30), width=760)


def _by_role(roles: Sequence[Role], values: Sequence[str], channel: Any) -> Any:
    scale = alt.Scale(domain=[str(role) for role in roles], range=list(values))
    return channel("role:N", scale=scale)


def _opacity(usual: float) -> Any:
    return alt.condition(_IS_OFF, alt.value(_FAINT), alt.value(usual))
