"""The report's table of naive forecasts beside the best trial."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from sweep.history.baselines import TEST, VALIDATION, values_of
from sweep.log.kinds import Baselined
from sweep.report.tables import html_table
from sweep.results.naive import verdict
from sweep.results.results import Results
from sweep.words.console import short


def naive_section(results: Results) -> str:
    """Return the naive forecasts, best first, the verdict before them; empty where there are none.

    The best trial stands above them, the leading objective before other metrics.
    """
    baselines, best, leading = results.state.baselines, results.best(), results.goal.leading
    if baselines is None:
        return ""
    columns = _columns(baselines, leading.metric)
    rows: list[tuple[int | None, list[tuple[str, Any]]]] = []
    if best is not None:
        own = {VALIDATION: best.best, TEST: best.test}
        cells = [own[part].get(metric) for part, metric in columns]
        rows.append((best.number, _row(f"trial {best.number}, the best", cells)))
    values = values_of(baselines, leading.metric)
    for name in sorted(baselines.metrics, key=lambda one: leading.cost(values.get(one))):
        cells = [baselines.metrics[name].get(part, {}).get(metric) for part, metric in columns]
        about = baselines.about.get(name)
        rows.append((None, _row(f"{name}: {about}" if about else name, cells)))
    heads = [f"{part} {metric}{_in_unit(results, metric)}" for part, metric in columns]
    said = verdict(results)
    above = f'<p class="verdict">{escape(said)}</p>' if said else ""
    return above + html_table(["forecast", *heads], rows) + _below(baselines)


def _columns(baselines: Baselined, leading: str) -> list[tuple[str, str]]:
    """Return part and metric of each column."""
    there = {
        (part, metric): None
        for parts in baselines.metrics.values()
        for part, values in parts.items()
        for metric in values
    }
    metrics = list(dict.fromkeys(metric for _, metric in there))
    metrics.sort(key=lambda metric: metric != leading)
    both = [(part, metric) for metric in metrics for part in (VALIDATION, TEST)]
    return [column for column in both if column in there]


def _row(name: str, values: Sequence[float | None]) -> list[tuple[str, Any]]:
    return [(name, None), *((short(value), value) for value in values)]


def _in_unit(results: Results, metric: str) -> str:
    unit = results.unit(metric)
    return f" ({unit})" if unit else ""


def _below(baselines: Baselined) -> str:
    notes = [f"{name}: {note}" for name, note in baselines.notes.items()]
    notes += [f"no {name}: {reason}" for name, reason in baselines.left_out.items()]
    return f'<p class="soft">{escape("; ".join(notes))}</p>' if notes else ""
