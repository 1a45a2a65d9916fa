"""Fetches a logged model's folder from MLflow, whatever the current tracking URI is.

MLflow itself resolves `models:/` at the process's current URI only, so names are resolved here.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

import mlflow.artifacts
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from requests.exceptions import RequestException
from sqlalchemy.exc import SQLAlchemyError

from sweep.errors import UserError
from sweep.words.redaction import shown

_MODELS = re.compile(r"^models:/(?P<name>[^/@]+)(@(?P<alias>[^/]+)|/(?P<version>[^/]+))?$")
_RUNS = re.compile(r"^runs:/(?P<run>[^/]+)/(?P<name>[^/]+)$")


def download(uri: str, tracking_uri: str, folder: Path) -> Path:
    """Download a model.

    Args:
        uri: `models:/NAME@ALIAS`, `models:/NAME/VERSION`, `models:/ID`, `runs:/ID/NAME`, or where
            artifacts lie.
        tracking_uri: The store or server that knows the name.
        folder: Where to.

    Raises:
        UserError: there is no such model, or MLflow does not answer.
    """
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        found = mlflow.artifacts.download_artifacts(
            artifact_uri=_location(uri, tracking_uri),
            dst_path=str(folder),
            tracking_uri=tracking_uri,
            registry_uri=tracking_uri,
        )
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".;")
        raise UserError(
            f"{uri} must be a model at {shown(tracking_uri)}, but: {shown(line)}; set "
            "MLFLOW_TRACKING_URI where it is recorded elsewhere."
        ) from error
    return Path(found)


def _location(uri: str, tracking_uri: str) -> str:
    """Return where a model's files lie."""
    client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
    if match := _MODELS.match(uri):
        name, alias, version = match["name"], match["alias"], match["version"]
        if alias is None and version is None:
            return str(client.get_logged_model(name).artifact_location)
        if alias is not None:
            version = client.get_model_version_by_alias(name, alias).version
        elif version == "latest":
            found = client.search_model_versions(f"name = '{name}'")
            version = str(max((int(v.version) for v in found), default=1))
        return str(client.get_model_version_download_uri(name, str(version)))
    if match := _RUNS.match(uri):
        outputs = client.get_run(match["run"]).outputs
        for output in outputs.model_outputs if outputs is not None else ():
            logged = client.get_logged_model(output.model_id)
            if logged.name == match["name"]:
                return str(logged.artifact_location)
    return uri
