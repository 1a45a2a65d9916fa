"""The efficiency ledger: where the workers' time went, folded from the log. Pure.

Every second that a sweep had a worker for is in exactly one entry, up to clocks that differ.
Epochs that an attempt reported after the checkpoint from which the next one went on were trained
twice: the first time counts as lost. What a dead worker trained and never reported is idle time
here, since nobody saw it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields

from sweep.log.event import Event
from sweep.log.kinds import (
    Asked,
    Closed,
    Completed,
    Failed,
    Opened,
    Pruned,
    Recalled,
    Reported,
    Resized,
    Started,
)

_ENDS = {Completed: "complete", Pruned: "pruned", Failed: "failed"}
_REPEATS = {"audit": "audits", "replicate": "replicates"}


@dataclass(frozen=True)
class Ledger:
    """Seconds of all workers together.

    Attributes:
        available: Workers times wall time of all sessions; the sum of the entries below.
        complete: Training that stands, of complete trials.
        pruned: Training of trials that were pruned later.
        failed: Training of trials that diverged or raised.
        unfinished: Training of trials that run, wait or are paused.
        audits: Training of pruned trials' repetitions, which tell what pruning cost.
        replicates: Training of finalists with other seeds.
        lost: Epochs that had to be trained again after a death.
        other: Checkpoints, evaluation of finalists and the like: busy, but not training.
        starting: From a session's beginning to its first training.
        idle: The rest.
    """

    available: float = 0.0
    complete: float = 0.0
    pruned: float = 0.0
    failed: float = 0.0
    unfinished: float = 0.0
    audits: float = 0.0
    replicates: float = 0.0
    lost: float = 0.0
    other: float = 0.0
    starting: float = 0.0
    idle: float = 0.0

    @property
    def busy(self) -> float:
        """Seconds in which workers did something."""
        return self.available - self.starting - self.idle

    @property
    def busy_fraction(self) -> float:
        """Share of the time from first training to the end that workers were busy."""
        span = self.available - self.starting
        return self.busy / span if span > 0 else 0.0

    def entries(self) -> dict[str, float]:
        """Return the entries that add up to `available`, in the order of reading."""
        return {field.name: getattr(self, field.name) for field in fields(self)[1:]}

    def metrics(self) -> dict[str, float]:
        """Return what MLflow shows of it."""
        seconds = {**asdict(self), "busy": self.busy}
        named = {f"ledger/{name}_seconds": value for name, value in seconds.items()}
        return {**named, "ledger/busy_fraction": self.busy_fraction}


@dataclass(slots=True)
class _Training:
    """One trial's training: seconds of each epoch that stands, until it ends."""

    entry: str | None
    attempt: int = 0
    ended: str | None = None
    seconds: array[float] = field(default_factory=lambda: array("d"))
    total: float = 0.0

    def sum(self) -> float:
        return self.total + sum(self.seconds)


@dataclass
class _Session:
    """One coordinator's life: what it had, and since when it trained."""

    since: float
    workers: int
    before: float = 0.0
    starting: float | None = None
    trained: float = 0.0

    def available(self, now: float) -> float:
        """Return the seconds of all its workers until now."""
        return self.before + self.workers * max(now - self.since, 0.0)

    def resize(self, now: float, workers: int) -> None:
        """Go on with another number of workers."""
        self.before, self.since, self.workers = self.available(now), now, workers


@dataclass
class LedgerFold:
    """Folds events, in the log's order, into a ledger."""

    _trials: dict[int, _Training] = field(default_factory=dict)
    _lost: float = 0.0
    _available: float = 0.0
    _starting: float = 0.0
    _other: float = 0.0
    _session: _Session | None = None
    _last: float = 0.0

    def apply(self, event: Event) -> None:
        """Fold one event."""
        match event.what:
            case Opened(workers=workers):
                self._close(None)
                self._session = _Session(event.time, workers)
            case Resized(workers):
                if self._session is not None:
                    self._session.resize(event.time, workers)
            case Closed(busy_seconds=busy_seconds):
                self._last = event.time
                self._close(busy_seconds)
            case Asked(source=source) if event.trial is not None:
                self._trials[event.trial] = _Training(_REPEATS.get(source))
            case _ if event.trial is not None:
                self._apply_trial(self._trials[event.trial], event)
        self._last = max(self._last, event.time)

    def ledger(self) -> Ledger:
        """Return the ledger as it stands after the last event."""
        entries = dict.fromkeys(("complete", "pruned", "failed", "unfinished"), 0.0)
        entries |= dict.fromkeys(_REPEATS.values(), 0.0)
        for trial in self._trials.values():
            entries[trial.entry or trial.ended or "unfinished"] += trial.sum()
        available, starting, _ = self._counted()
        other = self._other
        used = sum(entries.values()) + self._lost + other + starting
        available = max(available, used)  # clocks of several machines differ
        return Ledger(
            available=available,
            lost=self._lost,
            other=other,
            starting=starting,
            idle=available - used,
            **entries,
        )

    def _apply_trial(self, trial: _Training, event: Event) -> None:
        match event.what:
            case Started(from_epoch=kept):
                self._start(trial, kept, event)
            case Reported(train_seconds=seconds):
                self._report(trial, seconds, event)
            case Completed() | Pruned() | Failed() as end if trial.ended is None:
                trial.ended = _ENDS[type(end)]
                if not isinstance(end, Pruned):  # which may be recalled
                    trial.total, trial.seconds = trial.sum(), array("d")
            case Recalled():
                trial.ended = None

    def _start(self, trial: _Training, kept: int, event: Event) -> None:
        self._lost += sum(trial.seconds[kept:])
        del trial.seconds[kept:]
        trial.attempt = event.attempt or 0
        if self._session is not None and self._session.starting is None:
            self._session.starting = self._session.available(event.time)

    def _report(self, trial: _Training, seconds: float, event: Event) -> None:
        late = event.attempt is not None and event.attempt < trial.attempt
        if late or trial.ended is not None or (event.epoch or 0) <= len(trial.seconds):
            return
        trial.seconds.append(seconds)
        if self._session is not None:
            self._session.trained += seconds

    def _close(self, busy_seconds: float | None) -> None:
        """Count the session that ends here; one that was killed ends with its last event."""
        if self._session is None:
            return
        self._available, self._starting, trained = self._counted()
        if busy_seconds is not None:
            self._other += max(busy_seconds - trained, 0.0)
        self._session = None

    def _counted(self) -> tuple[float, float, float]:
        session = self._session
        if session is None:
            return self._available, self._starting, 0.0
        available = session.available(self._last)
        starting = available if session.starting is None else session.starting
        return self._available + available, self._starting + starting, session.trained


def ledger_of(events: Iterable[Event]) -> Ledger:
    """Return the ledger of a log."""
    fold = LedgerFold()
    for event in events:
        fold.apply(event)
    return fold.ledger()
