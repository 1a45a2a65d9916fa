"""One MLflow run as the sink sees it: what is to be written to it, and what waits."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

_MAX_TAG_CHARACTERS = 500
_MAX_KEY_CHARACTERS = 200
_NOT_IN_KEYS = re.compile(r"[^\w.\- :/]")


class Status(StrEnum):
    """MLflow's run status."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class Point(NamedTuple):
    """One metric value; `time_ms` is the producer's clock, Unix milliseconds."""

    key: str
    value: float
    time_ms: int
    step: int


class DataPart(NamedTuple):
    """One part of the data, as MLflow links it to a run; `digest` is our own, over all rows."""

    name: str
    digest: str
    source: str
    context: str
    profile: str


@dataclass(frozen=True)
class RunWrite:
    """Everything to be written to one run now; writing it twice changes nothing.

    Attributes:
        uid: The sweep's or the trial's unique id; MLflow's run is found again by it.
        asked_seq: Event that brought the run into the world, 0 for the sweep's own.
        status: The status to set, or None to leave it RUNNING as it was created.
        end_ms: End of the run in Unix milliseconds, when `status` is a final one.
        inputs: The data to link.
    """

    uid: str
    name: str
    is_parent: bool
    asked_seq: int
    start_ms: int
    params: Mapping[str, str]
    tags: Mapping[str, str]
    points: list[Point]
    status: Status | None
    end_ms: int | None
    inputs: tuple[DataPart, ...] = ()


@dataclass(slots=True)
class PendingRun:
    """A run and what of it has not been handed out yet."""

    uid: str
    name: str
    is_parent: bool = False
    asked_seq: int = 0
    start_ms: int | None = None
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    dirty: bool = False
    told: bool = False
    inputs: tuple[DataPart, ...] = ()
    _sent_inputs: tuple[DataPart, ...] = ()
    _sent_params: bool = False
    _sent_tags: dict[str, str] = field(default_factory=dict)
    _points: list[Point] = field(default_factory=list)
    _status: Status | None = None
    _sent_status: Status | None = None
    _end_ms: int | None = None

    def tag(self, tags: Mapping[str, str]) -> None:
        """Set tags."""
        self.tags.update(tags)
        self.dirty = True

    def add(self, points: Iterable[Point]) -> None:
        """Add metric values."""
        self._points.extend(points)
        self.dirty = True

    def end(self, status: Status, end_ms: int) -> None:
        """Give the run a final status."""
        self._status, self._end_ms, self.dirty = status, end_ms, True

    def link(self, inputs: tuple[DataPart, ...]) -> None:
        """Link data to the run."""
        self.inputs, self.dirty = inputs, True

    def reopen(self) -> None:
        """Set the run RUNNING again if it was ended."""
        if self._status is not None:
            self._status, self._end_ms = Status.RUNNING, None
        self.dirty = True

    def has_points(self) -> bool:
        """Whether metric values wait to be written."""
        return bool(self._points)

    def has_ended(self) -> bool:
        """Whether the run has a final status."""
        return self._status not in {None, Status.RUNNING}

    def repeat(self) -> None:
        """Tell params, tags and status once more, if the run has begun."""
        self._sent_params, self._sent_tags, self._sent_status = False, {}, None
        self._sent_inputs = ()
        self.told, self.dirty = False, self.start_ms is not None

    def take(self) -> RunWrite:
        """Return what waits, and count it as written."""
        unsent = {k: v for k, v in self.tags.items() if self._sent_tags.get(k) != v}
        write = RunWrite(
            uid=self.uid,
            name=self.name,
            is_parent=self.is_parent,
            asked_seq=self.asked_seq,
            start_ms=self.start_ms or 0,
            params={} if self._sent_params else dict(self.params),
            tags=unsent,
            points=self._points,
            status=None if self._status == self._sent_status else self._status,
            end_ms=self._end_ms,
            inputs=() if self._sent_inputs == self.inputs else self.inputs,
        )
        self._points = []
        self._sent_inputs = self.inputs
        self._sent_params, self._sent_tags, self._sent_status = True, dict(self.tags), self._status
        self.dirty, self.told = False, True
        return write

    def abandoned(self, end_ms: int) -> RunWrite:
        """Return what ends a run whose coordinator was killed; nothing counts as written.

        The next sink tells everything of a live run once more, and so opens it again.
        """
        write = self.aside([])
        return replace(write, tags={"state": "interrupted"}, status=Status.KILLED, end_ms=end_ms)

    def aside(self, points: list[Point]) -> RunWrite:
        """Return metric values that do not come from the log; nothing else counts as written."""
        return RunWrite(
            uid=self.uid,
            name=self.name,
            is_parent=self.is_parent,
            asked_seq=self.asked_seq,
            start_ms=self.start_ms or 0,
            params={},
            tags={},
            points=points,
            status=None,
            end_ms=None,
        )

    def shrink(self) -> None:
        """Forget what an ended run no longer needs; thousands of them stay in memory."""
        self.params, self.tags, self._sent_tags = {}, {}, {}


def milliseconds(seconds: float) -> int:
    """Return Unix seconds as whole milliseconds, as MLflow keeps times."""
    return round(seconds * 1000)


def metric_key(name: str) -> str:
    """Return a metric's name as MLflow takes it: a class may be called anything."""
    parts = _NOT_IN_KEYS.sub("_", name)[:_MAX_KEY_CHARACTERS].split("/")
    return "/".join("_" if part in ("", ".", "..") else part for part in parts)


def numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the finite numbers of `values`: MLflow stores NaN badly and infinity as 1.8e308."""
    return {
        metric_key(name): float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }


def text(value: Any) -> str:
    """Return a value as MLflow's params and tags hold it; numbers stay readable as numbers."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)[:_MAX_TAG_CHARACTERS]
    return json.dumps(value)[:_MAX_TAG_CHARACTERS]
