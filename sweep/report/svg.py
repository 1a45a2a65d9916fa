"""Draws a plot as SVG: markup that needs no script to be read, and carries trial numbers for one.

Every mark of a trial has `data-t`, its number; every panel a group `plot` in whose coordinates
marks lie: that is all that `assets/page.js` builds on.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from sweep.report.chart import COLORS, Bar, Dot, Line, Panel, Plot, Pole, Role, shade_color

_TOP, _RIGHT, _BOTTOM = 26, 16, 44
_POLE_ROOM = 70  # at both sides of parallel coordinates, for the labels of the outer poles
_MAX_LABEL = 22


def figure(plot: Plot) -> str:
    """Return the plot as an HTML figure."""
    legend = "".join(
        f'<span><i class="key r-{role}"></i>{escape(text)}</span>' for role, text in plot.legend
    )
    panels = "".join(map(_panel, plot.panels))
    parts = [
        '<figure class="chart">',
        f'<div class="legend">{legend}</div>' if legend else "",
        f'<div class="panels">{panels}</div>' if panels else "",
        f"<figcaption>{escape(plot.note)}</figcaption>" if plot.note else "",
        "</figure>",
    ]
    return "".join(parts)


def role_styles() -> str:
    """Return the style sheet's colours, one class a role."""
    return "\n".join(f".r-{role} {{ --c: {color}; }}" for role, color in COLORS.items())


def _panel(panel: Panel) -> str:
    left, right = (_POLE_ROOM, _POLE_ROOM) if panel.poles else (panel.left, _RIGHT)
    inner = (panel.width - left - right, panel.height - _TOP - _BOTTOM)
    marks = "".join(_marks(panel, *inner))
    kind = ' data-kind="parallel"' if panel.poles else ""
    title = _text(left, 15, panel.title, "title", most=60) if panel.title else ""
    return (
        f'<svg class="panel" viewBox="0 0 {panel.width} {panel.height}" role="img"'
        f' style="max-width:{panel.width * 1.25:.0f}px;flex-basis:{panel.width}px"'
        f' aria-label="{escape(panel.title or panel.y.label)}"{kind}>{title}'
        f'<g class="plot" transform="translate({left} {_TOP})">{marks}</g></svg>'
    )


def _marks(panel: Panel, width: int, height: int) -> Iterator[str]:
    if not panel.poles:
        yield from _axes(panel, width, height)
    yield from (_bar(bar, width, height) for bar in panel.bars)
    yield from (_line(line, width, height) for line in panel.lines)
    yield from (_dot(dot, width, height) for dot in panel.dots)
    for index, pole in enumerate(panel.poles):
        yield _pole(pole, width, height, 22 + 15 * (index % 2))


def _axes(panel: Panel, width: int, height: int) -> Iterator[str]:
    for tick in panel.y.ticks:
        y = height * (1 - tick.at)
        if panel.x.ticks:
            yield f'<path class="grid" d="M0 {y:.1f}H{width}"/>'
        yield _text(-8, y + 4, tick.text, "tick end", most=panel.left // 7)
    for tick in panel.x.ticks:
        yield f'<path class="grid" d="M{tick.at * width:.1f} {height}v4"/>'
        yield _text(tick.at * width, height + 18, tick.text, "tick middle")
    yield f'<path class="edge" d="M0 0V{height}H{width}"/>'
    if panel.x.label:
        yield _text(width / 2, height + 37, panel.x.label, "label middle")
    if panel.y.label:
        place = f'transform="translate({14 - panel.left} {height / 2:.0f}) rotate(-90)"'
        yield f'<text class="label middle" {place}>{escape(_short(panel.y.label, 40))}</text>'


def _bar(bar: Bar, width: int, height: int) -> str:
    x, y = bar.x0 * width, (1 - bar.y1) * height
    wide, high = (bar.x1 - bar.x0) * width, (bar.y1 - bar.y0) * height
    box = (
        f'<rect class="bar r-{bar.role}" x="{x:.1f}" y="{y:.1f}" '
        f'width="{wide:.1f}" height="{high:.1f}"/>'
    )
    return box + (_text(x + wide + 5, y + high / 2 + 4, bar.text, "tick") if bar.text else "")


def _line(line: Line, width: int, height: int) -> str:
    points = " ".join(f"{x * width:.1f},{(1 - y) * height:.1f}" for x, y in line.points)
    faint = " faint" if line.faint else ""
    return f'<polyline class="r-{line.role}{faint}"{_attributes(line)} points="{points}"/>'


def _dot(dot: Dot, width: int, height: int) -> str:
    x, y = dot.x * width, (1 - dot.y) * height
    if dot.role is Role.FAILED:
        cross = f"M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0-7l-7 7"
        return f'<path class="dot r-failed"{_attributes(dot)} data-x="{x:.1f}" d="{cross}"/>'
    return f'<circle class="dot r-{dot.role}"{_attributes(dot)} cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'


def _attributes(mark: Dot | Line) -> str:
    trial = "" if mark.trial is None else f' data-t="{mark.trial}"'
    color = "" if mark.shade is None else f' style="--c:{shade_color(mark.shade)}"'
    return trial + color


def _pole(pole: Pole, width: int, height: int, below: int) -> str:
    x = pole.x * width
    ticks = "".join(
        f'<path class="edge" d="M{x:.1f} {height * (1 - t.at):.1f}h-4"/>'
        + _text(x - 7, height * (1 - t.at) + 4, t.text, "tick end halo")
        for t in pole.ticks
    )
    return (
        f'<g class="pole" data-x="{x:.1f}" data-height="{height}">'
        f'<path class="edge" d="M{x:.1f} 0V{height}"/>{ticks}'
        f"{_text(x, height + below, pole.label, 'label middle')}"
        f'<rect class="grip" x="{x - 14:.1f}" y="0" width="28" height="{height}"/></g>'
    )


def _text(x: float, y: float, text: str, classes: str, most: int = _MAX_LABEL) -> str:
    shown = _short(text, most)
    full = "" if shown == text else f"<title>{escape(text)}</title>"
    return f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}">{escape(shown)}{full}</text>'


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
