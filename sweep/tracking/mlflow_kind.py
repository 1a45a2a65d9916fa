"""MLflow as a tracker: a server or database, or a file that takes one writer at a time."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.config.tracking import TrackerKind
from sweep.config.tracking_uri import ARTIFACT_FOLDER, local_store

if TYPE_CHECKING:
    from sweep.tracking.client import MlflowWriter

_ENVIRONMENT = {
    # We retry ourselves: mlflow's own blind repeats of a POST leave runs twice.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_TIMEOUT_SECONDS = "15"
_SERVERS_WRITERS = 4  # a server is slow to answer, and takes several


def _open(uri: str, experiment: str, directory: Path) -> MlflowWriter:
    os.environ.update(_ENVIRONMENT)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", _TIMEOUT_SECONDS)
    from sweep.tracking.client import MlflowWriter  # takes two seconds: nobody else waits for it

    artifacts = directory / ARTIFACT_FOLDER / experiment
    return MlflowWriter(uri, experiment, artifacts, own_store=uri == local_store(directory))


SERVER = TrackerKind(_open, writers=_SERVERS_WRITERS, models=True)
FILE = TrackerKind(_open, models=True)
