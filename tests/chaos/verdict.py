"""What the log, the table, MLflow and the machine say after a disturbed sweep."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sweep.log.event import Event
from sweep.log.kinds import Asked, Completed, Failed, Lost, Opened, Pruned, Reported, Started
from tests.chaos.supervisor import Struck

ENDS = Completed | Pruned | Failed
_LOOK_SECONDS = 90.0


@dataclass(frozen=True)
class Recovery:
    """Seconds from one death to the next epoch that an affected trial reported.

    Attributes:
        alone: Whether nothing else was struck in between.
    """

    seconds: float
    alone: bool


@dataclass
class Findings:
    """What is wrong, and what recovering cost."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.left or self.unequal)


def lost_trials(events: Sequence[Event], trials: int) -> list[str]:
    """Return trials that were never asked, have not ended, or ended because workers died."""
    asked = {e.trial for e in events if isinstance(e.what, Asked)}
    ended = {e.trial: e for e in events if isinstance(e.what, ENDS)}
    found = [f"trial {n} was never asked" for n in range(trials) if n not in asked]
    found += [f"trial {n} never ended" for n in sorted(asked - set(ended))]
    late = (e for e in events if isinstance(e.what, Lost | Started) and e.trial in ended)
    for event in (e for e in late if e.seq > ended[e.trial].seq):
        found.append(f"trial {event.trial} had ended, then it was {event.kind}")
    blamed = (e for e in ended.values() if isinstance(e.what, Failed))
    return found + [
        f"trial {e.trial} was given up: {e.what.message}"
        for e in blamed
        if e.what.reason == "worker_died"
    ]


def doubled_events(events: Sequence[Event]) -> list[str]:
    """Return what the log says twice: asks, ends, one attempt's epochs, numbers of events."""
    once = ENDS | Asked | Reported
    counts = Counter(_identity(e) for e in events if isinstance(e.what, once))
    found = [f"{' '.join(map(str, key))}: {n} times" for key, n in counts.items() if n > 1]
    if [e.seq for e in events] != list(range(1, len(events) + 1)):
        found.append("the log's numbers have gaps")
    return found


def _identity(event: Event) -> tuple[object, ...]:
    if isinstance(event.what, Reported):
        return event.kind, event.trial, event.attempt, event.epoch
    return ("end" if isinstance(event.what, ENDS) else event.kind), event.trial


def differences(calm: Sequence[dict], wild: Sequence[dict]) -> list[str]:
    """Return where two tables are not equal to the last bit."""
    rows = {row["number"]: row for row in calm}
    found = [f"{len(calm)} trials, then {len(wild)}"] if len(calm) != len(wild) else []
    for row in wild:
        old = rows.get(row["number"], {})
        keys = [key for key in {**old, **row} if old.get(key) != row.get(key)]
        found += [f"trial {row['number']} {key}: {old.get(key)} / {row.get(key)}" for key in keys]
    return found


# -- what it cost --------------------------------------------------------------------------------


def worker_recoveries(events: Sequence[Event], struck: Sequence[Struck]) -> list[Recovery]:
    """For every worker killed while it trained: until one of its trials reported an epoch.

    No event names a process: a worker's death is the first loss between this kill and the next.
    """
    found = []
    kills = [strike for strike in struck if strike.kind == "worker"]
    for strike, after in zip(kills, [*kills[1:], None], strict=True):
        end = min(strike.time + _LOOK_SECONDS, after.time if after else math.inf)
        losses = [
            e
            for e in events
            if isinstance(e.what, Lost) and e.what.worker_died and strike.time <= e.time < end
        ]
        if losses:
            attempts = {e.trial: e.attempt or 0 for e in losses if e.time < losses[0].time + 1}
            found += _recovered(strike, struck, _next_report(events, strike.time, attempts))
    return found


def coordinator_recoveries(events: Sequence[Event], struck: Sequence[Struck]) -> list[Recovery]:
    """For every coordinator killed: until the next one had an epoch reported."""
    found = []
    for strike in (s for s in struck if s.kind == "coordinator"):
        opened = [e for e in events if isinstance(e.what, Opened) and e.time > strike.time]
        reports = (e for e in events if isinstance(e.what, Reported))
        if opened:
            after = next((e.time for e in reports if e.seq > opened[0].seq), None)
            found += _recovered(strike, struck, after)
    return found


def _next_report(events: Sequence[Event], after: float, attempts: dict) -> float | None:
    times = (
        e.time
        for e in events
        if isinstance(e.what, Reported)
        and e.trial in attempts
        and (e.attempt or 0) > attempts[e.trial]
    )
    return next((time for time in times if time > after), None)


def _recovered(strike: Struck, struck: Sequence[Struck], until: float | None) -> list[Recovery]:
    if until is None:
        return []
    alone = not any(strike.time < other.time < until for other in struck)
    return [Recovery(until - strike.time, alone)]


def trained_again(events: Sequence[Event]) -> list[tuple[int, float]]:
    """For every attempt that was lost: its epochs that another repeated, and their seconds."""
    reports: dict[tuple[int, int], dict[int, float]] = {}
    found, lost = [], {}
    for event in events:
        key = (event.trial, event.attempt)
        if isinstance(event.what, Reported):
            reports.setdefault(key, {})[event.epoch] = event.what.train_seconds
        elif isinstance(event.what, Lost):
            lost[event.trial] = event
        elif isinstance(event.what, Started) and event.trial in lost:
            before = lost.pop(event.trial)
            done = reports.get((before.trial, before.attempt), {})
            again = [s for epoch, s in done.items() if epoch > event.what.from_epoch]
            found.append((len(again), sum(again)))
    return found


def spread(seconds: Sequence[float]) -> str:
    """Return median and worst in words."""
    if not seconds:
        return "none"
    return f"median {statistics.median(seconds):.1f} s, worst {max(seconds):.1f} s"
