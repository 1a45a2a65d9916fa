"""What MLflow raises, turned into the sink's two answers: try again later, or this run is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mlflow.exceptions import MlflowException
from requests.exceptions import RequestException
from sqlalchemy.exc import SQLAlchemyError

from sweep.outage import RunGone, TrackerUnavailable
from sweep.tracking_uri import is_server, shown

_LINE_CHARACTERS = 200
_GONE_CODES = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "INVALID_STATE"})
_UNKNOWN_USER = ("error code 401", "You are not authenticated")


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
                f"MLflow at {shown(self.uri)} needs a driver, but: {_one_line(error)}; install it, "
                "then `rnn-sweep sync`"
            ) from error
        except (RequestException, SQLAlchemyError, OSError) as error:
            raise TrackerUnavailable(self._away_line(error)) from error

    def _away_line(self, error: Exception) -> str:
        if is_server(self.uri) and any(words in str(error) for words in _UNKNOWN_USER):
            return (
                f"MLflow at {shown(self.uri)} takes no writes: it refuses user or password; set "
                "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, then `rnn-sweep sync`"
            )
        return f"MLflow at {shown(self.uri)} takes no writes ({_one_line(error)})"


def gone_line(name: str) -> str:
    """Say that a run can't be written; what MLflow says may follow."""
    return f"run {name!r} can't be written any more, it was deleted or changed in MLflow;"


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return shown(lines[0])[:_LINE_CHARACTERS]
