"""A saved view of MLflow's run list: a sweep's trials, best first, metrics as columns. Pure.

MLflow keeps a saved view as a tag of its experiment, in the form that its own page writes
("Views", then "Save as new view"); a page that does not know a part of it leaves that part out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sweep.history.goal import searched
from sweep.results.columns import shown_in, varying
from sweep.results.results import Results

TAG_PREFIX = "mlflow.sharedViewState."
_MOST_COLUMNS = 16
_MOST_CURVES = 100  # MLflow's line charts get slow beyond that
_MOST_POLES = 9  # MLflow takes 20,000 characters a tag; this many need 4,000


def saved_view(results: Results, sweep_uid: str) -> tuple[str, str]:
    """Return the experiment's tag that holds the view: its key and its value.

    The same sweep always gives the same key, so that writing it again replaces it. It opens at
    `#/experiments/ID/runs?viewStateShareKey=KEY`.
    """
    moment = round(1000 * (results.state.opened_at or 0.0))
    envelope = {
        "name": f"{results.config.name}: trials, best first",
        "createdAt": moment,
        "updatedAt": moment,
        "state": json.dumps(_state(results, sweep_uid), separators=(",", ":")),
    }
    return TAG_PREFIX + share_key(sweep_uid), json.dumps(envelope)


def share_key(sweep_uid: str) -> str:
    """Return the part of the tag's key that stands in the view's address."""
    return f"sweep-{sweep_uid}"


def _state(results: Results, sweep_uid: str) -> dict[str, Any]:
    leading = results.goal.leading
    objective = f"objective/{leading.metric}" if results.several_objectives else "objective"
    trials = searched(results.trials)
    params = varying(trials)
    tracked = (c.tracked.partition(".") for c in shown_in("mlflow", results) if c.tracked)
    columns = [_key(kind, name) for kind, _, name in tracked][:_MOST_COLUMNS]
    charts, sections = _charts(objective, leading.metric, params[:_MOST_POLES])
    return {
        # The sweep's own run has no source.
        "searchFilter": f"tags.`sweep.uid` = '{sweep_uid}' and tags.`sweep.source` != 'replicate'",
        "orderByKey": _key("metrics", objective),
        "orderByAsc": leading.sign > 0,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        "datasetsFilter": [],
        "selectedColumns": columns,
        "runsHiddenMode": "SHOW_ALL" if len(trials) <= _MOST_CURVES else "FIRST_20_RUNS",
        "compareRunCharts": charts,
        "compareRunSections": sections,
        "isAccordionReordered": True,  # ours first; MLflow adds one for each group of metrics
    }


def _charts(
    objective: str, metric: str, params: list[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return parallel coordinates of all trials, then curves of validation and training."""
    sections = [
        _section("Parallel coordinates", columns=1, card_height=460),
        _section("Learning curves", columns=3, card_height=360),
    ]
    charts = [
        _chart("PARALLEL", sections[0], "Parameters and objective")
        | {"selectedParams": params, "selectedMetrics": [objective], "showAllRuns": True}
    ]
    charts += [
        _chart("LINE", sections[1], key) | _LINE | {"metricKey": key}
        for key in dict.fromkeys((f"val/{metric}", "val/loss", "train/loss"))
    ]
    return charts, sections


_LINE: dict[str, Any] = {
    "selectedMetricKeys": None,
    "lineSmoothness": 0,
    "scaleType": "linear",
    "xAxisKey": "step",
    "xAxisScaleType": "linear",
    "selectedXAxisMetricKey": "",
    "yAxisKey": "metric",
    "yAxisExpressions": [],
    "ignoreOutliers": False,
    "range": {},
    "useGlobalXaxisKey": True,
    "useGlobalLineSmoothing": True,
}


def _section(name: str, columns: int, card_height: int) -> dict[str, Any]:
    return {
        "columns": columns, "cardHeight": card_height,
        "uuid": _uuid(name), "name": name, "display": True, "isReordered": False,
        "deleted": False, "isGenerated": False,
    }  # fmt: skip


def _chart(kind: str, section: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {
        "type": kind, "uuid": _uuid(kind + name), "metricSectionId": section["uuid"],
        "deleted": False, "isGenerated": False, "displayName": name, "runsCountToCompare": 10,
    }  # fmt: skip


def _key(kind: str, name: str) -> str:
    return f"{kind}.`{name}`"


def _uuid(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"rnn-sweep/{name}"))
