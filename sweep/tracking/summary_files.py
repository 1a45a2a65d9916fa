"""The files on a sweep's page in MLflow: its file, its plots, its best trials. Pure."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import yaml

from sweep.history.goal import ranked
from sweep.history.ledger import Ledger
from sweep.report.document import render_report
from sweep.report.page import plot_page, trial_facts
from sweep.report.plots import all_plots
from sweep.results.columns import shown_in
from sweep.results.results import Results
from sweep.words.console import short
from sweep.words.redaction import masked

TOP = 20


def summary_files(
    results: Results, ledger: Ledger, importances: Mapping[str, float]
) -> dict[str, bytes]:
    """Return the files' contents by path."""
    opened = results.state.first_opened
    columns, rows = top_table(results)
    said = {} if opened is None else asdict(opened)
    environment = {k: said[k] for k in ("versions", "commit", "machine", "host") if k in said}
    files: dict[str, Any] = {
        "report.html": render_report(results),
        "sweep.yaml": yaml.safe_dump(_config(results), sort_keys=False, allow_unicode=True),
        "space.json": _json(said.get("space") or {}),
        "environment.json": _json(environment),
        "data.json": _json(said.get("data") or {}),
        "importances.json": _json(dict(importances)),
        "ledger.json": _json({"busy_fraction": ledger.busy_fraction, **ledger.entries()}),
        # As mlflow.log_table writes a table.
        "top.json": _json({"columns": columns, "data": rows}),
        "top.csv": _csv(columns, rows),
        "top.html": _html(results.config.name, columns, rows),
    }
    trials = trial_facts(results)
    for plot in all_plots(results):
        files[f"plots/{plot.name}.html"] = plot_page(plot, trials)
        if plot.spec:
            files[f"plots/{plot.name}.png"] = plot.png()
    return {
        path: content.encode() if isinstance(content, str) else content
        for path, content in files.items()
    }


def top_table(results: Results) -> tuple[list[str], list[list[Any]]]:
    """Return the best trials, best first; of their parameters only those that differ."""
    columns = shown_in("mlflow", results)
    best = ranked(results.trials, results.goal)[:TOP]
    rows = [[column.value(results, trial) for column in columns] for trial in best]
    return [column.title(raw=True) for column in columns], rows


def _config(results: Results) -> Any:
    return masked(results.config.model_dump(mode="json"))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, default=str)


def _csv(columns: list[str], rows: list[list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _html(title: str, columns: list[str], rows: list[list[Any]]) -> str:
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(short(cell))}</td>" for cell in row) + "</tr>"
        for row in rows
    )
    return (
        "<!doctype html><meta charset='utf-8'>"
        f"<title>{html.escape(title)}: best trials</title>"
        "<style>body{font:14px system-ui,sans-serif;margin:1.5em}table{border-collapse:collapse}"
        "th,td{padding:.3em .8em;border-bottom:1px solid #ddd;text-align:right}"
        "th{border-bottom:2px solid #888}</style>"
        f"<h1>{html.escape(title)}: best trials</h1>\n"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>\n"
    )
