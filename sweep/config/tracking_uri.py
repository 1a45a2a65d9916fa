"""Where MLflow's record of a sweep lies, and how that place is named to people."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from sweep.config.tracking import TRACKERS, scheme_of
from sweep.words.redaction import shown
from trainers.registry import UnknownEntry

STORE_FILE = "mlflow.db"
ARTIFACT_FOLDER = "mlartifacts"


def local_store(directory: Path) -> str:
    """Return the URI of the SQLite store that the sweeps of one --dir folder share."""
    return f"sqlite:///{directory.resolve() / STORE_FILE}"


def default_tracking_uri(directory: Path, configured: str | None = None) -> str:
    """Return where a sweep's record goes.

    The sweep file's `tracking.uri` wins, then the variable MLFLOW_TRACKING_URI, then the SQLite
    store in the --dir folder.
    """
    return configured or os.environ.get("MLFLOW_TRACKING_URI") or local_store(directory)


def is_server(uri: str) -> bool:
    """Whether the URI names a tracking server, not a store that is written directly."""
    return uri.startswith(("http://", "https://"))


def uri_problem(uri: str) -> str | None:
    """Return in one line why no tracker can be at a URI; None where one may be."""
    scheme = scheme_of(uri)
    if uri == "databricks" or (":" in uri and scheme in TRACKERS):
        try:
            TRACKERS[scheme]
        except UnknownEntry as error:
            return f"tracking.uri names the tracker {scheme}:, but {error}"
        return None
    return (
        f"tracking.uri must begin with {', '.join(f'{s}:' for s in TRACKERS)}, but got "
        f"{shown(uri)!r}; correct it in the sweep file or MLFLOW_TRACKING_URI, then run it again"
    )


def name_problem(name: str) -> str | None:
    """Return what a registered model's name must be, where MLflow would refuse this one."""
    if name.strip() and not set(name) & set("/:"):
        return None
    return f"must be a model's name, without / and :, but got {name!r}"


def is_sqlite(uri: str) -> bool:
    """Whether the URI names a SQLite file."""
    return uri.startswith("sqlite:")


def sink_name(directory: Path, uri: str, experiment: str) -> str:
    """Return the name under which the log keeps this record's offset.

    Another store or experiment has an offset of its own, so a sweep whose `tracking` changed on
    resume is written there from its beginning. The folder itself may be moved.
    """
    place = "local" if uri == local_store(directory) else shown(uri)
    digest = hashlib.sha256(f"{place}\n{experiment}".encode()).hexdigest()
    return f"mlflow:{digest[:16]}"
