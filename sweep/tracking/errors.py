"""What MLflow raises, turned into the sink's two answers: try again later, or this run is gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException
from sqlalchemy.exc import SQLAlchemyError

from sweep.config.tracking_uri import is_server
from sweep.errors import RunGone, TrackerUnavailable
from sweep.words.redaction import shown

_LINE_CHARACTERS = 200
_GONE_CODES = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "INVALID_STATE"})
_UNKNOWN_USER = ("error code 401", "You are not authenticated")

# What people make of requests' and psycopg's long lines.
_MEANINGS = {
    "Connection refused": "connection refused: no server listens there",
    "Failed to resolve": "its host name is unknown",
    "Name or service not known": "its host name is unknown",
    "Read timed out": "it accepts connections and does not answer",
    "Connection reset": "it dropped the connection",
    "RemoteDisconnected": "it dropped the connection",
    "database or disk is full": "the disk is full",
    "No space left on device": "the disk is full",
}


@dataclass(frozen=True)
class Answers:
    """Reads the exceptions of one tracking URI.

    Attributes:
        check_experiment: Raises TrackerUnavailable when the experiment itself was deleted: its
            runs are not gone then, they come back with it.
    """

    uri: str
    check_experiment: Callable[[], None]

    @contextmanager
    def read(self, run_name: str | None = None) -> Iterator[None]:
        """Call MLflow inside this block; with `run_name`, it is asked to write that run.

        Raises:
            TrackerUnavailable: try again later.
            RunGone: that run takes no writes any more.
        """
        try:
            yield
        except MlflowException as error:
            if run_name is not None and error.error_code in _GONE_CODES:
                self.check_experiment()
                raise RunGone(f"{gone_line(run_name)} MLflow says: {_one_line(error)}") from error
            raise TrackerUnavailable(self._away_line(error)) from error
        except ImportError as error:
            raise TrackerUnavailable(
                f"MLflow at {shown(self.uri)} needs a driver, but: {_one_line(error)}; install it"
            ) from error
        except (RequestException, SQLAlchemyError, OSError) as error:
            raise TrackerUnavailable(self._away_line(error)) from error

    def _away_line(self, error: Exception) -> str:
        if is_server(self.uri) and any(words in str(error) for words in _UNKNOWN_USER):
            return (
                f"MLflow at {shown(self.uri)} takes no writes: it refuses user or password; set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
            )
        return f"MLflow at {shown(self.uri)} takes no writes ({_one_line(error)})"


def gone_line(name: str) -> str:
    """Say that a run can't be written; what MLflow says may follow."""
    return f"run {name!r} can't be written any more, it was deleted or changed in MLflow;"


def _one_line(error: Exception) -> str:
    for sign, meaning in _MEANINGS.items():
        if sign in str(error):
            return meaning
    code = re.search(r"error code (\d{3})", str(error))
    if code is not None:
        return f"it answers {code[1]}: {_said(error)}" if _said(error) else f"it answers {code[1]}"
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return shown(lines[0])[:_LINE_CHARACTERS]


def _said(error: Exception) -> str:
    """Return what a server wrote into its answer, where that is a line for people."""
    body = str(error).partition("Response body: ")[2].strip(" '\"\n")
    first = body.partition("\n")[0]
    return "" if "<" in first else first[:_LINE_CHARACTERS]
