"""The shell of a self-contained page: style, script and the trials that tooltips show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

from sweep.history.state import TrialState
from sweep.report.svg import role_styles
from sweep.results.results import Results
from sweep.words.console import duration, setting, short


def page(title: str, body: str, trials: Sequence[dict[str, Any]]) -> str:
    """Return a whole HTML page that needs no network.

    Args:
        body: Markup; what a user wrote must be escaped in it already.
        trials: As `trial_facts` gives them.
    """
    style = f"{role_styles()}\n{_file('page.css')}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body>{body}\n"
        f'<script type="application/json" id="trials">{json_in_script(list(trials))}</script>\n'
        f"<script>{_file('page.js')}</script></body></html>\n"
    )


def section(name: str, title: str, body: str) -> str:
    """Return a section of a page, under its title."""
    return f'<section id="{name}"><h2>{escape(title)}</h2>{body}</section>'


def json_in_script(value: Any) -> str:
    """Return JSON that can't end the script element it stands in, whatever its texts hold."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)  # ASCII only
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def trial_facts(results: Results) -> tuple[dict[str, object], ...]:
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


def _file(name: str) -> str:
    return (files("sweep.report") / "assets" / name).read_text(encoding="utf-8")
