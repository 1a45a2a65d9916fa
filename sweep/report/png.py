"""Draws a plot as PNG, with matplotlib; no window, no global state."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from sweep.report.chart import COLORS, Line, Panel, Plot, Role, shade_color

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 110
_TEXT = "#333333"
_MARKERS = {Role.FAILED: "x"}
_HOLLOW = (Role.PRUNED, Role.RUNNING)
_LINES = (Role.BEST, Role.TRAIN, Role.VALIDATION, Role.LIMIT)


def png(plot: Plot) -> bytes:
    """Return the plot as a PNG picture."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = plot.panels or (Panel(height=120),)
    columns = max(1, 900 // max(panel.width for panel in panels))
    rows = -(-len(panels) // columns)
    height = rows * max(panel.height for panel in panels) / 80 + 0.7
    picture = Figure(figsize=(11.0, height), dpi=_DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(picture)
    picture.suptitle(plot.title, fontsize=13, color=_TEXT)
    for index, panel in enumerate(panels):
        _draw(picture.add_subplot(rows, columns, index + 1), panel)
    if not plot.panels:
        picture.axes[0].set_axis_off()
        picture.axes[0].text(0.5, 0.5, plot.note, ha="center", color=_TEXT)
    elif plot.legend:
        handles = [_handle(role, text) for role, text in plot.legend]
        picture.legend(
            handles=handles, loc="outside lower center", ncols=len(handles), frameon=False
        )
    file = io.BytesIO()
    picture.savefig(file, format="png")
    return file.getvalue()


def _draw(axes: Axes, panel: Panel) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.03, 1.03)
    if panel.title:
        axes.set_title(_plain(panel.title), fontsize=10, color=_TEXT, loc="left")
    for side in axes.spines.values():
        side.set_visible(False)
    axes.tick_params(labelsize=8, colors=_TEXT, length=3)
    _draw_axes(axes, panel)
    for bar in panel.bars:
        box = (bar.x0, bar.y0), bar.x1 - bar.x0, bar.y1 - bar.y0
        _add_box(axes, *box, COLORS[bar.role])
        if bar.text:
            middle = (bar.y0 + bar.y1) / 2
            axes.text(bar.x1 + 0.01, middle, _plain(bar.text), va="center", fontsize=8)
    _draw_lines(axes, panel)
    _draw_dots(axes, panel)


def _draw_axes(axes: Axes, panel: Panel) -> None:
    if not panel.poles:
        _set_ticks(axes.xaxis, panel.x.ticks, panel.x.label)
        _set_ticks(axes.yaxis, panel.y.ticks, panel.y.label)
        axes.grid(visible=True, axis="y", color="#e3e6e9", linewidth=0.7)
        axes.set_axisbelow(True)
        return
    axes.set_xlim(-0.08, 1.04)
    axes.set_yticks([])
    axes.set_xticks(
        [pole.x for pole in panel.poles], [_plain(pole.label) for pole in panel.poles], fontsize=8
    )
    back = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}
    for pole in panel.poles:
        axes.axvline(pole.x, color="#555555", linewidth=0.8, zorder=4)
        for tick in pole.ticks:
            axes.text(
                pole.x - 0.008, tick.at, _plain(tick.text), fontsize=7, ha="right", va="center",
                bbox=back, zorder=5,
            )  # fmt: skip


def _draw_lines(axes: Axes, panel: Panel) -> None:
    from matplotlib.collections import LineCollection

    if panel.lines:
        axes.add_collection(
            LineCollection(
                [line.points for line in panel.lines],
                colors=[_color(line.role, line.shade) for line in panel.lines],
                linewidths=[_line_width(line) for line in panel.lines],
                alpha=[0.35 if line.faint else 0.9 for line in panel.lines],
            ),
            autolim=False,
        )


def _draw_dots(axes: Axes, panel: Panel) -> None:
    for role in dict.fromkeys(dot.role for dot in panel.dots):
        dots = [dot for dot in panel.dots if dot.role is role]
        colors = [_color(role, dot.shade) for dot in dots]
        style: dict[str, Any] = {"c": colors}
        if role in _HOLLOW:
            style = {"facecolors": "white", "edgecolors": colors}
        axes.scatter(
            [dot.x for dot in dots], [dot.y for dot in dots], s=20, linewidths=1.1,
            marker=_MARKERS.get(role, "o"), zorder=3, clip_on=False, **style,
        )  # fmt: skip


def _line_width(line: Line) -> float:
    return 0.8 if line.faint else 1.4


def _color(role: Role, shade: float | None) -> str:
    return COLORS[role] if shade is None else shade_color(shade)


def _set_ticks(axis: Any, ticks: Any, label: str) -> None:
    axis.set_ticks([tick.at for tick in ticks], [_plain(tick.text) for tick in ticks])
    axis.set_label_text(_plain(label), fontsize=9, color=_TEXT)


def _add_box(
    axes: Axes, corner: tuple[float, float], width: float, height: float, color: str
) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle(corner, width, height, facecolor=color, alpha=0.85))


def _handle(role: Role, text: str) -> Any:
    from matplotlib.lines import Line2D

    if role in _LINES:
        return Line2D([], [], color=COLORS[role], label=_plain(text))
    marker = _MARKERS.get(role, "o")
    face = "white" if role in _HOLLOW else COLORS[role]
    style: dict[str, Any] = {"marker": marker, "linestyle": "", "markerfacecolor": face}
    return Line2D([], [], color=COLORS[role], label=_plain(text), **style)


def _plain(text: str) -> str:
    return text.replace("$", r"\$")  # a name must not be read as a formula
