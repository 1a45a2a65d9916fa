"""What every tracker must hold, as a function to call from a test of one's own.

A sink may be killed and started anew at any moment, writes the same once more after an outage, and
can't know whether a tracker that did not answer has done what it was asked. All the same each run
must be there once, with each of its values once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sweep.errors import TrackerUnavailable
from sweep.tracking.outage import Retrier
from sweep.tracking.run import Point, RunWrite, Status
from sweep.tracking.tracker import Tracker

_SWEEP, _TRIALS = "u-sweep", ("u-0", "u-1")
_LAST_SEQ = 9


@dataclass(frozen=True)
class HeldRun:
    """A run as the tracker has it.

    Attributes:
        uid: Ours: its tag `sweep.trial_uid`, or of the sweep's own run `sweep.uid`.
        points: All metric values, those that are there twice twice.
    """

    uid: str
    status: str
    params: dict[str, str]
    tags: dict[str, str]
    points: Sequence[Point]


def check_tracker(open_it: Callable[[], Tracker], read: Callable[[], Iterable[HeldRun]]) -> None:
    """Hold a tracker to what the sink counts on.

    Args:
        open_it: Returns a new object for the same experiment, as a sink that starts has one.
        read: Returns the runs that the experiment holds.

    Raises:
        AssertionError: a law is broken; the message says which.
    """
    first = open_it()
    _require(not first.connect(_SWEEP, 0), "connect must say that nothing was written before")
    _write_all(first, _writes())
    _check_held(read(), "written once")
    _require(first.find(_TRIALS[0]) is not None, "find must know a run that was written")
    _require(first.find("u-none") is None, "find must not know a run that was not")
    _write_all(first, _writes())
    _check_held(read(), "written twice by one sink")
    second = open_it()
    _require(second.connect(_SWEEP, _LAST_SEQ), "connect must find a sweep that was written before")
    _write_all(second, _writes())
    _check_held(read(), "written again by another sink")
    for note in ("first", "second"):
        second.finish(_SWEEP, {"plots/a.html": b"<p>", "top.csv": b"a\n1\n"}, note)
        second.save_view("view", note)
    _write_all(second, [_ended(_writes()[1], None, None)])
    held = {run.uid: run.status for run in read()}
    _require(held[_TRIALS[0]] == Status.RUNNING, "a run that goes on must be RUNNING again")


def _write_all(tracker: Tracker, writes: Iterable[RunWrite]) -> None:
    """Write as the sink does: each fails once before and once after the tracker has done it."""
    retrier = Retrier(lambda line: None, lambda away_seconds: False, sleep=lambda seconds: None)
    for write in writes:
        outages = iter(("before", "after", ""))

        def once(write: RunWrite = write, outages: Iterator[str] = outages) -> None:
            when = next(outages)
            if when != "before":
                tracker.write(write)
            if when:
                raise TrackerUnavailable(f"away {when} it was done")

        retrier.call(once)


def _check_held(runs: Iterable[HeldRun], when: str) -> None:
    found = list(runs)
    uids = sorted(run.uid for run in found)
    _require(uids == sorted((_SWEEP, *_TRIALS)), f"{when}: each run must be there once, not {uids}")
    for run, write in zip(
        sorted(found, key=lambda run: run.uid), sorted(_writes(), key=lambda w: w.uid), strict=True
    ):
        _require(sorted(run.points) == sorted(write.points), f"{when}: each value must be there")
        _require(run.params.items() >= write.params.items(), f"{when}: parameters must be there")
        _require(run.tags.items() >= write.tags.items(), f"{when}: tags must be there")
        _require(run.status == write.status, f"{when}: {run.uid} must be {write.status}")


def _writes() -> list[RunWrite]:
    sweep = {"sweep.kind": "sweep", "sweep.uid": _SWEEP}
    trials = [{"sweep.uid": _SWEEP, "sweep.trial_uid": uid} for uid in _TRIALS]
    return [
        _ended(_write(_SWEEP, 0, sweep), Status.FINISHED, 90_000),
        _ended(_write(_TRIALS[0], 2, trials[0]), Status.FAILED, 60_000),
        _write(_TRIALS[1], 5, trials[1]),
    ]


def _write(uid: str, asked_seq: int, tags: dict[str, str]) -> RunWrite:
    points = [Point("val/loss", 1.0 / step, 1000 * step, step) for step in range(1, 4)]
    return RunWrite(
        uid=uid,
        name=f"run {uid}",
        is_parent=not asked_seq,
        asked_seq=asked_seq,
        start_ms=1000,
        params={"hidden_size": "8"},
        tags=tags,
        points=points,
        status=Status.RUNNING,
        end_ms=None,
    )


def _ended(write: RunWrite, status: Status | None, end_ms: int | None) -> RunWrite:
    return replace(write, status=status, end_ms=end_ms)


def _require(holds: bool, law: str) -> None:
    if not holds:
        raise AssertionError(f"{law}.")
