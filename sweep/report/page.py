"""The shell of a self-contained page: style, charts, the trials that tooltips show, scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import vl_convert

from sweep.history.state import TrialState
from sweep.report.chart import Plot
from sweep.results.results import Results
from sweep.words.console import duration, setting, short

_GLOBALS = "window.vegaEmbed = vegaEmbed;"
Facts = Sequence[dict[str, Any]]


def page(title: str, body: str, plots: Iterable[Plot], trials: Facts) -> str:
    """Return a whole HTML page that needs no network.

    Args:
        body: Markup, with the `figure` of each plot; what a user wrote must be escaped in it.
        trials: As `trial_facts` gives them.
    """
    charts = {plot.name: plot.spec for plot in plots if plot.spec}
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_file('page.css')}</style></head>\n<body>{body}\n"
        f'<script type="application/json" id="trials">{json_in_script(list(trials))}</script>\n'
        f'<script type="application/json" id="charts">{json_in_script(charts)}</script>\n'
        f"<script>{_vega()}</script>\n<script>{_file('page.js')}</script></body></html>\n"
    )


def plot_page(plot: Plot, trials: Facts) -> str:
    """Return a page of one plot."""
    body = section(plot.name, plot.title, figure(plot))
    return page(plot.title, f"<main>{body}</main>", [plot], trials)


def section(name: str, title: str, body: str) -> str:
    """Return a section of a page, under its title."""
    return f'<section id="{name}"><h2>{escape(title)}</h2>{body}</section>'


def figure(plot: Plot) -> str:
    """Return a plot's place on a page, where the page's script draws it; empty without a word."""
    place = (
        f'<div class="chart" data-chart="{plot.name}" tabindex="0" role="group" '
        f'aria-roledescription="chart" aria-label="{escape(plot.spec["description"])}">'
        "<noscript>The charts of this page are drawn by the script in it.</noscript></div>"
        if plot.spec
        else ""
    )
    note = f"<figcaption>{escape(plot.note)}</figcaption>" if plot.note else ""
    return f"<figure>{place}{note}</figure>" if place or note else ""


def json_in_script(value: Any) -> str:
    """Return JSON that can't end the script element it stands in, whatever its texts hold."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)  # ASCII only
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def trial_facts(results: Results) -> tuple[dict[str, Any], ...]:
    """Return what a tooltip says of every trial: number, state, and pairs of name and text."""
    return tuple(
        {
            "number": trial.number,
            "state": results.status_of(trial),
            "rows": [[name, text] for name, text in _rows(results, trial)],
        }
        for trial in results.trials
    )


def _rows(results: Results, trial: TrialState) -> list[tuple[str, str]]:
    goal = results.goal
    values = zip(goal.objectives, goal.values(trial), strict=True)
    rows: list[tuple[str, str]] = [(o.metric, short(value)) for o, value in values]
    rows += [(f"test {name}", short(trial.test[name])) for name in _tested(results, trial)]
    rows += [("epochs", str(trial.epoch)), ("time", duration(trial.train_seconds))]
    if trial.reason:
        rows.append(("reason", trial.reason))
    return rows + [(name, setting(value)) for name, value in trial.params.items()]


def _tested(results: Results, trial: TrialState) -> list[str]:
    return [o.metric for o in results.goal.objectives if o.metric in trial.test]


@cache
def _vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed, which vl-convert holds; bundled once a process."""
    licence = "/* Vega, Vega-Lite, Vega-Embed: (c) Interactive Data Lab and others, BSD-3-Clause */"
    return licence + vl_convert.javascript_bundle(_GLOBALS).replace("</script", "<\\/script")


def _file(name: str) -> str:
    return (files("sweep.report") / "assets" / name).read_text(encoding="utf-8")
