"""The table of a sweep's trials: best first, with as many columns as fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from sweep.history.goal import searched
from sweep.history.state import TrialState
from sweep.results.columns import shown_in
from sweep.results.results import Results

_STATE_STYLES = {"complete": "green", "pruned": "yellow", "failed": "red", "running": "cyan"}
_STATE_ORDER = ("complete", "pruned", "running", "paused", "failed")
_GAP = 2


def results_table(results: Results, width: int) -> Table:
    """Return the trials, best first, with as many columns as fit into `width` characters.

    Replicates have a table of their own (`sweep.cli.printing_replicates`). Headings are broken
    between words, since cells are narrower.
    """
    trials = sorted(searched(results.trials), key=lambda trial: _best_first(results, trial))
    shown: list[tuple[str, list[str]]] = []
    hidden, used = [], 0
    for column in shown_in("table", results):
        cells = [column.cell(results, trial) for trial in trials]
        if not (column.leads or any(cell.strip("-") for cell in cells)):
            continue  # there is nothing to say of any trial
        title = column.title().replace(" ", "\n")
        wide = max(map(len, (*title.split("\n"), *cells))) + _GAP
        if column.leads or used + wide <= width:
            shown.append((title, cells))
            used += wide
        else:
            hidden.append(column.header or column.name)
    caption = f"not shown: {', '.join(hidden)} (see --format csv)" if hidden else None
    return _table(results, trials, shown, caption)


def _table(
    results: Results,
    trials: Sequence[TrialState],
    shown: Sequence[tuple[str, Sequence[str]]],
    caption: str | None,
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", caption=caption)
    table.caption_justify = "left"
    for title, cells in shown:
        words = any(cell.isalpha() for cell in cells)
        table.add_column(title, justify="left" if words else "right", no_wrap=True)
    for index, trial in enumerate(trials):
        cells = [column[index] for _, column in shown]
        table.add_row(*cells, style=_STATE_STYLES.get(results.status_of(trial)))
    return table


def _best_first(results: Results, trial: TrialState) -> tuple[Any, ...]:
    state = _STATE_ORDER.index(results.status_of(trial))
    return (state, not results.goal.allows(trial), results.goal.leading_cost(trial), trial.number)
