"""A chart as plain data: marks in a unit square, drawn as SVG for a page and as PNG for a file.

Plots decide where everything lies (`sweep.report.plots`), `svg` and `png` only draw: the two
pictures of a plot can't disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sweep.report.scales import Tick


class Role(StrEnum):
    """What a mark stands for; it decides colour and shape (see `COLORS`)."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    RUNNING = "running"
    BEST = "best"
    TRAIN = "train"
    VALIDATION = "validation"
    QUIET = "quiet"
    LIMIT = "limit"


# Okabe & Ito's palette: told apart with any colour vision, and by lightness in print.
COLORS = {
    Role.COMPLETE: "#0072b2",
    Role.PRUNED: "#e69f00",
    Role.FAILED: "#d55e00",
    Role.RUNNING: "#009e73",
    Role.BEST: "#111111",
    Role.TRAIN: "#d55e00",
    Role.VALIDATION: "#0072b2",
    Role.QUIET: "#9aa3ad",
    Role.LIMIT: "#777777",
}
# Part of viridis, light to dark: readable on white at both ends.
SHADES = ("#a5db36", "#4ac16d", "#1fa187", "#277f8e", "#365c8d", "#46327e", "#440154")


class Dot(NamedTuple):
    """One trial at a point of the panel."""

    x: float
    y: float
    role: Role
    trial: int | None = None
    shade: float | None = None


class Line(NamedTuple):
    """A line through points of the panel; a trial's, or one that belongs to all."""

    points: tuple[tuple[float, float], ...]
    role: Role
    trial: int | None = None
    shade: float | None = None
    faint: bool = False


class Bar(NamedTuple):
    """A box from (x0, y0) to (x1, y1), with a text at its end."""

    x0: float
    y0: float
    x1: float
    y1: float
    role: Role
    text: str = ""


@dataclass(frozen=True)
class Axis:
    """An axis along the panel's edge."""

    label: str = ""
    ticks: tuple[Tick, ...] = ()


@dataclass(frozen=True)
class Pole:
    """A vertical axis of parallel coordinates, standing at `x`."""

    x: float
    label: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Panel:
    """One coordinate system; sizes in pixels, `left` is the room for the vertical labels."""

    x: Axis = Axis()
    y: Axis = Axis()
    title: str = ""
    dots: tuple[Dot, ...] = ()
    lines: tuple[Line, ...] = ()
    bars: tuple[Bar, ...] = ()
    poles: tuple[Pole, ...] = ()
    width: int = 900
    height: int = 300
    left: int = 64


@dataclass(frozen=True)
class Plot:
    """One plot of a sweep.

    Attributes:
        name: File name without its ending.
        panels: What is drawn; none where the sweep holds nothing to draw.
        legend: Which role is what.
        note: One line below: how to read it, or why there is nothing.
        trials: Gives what tooltips show of each trial (`page.trial_facts`).
    """

    name: str
    title: str
    panels: tuple[Panel, ...] = ()
    legend: tuple[tuple[Role, str], ...] = ()
    note: str = ""
    trials: Callable[[], Sequence[dict[str, object]]] = tuple

    @property
    def fragment(self) -> str:
        """The plot as a part of a page that holds style and script (`page.page`)."""
        from sweep.report.svg import figure

        return figure(self)

    @property
    def html(self) -> str:
        """The plot as a page of its own, which needs no network."""
        from sweep.report.page import page, section

        body = section(self.name, self.title, self.fragment)
        return page(self.title, f"<main>{body}</main>", self.trials())

    def png(self) -> bytes:
        """Return the plot as a PNG picture."""
        from sweep.report.png import png

        return png(self)


def shade_color(shade: float) -> str:
    """Return the colour of a shade: 0 is light, 1 is dark."""
    place = min(max(shade, 0.0), 1.0) * (len(SHADES) - 1)
    low = min(int(place), len(SHADES) - 2)
    pairs = zip(_channels(SHADES[low]), _channels(SHADES[low + 1]), strict=True)
    mixed = (round(a + (b - a) * (place - low)) for a, b in pairs)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _channels(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))
