"""What MLflow shall hold of a whole sweep: its params, its tags, the data it is about. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sweep.history.baselines import VALIDATION
from sweep.log.kinds import Baselined, DataFacts, Opened
from sweep.tracking.run import DataPart, text

_DIGEST_CHARACTERS = 36  # as many as MLflow takes


def sweep_params(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the sweep's settings that no resume may change (MLflow's params are final)."""
    search, run = config.get("search", {}), config.get("run", {})
    objectives = search.get("objectives") or ()
    values = {
        "data.source": config.get("data", {}).get("source"),
        "space.base": config.get("space", {}).get("base"),
        "search.sampler": search.get("sampler"),
        "search.seed": search.get("seed"),
        "search.pruning": search.get("pruning", {}).get("rule"),
        "search.objectives": " ".join(f"{o['direction']} {o['metric']}" for o in objectives)
        or None,
        "run.order": run.get("order"),
    }
    return {name: text(value) for name, value in values.items() if value is not None}


def data_params(data: DataFacts) -> dict[str, str]:
    """Return what the first session says for good: the data."""
    return {"data.name": data.name, "data.task": data.task, "data.digest": data.digest}


def opened_tags(opened: Opened) -> dict[str, str]:
    """Return where a session runs, and with what."""
    tags: dict[str, Any] = {"host": opened.host, "workers": opened.workers}
    tags |= {f"version.{name}": v for name, v in opened.versions.items()}
    tags |= {f"machine.{name}": v for name, v in opened.machine.items()}
    # MLflow's own names: its pages show them as the run's source and version.
    tags |= {"mlflow.source.git.commit": opened.commit}
    tags |= {"mlflow.source.name": "rnn-sweep", "mlflow.source.type": "LOCAL"}
    return {name: text(value) for name, value in tags.items() if value not in (None, "", [])}


def baseline_metrics(baselines: Baselined) -> dict[str, float]:
    """Return the naive forecasts' metrics: `baseline/ridge/rmse`, `baseline/test/ridge/rmse`."""
    return {
        f"baseline/{'' if part == VALIDATION else f'{part}/'}{name}/{metric}": value
        for name, parts in baselines.metrics.items()
        for part, values in parts.items()
        for metric, value in values.items()
    }


def data_parts(data: DataFacts, config: Mapping[str, Any]) -> tuple[DataPart, ...]:
    """Return the parts of the data, as the first session describes them."""
    return tuple(
        # MLflow keeps one of several inputs with the same name and digest.
        _part(f"{data.name}/{part}", data, config, part, json.dumps(asdict(facts)))
        for part, facts in data.parts.items()
    )


def whole_data(data: DataFacts, config: Mapping[str, Any]) -> tuple[DataPart, ...]:
    """Return the data as one thing, which finalists are linked to.

    Not every trial: over HTTP the call would cost a short trial a third more of the server's time.
    """
    if not data.parts:
        return ()
    profile = json.dumps({part: facts.sequences for part, facts in data.parts.items()})
    return (_part(data.name, data, config, "train, validation", profile),)


def _part(
    name: str, data: DataFacts, config: Mapping[str, Any], context: str, profile: str
) -> DataPart:
    source = json.dumps({"source": text(config.get("data", {}).get("source"))})
    return DataPart(name, data.digest[:_DIGEST_CHARACTERS], source, context, profile)
