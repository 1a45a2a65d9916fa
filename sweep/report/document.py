"""A sweep's report: one HTML page that needs no network and no server. Pure: results in, text out.

What stands in it is folded from the log alone, so the page is the same whoever makes it, and from
a sweep that still runs it says how far that is.
"""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import Any

from sweep.history.goal import searched
from sweep.report import plots
from sweep.report.answers.sections import answer_plots, mistakes_section
from sweep.report.diagnosis import diagnosis_plot
from sweep.report.efficiency import ledger_plot
from sweep.report.naive_table import naive_section
from sweep.report.page import figure, page, section, trial_facts
from sweep.report.tables import audit_section, ensemble_section, replicates_section, top_table
from sweep.results.results import Results
from sweep.words.console import duration, setting, settings, short
from sweep.words.redaction import masked


def render_report(results: Results) -> str:
    """Return the whole page."""
    answers = answer_plots(results)
    charts = [*plots.all_plots(results), diagnosis_plot(results)]
    ledger = ledger_plot(results)
    parts = [
        ("top", "Best trials", top_table(results)),
        ("ensemble", "Ensemble of the finalists", ensemble_section(results)),
        ("naive", "Beside naive forecasts", naive_section(results)),
        ("finalists", "Finalists over seeds", replicates_section(results)),
        *((plot.name, plot.title, figure(plot)) for plot in answers),
        ("mistakes", "Answers that are most wrong", mistakes_section(results)),
        *((plot.name, plot.title, figure(plot)) for plot in charts),
        ("audit", "What pruning cost", audit_section(results)),
        (ledger.name, ledger.title, figure(ledger)),
    ]
    shown = [(name, title, body) for name, title, body in parts if body]
    links = "".join(f'<a href="#{name}">{escape(title)}</a>' for name, title, _ in shown)
    sections = "\n".join(section(name, title, body) for name, title, body in shown)
    body = f"{_header(results, links)}\n<main>{sections}</main>"
    title = f"{results.config.name}: sweep report"
    return page(title, body, [*answers, *charts, ledger], trial_facts(results))


def _header(results: Results, links: str) -> str:
    config = results.config
    best = results.best()
    states = [results.status_of(trial) for trial in searched(results.trials)]
    counts = ", ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(states)) or "no trial yet"
    tiles = [("trials", f"{len(states)}"), ("trained", duration(results.state.busy_seconds))]
    if best is not None:
        objectives = zip(results.goal.objectives, results.goal.values(best), strict=True)
        tiles = [(f"best {o.metric}", short(value)) for o, value in objectives] + tiles
        metric = results.goal.leading.metric
        if metric in best.test:
            tiles.insert(1, (f"test {metric}", short(best.test[metric])))
    boxes = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for name, value in tiles
    )
    closed = results.state.closed
    ended = "not running" if closed is None else closed.reason
    state = "running" if results.is_running else ended
    lines = [
        f"Data: {_data(results)}",
        f"Search: {config.search.sampler}, "
        + ", ".join(f"{o.direction} {o.metric}" for o in results.goal.objectives)
        + f", pruning {config.search.pruning.rule}, seed {config.search.seed}",
        f"Trials: {counts} ({state})",
    ]
    if best is not None:
        lines.append(f"Best: trial {best.number}, {settings(best.params)}")
    text = "".join(f'<p class="soft">{escape(line)}</p>' for line in lines)
    return (
        f'<header class="top"><h1>{escape(config.name)}</h1>{text}'
        f'<div class="tiles">{boxes}</div><nav>{links}</nav></header>'
    )


def _data(results: Results) -> str:
    source, opened = results.config.data, results.state.first_opened
    known = {**masked(source.options), **({} if opened is None else asdict(opened.data))}
    told = ", ".join(f"{name} {setting(v)}" for name, v in known.items() if _is_plain(name, v))
    return f"{source.source}{': ' if told else ''}{told}"


def _is_plain(name: str, value: Any) -> bool:
    return name != "digest" and isinstance(value, str | int | float) and len(str(value)) < 80
