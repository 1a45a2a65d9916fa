"""Copies a model's folder to where MLflow keeps artifacts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository

_THREADS = 8


def upload(folder: Path, location: str, tracking_uri: str) -> None:
    """Copy a folder's files to an artifact location.

    A server takes one request a file, and MLflow sends them one after the other: some forty small
    files take a second. Here several are under way at once.
    """
    repository = get_artifact_repository(location, tracking_uri=tracking_uri)
    if not isinstance(repository, HttpArtifactRepository):
        repository.log_artifacts(str(folder))  # type: ignore[no-untyped-call]
        return

    def send(path: Path) -> None:
        place = path.relative_to(folder).parent.as_posix()
        to = None if place == "." else place
        repository.log_artifact(str(path), to)  # type: ignore[no-untyped-call]

    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(send, files))  # raises what the first of them raised
