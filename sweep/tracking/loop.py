"""Read the log, fold, write, commit the offset: the sink's loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.config.tracking import TRACKERS, scheme_of
from sweep.config.tracking_uri import default_tracking_uri, sink_name, uri_problem
from sweep.errors import GaveUp, RunGone
from sweep.log.event_log import EventLog
from sweep.log.kinds import Closed
from sweep.log.process import LogWriter
from sweep.tracking.delivery import Delivery
from sweep.tracking.finalists import FinalistModels
from sweep.tracking.machine_load import MachineLoad
from sweep.tracking.outage import Retrier
from sweep.tracking.run import milliseconds
from sweep.tracking.sink import SinkFold, SweepFacts
from sweep.tracking.summary import Summary
from sweep.words.redaction import shown

if TYPE_CHECKING:
    from sweep.tracking.run import RunWrite
    from sweep.tracking.tracker import Tracker

_PAGE_EVENTS = 5_000
_SHORTEST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 1.0
_HOLD_SECONDS = 3.0  # a run that began later and has no metric yet comes next time


@dataclass(frozen=True)
class SyncResult:
    """How far MLflow is.

    Attributes:
        uri: Where the record lies, without secrets.
        written: Number of the last event that MLflow holds.
        behind: Events that still wait in the log.
        complaint: Why they wait, in one line; None when MLflow took everything it was given.
    """

    uri: str
    written: int
    behind: int
    complaint: str | None = None


@dataclass(frozen=True)
class SinkOptions:
    """How a sink is run.

    Attributes:
        notify: Takes one line when the tracker goes away or comes back.
        coordinator: Whose log it follows.
        uri: Tracking URI instead of the configured one.
        patience_seconds: How long to wait for a tracker that does not answer, once there is no
            coordinator to wait for.
        page: Make the sweep's page as well: plots, tables, the note.
    """

    notify: Callable[[str], None]
    coordinator: LogWriter = field(default_factory=LogWriter)
    uri: str | None = None
    patience_seconds: float = 30.0
    page: bool = True


class Sink:
    """Writes one sweep's log to its tracker, until the log ends or the tracker stays away."""

    def __init__(self, directory: Path, log: EventLog, options: SinkOptions) -> None:
        """Prepare; nothing is written before `run`."""
        notify = options.notify
        config = log.config() or {}
        tracking = config.get("tracking", {})
        self._directory = directory
        self._log = log
        self._uri = options.uri or default_tracking_uri(directory, tracking.get("uri"))
        self._experiment: str = tracking.get("experiment") or log.sweep
        self._name = sink_name(directory, self._uri, self._experiment)
        self._fold = SinkFold(SweepFacts(log.uid(), log.sweep, config))
        self._notify = notify
        self._coordinator = options.coordinator
        self._patience_seconds = options.patience_seconds
        self._follow = False
        self._pause_seconds = _SHORTEST_PAUSE_SECONDS
        self._alone_since: float | None = None
        self._summary = Summary(directory / log.sweep, log, self._name, notify, wanted=options.page)
        self._retrier = Retrier(notify, self._is_hopeless)
        self._models = FinalistModels(
            directory / log.sweep, log, self._uri, self._experiment, notify
        )
        self._load = MachineLoad() if tracking.get("system_metrics") else None
        self._stopping: Callable[[], bool] = lambda: False
        self._waited: tuple[int, float] = (-1, time.monotonic())

    def run(self, *, follow: bool) -> SyncResult:
        """Write everything there is; with `follow`, also what is still to come."""
        self._follow = follow
        problem = uri_problem(self._uri)
        if problem is not None:
            self._notify(f"tracking: {problem}; training goes on, the log keeps everything.")
            return self.result(problem)
        kind = TRACKERS[scheme_of(self._uri)]
        tracker = kind.open(self._uri, self._experiment, self._directory)
        delivery = Delivery(lambda write: self._write(tracker, write), kind.writers)
        self._retrier.sleep, self._stopping = delivery.stopping.wait, delivery.stopping.is_set
        try:
            self._rewind(tracker)
            while self._step(tracker, delivery):
                pass
            if self._coordinator.is_gone(self._fold.opened):
                delivery.deliver(self._fold.abandoned())
            self._summary.finish(tracker, self._fold.seq)
        except GaveUp as error:
            self._notify(f"tracking: gave up for now: {error}; `rnn-sweep sync` writes the rest.")
            return self.result(str(error))
        finally:
            delivery.close()
        return self.result()

    def result(self, complaint: str | None = None) -> SyncResult:
        """Return how far MLflow is now."""
        written = self._log.offset(self._name)
        behind = self._log.last_seq() - written
        return SyncResult(shown(self._uri), written, behind, complaint if behind else None)

    def is_worth_waiting(self) -> bool:
        """Whether another process that holds the lock gets on with what we would write."""
        state = self.result()
        offset, since = self._waited
        if state.written != offset:
            self._waited = (state.written, time.monotonic())
            return state.behind > 0
        return state.behind > 0 and time.monotonic() - since < self._patience_seconds

    # -- one round -----------------------------------------------------------------------------

    def _rewind(self, tracker: Tracker) -> None:
        """Fold again, without writing, what MLflow has: its buffers are needed to go on."""
        last_seq, uid = self._log.last_seq(), self._log.uid()
        existed = self._retrier.call(lambda: tracker.connect(uid, last_seq))
        if not existed:
            self._log.set_offset(self._name, 0)  # the store was deleted, or never written
            self._summary.forget()
            return
        offset = self._log.offset(self._name)
        for event in self._log.read():
            if event.seq > offset:
                break
            self._fold.apply(event)
        self._fold.settle()

    def _step(self, tracker: Tracker, delivery: Delivery) -> bool:
        """Read, write and commit once; return whether there may be more to come."""
        over = self._is_over()  # asked before reading: what came before the end is read now
        page = list(islice(self._log.read(self._fold.seq), _PAGE_EVENTS))
        for event in page:
            self._fold.apply(event)
        full = len(page) == _PAGE_EVENTS
        hold_from = (time.time() - _HOLD_SECONDS) * 1000 if self._follow else float("inf")
        delivery.deliver(self._fold.take(float("inf") if over else hold_from))
        closed = [event.seq for event in page if isinstance(event.what, Closed)]
        if closed:
            # Models take seconds: whoever waits for us sees that everything else is written.
            self._log.set_offset(self._name, closed[-1] - 1)
            if TRACKERS[scheme_of(self._uri)].models:
                self._models.write(self._retrier.call)
        if page:
            self._log.set_offset(self._name, self._fold.seq)
        if over and not full and not (page and self._follow):
            return False
        if not over and not full and not self._is_over():
            if self._load is not None:
                delivery.deliver(self._fold.load(self._load.sample(), milliseconds(time.time())))
            self._summary.refresh(tracker)
            self._pause(had_events=bool(page))
        return True

    def _write(self, tracker: Tracker, write: RunWrite) -> None:
        try:
            self._retrier.call(lambda: tracker.write(write))
        except RunGone as error:
            self._notify(f"tracking: {error} the rest of the sweep goes on.")

    def _pause(self, *, had_events: bool) -> None:
        longer = min(1.5 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)
        self._pause_seconds = _SHORTEST_PAUSE_SECONDS if had_events else longer
        time.sleep(self._pause_seconds)

    def _is_over(self) -> bool:
        """Whether no more events are to be waited for."""
        if not self._follow:
            return True
        closed = self._fold.closed_seq > self._coordinator.known_seq
        return closed or self._coordinator.is_gone(self._fold.opened)

    def _is_hopeless(self, away_seconds: float) -> bool:
        """Whether to leave the rest to a later `rnn-sweep sync`."""
        if self._stopping():
            return True
        if not self._follow:
            return away_seconds >= self._patience_seconds
        if not self._coordinator.is_gone(self._fold.opened):
            self._alone_since = None
            return False
        if self._alone_since is None:
            self._alone_since = time.monotonic()
        return time.monotonic() - self._alone_since >= self._patience_seconds
