"""Reads back from MLflow what the sink wrote of a sweep, and who is champion."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mlflow.entities import LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from requests.exceptions import RequestException
from sqlalchemy.exc import SQLAlchemyError

from sweep.config.tracking_uri import is_sqlite
from sweep.errors import TrackerUnavailable
from sweep.models.recorder import CHAMPION
from sweep.words.redaction import shown

_PAGE = 1000
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


@dataclass(frozen=True)
class RecordedRun:
    """One run as MLflow has it.

    Attributes:
        steps: Of the metrics that were asked for, every step, in order, twice if told twice.
        metrics: The last value of every metric.
    """

    status: str
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    steps: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Record:
    """One sweep as MLflow has it.

    Attributes:
        parents: Runs that say they are the sweep's own.
        trials: Runs by the trial's uid; several of one uid are an error.
        models: Ids of the models that are ready, by the trial's uid.
    """

    parents: tuple[RecordedRun, ...] = ()
    trials: Mapping[str, tuple[RecordedRun, ...]] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)


def read_record(uri: str, experiment: str, sweep_uid: str, keys: Iterable[str]) -> Record:
    """Read a sweep's runs and models.

    Args:
        uri: Tracking URI.
        experiment: The experiment's name.
        sweep_uid: The sweep's unique id.
        keys: Metrics whose steps to read.

    Raises:
        TrackerUnavailable: MLflow does not answer.
    """
    with _one_line(uri):
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        found = client.get_experiment_by_name(experiment)
        if found is None:
            return Record()
        own = f"tags.`sweep.uid` = '{sweep_uid}'"
        runs = list(client.search_runs([found.experiment_id], own, max_results=_PAGE))
        parents = [run for run in runs if run.data.tags.get("sweep.kind") == "sweep"]
        ids = {run.info.run_id for run in parents}
        trials: dict[str, list[RecordedRun]] = {}
        wanted = tuple(keys)
        for run in runs:
            if run.data.tags.get("mlflow.parentRunId") in ids:
                uid = run.data.tags.get("sweep.trial_uid", "")
                trials.setdefault(uid, []).append(_recorded(client, run, wanted))
        return Record(
            tuple(_recorded(client, run, ()) for run in parents),
            {uid: tuple(of_uid) for uid, of_uid in trials.items()},
            _models(client, found.experiment_id, set(trials)),
        )


def champion_tags(uri: str, name: str) -> dict[str, str] | None:
    """Return the tags of a registered model's champion; None where there is none.

    Raises:
        TrackerUnavailable: MLflow does not answer.
    """
    if is_sqlite(uri) and not Path(uri.removeprefix("sqlite:///")).is_file():
        return None  # asking would make the store
    with _one_line(uri):
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        try:
            return dict(client.get_model_version_by_alias(name, CHAMPION).tags)
        except MlflowException as error:
            if error.error_code in _ABSENT:
                return None
            raise


def _recorded(client: MlflowClient, run: Run, keys: tuple[str, ...]) -> RecordedRun:
    histories = {key: client.get_metric_history(run.info.run_id, key) for key in keys}
    steps = {key: tuple(sorted(p.step for p in points)) for key, points in histories.items()}
    return RecordedRun(run.info.status, run.data.tags, run.data.metrics, steps)


def _models(client: MlflowClient, experiment_id: str, uids: set[str]) -> dict[str, str]:
    found = client.search_logged_models([experiment_id])
    return {
        model.tags["sweep.trial_uid"]: str(model.model_id)
        for model in found
        if model.status == LoggedModelStatus.READY and model.tags.get("sweep.trial_uid") in uids
    }


@contextmanager
def _one_line(uri: str) -> Iterator[None]:
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".;")
        raise TrackerUnavailable(
            f"MLflow at {shown(uri)} must answer, but: {shown(line)[:200]}"
        ) from error
