"""Which trackers there are, by the scheme of their URI, and what each says of itself.

MLflow's own lies in `sweep/tracking`. An installed package adds a tracker by an entry point of the
group `rnn_sweep.trackers`, named as the scheme; `sweep.tracking.conformance` holds it to the
contract.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainers.registry import Registry


@dataclass(frozen=True)
class TrackerKind:
    """What a tracker says of itself to the rest of the house.

    Attributes:
        open: Returns a `sweep.tracking.tracker.Tracker` from URI, experiment and --dir folder;
            reaches for nothing before `connect`.
        writers: Runs that may be written at the same time.
        models: Whether finalists are logged there as MLflow models.
    """

    open: Callable[[str, str, Path], Any]
    writers: int = 1
    models: bool = False


_SERVER, _FILE = "sweep.tracking.mlflow_kind:SERVER", "sweep.tracking.mlflow_kind:FILE"
TRACKERS: Registry[TrackerKind] = Registry(
    "rnn_sweep.trackers",
    "the scheme of tracking.uri",
    TrackerKind,
    {
        "http": _SERVER,
        "https": _SERVER,
        "sqlite": _FILE,
        "postgresql": _SERVER,
        "mysql": _SERVER,
        "mssql": _SERVER,
        "databricks": _SERVER,
    },
)


def scheme_of(uri: str) -> str:
    """Return what a URI begins with; a database's driver is left out."""
    return uri.partition(":")[0].partition("+")[0]
