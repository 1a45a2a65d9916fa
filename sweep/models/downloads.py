"""Fetches a logged model's folder from MLflow."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import mlflow.artifacts
from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException
from sqlalchemy.exc import SQLAlchemyError

from sweep.errors import UserError
from sweep.tracking_uri import shown


def download(uri: str, tracking_uri: str, folder: Path) -> Path:
    """Download a model.

    Args:
        uri: `models:/…` or `runs:/…`, or where artifacts lie.
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
            artifact_uri=uri,
            dst_path=str(folder),
            tracking_uri=tracking_uri,
            registry_uri=tracking_uri,
        )
    except (MlflowException, RequestException, SQLAlchemyError, OSError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"{uri} must be a model at {shown(tracking_uri)}, but: {shown(line)}; set "
            "MLFLOW_TRACKING_URI where it is recorded elsewhere."
        ) from error
    return Path(found)
