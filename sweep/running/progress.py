"""What the coordinator says while a sweep runs, a few times a second: plain, frozen values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class BestTrial:
    """The best trial so far, by the first objective on validation."""

    number: int
    metric: str
    value: float
    params: Mapping[str, Any]


@dataclass(frozen=True)
class NaiveMark:
    """The best naive forecast by the first objective on validation.

    Attributes:
        name: The forecast's.
        metric: The objective's.
        value: Its metric.
        skill: 1 - error of the best trial / its error; None without one.
        beaten: Whether the best trial is better; None before one is complete.
    """

    name: str
    metric: str
    value: float
    skill: float | None = None
    beaten: bool | None = None


@dataclass(frozen=True)
class TrialEnd:
    """A trial that ended since the last call; `message` says why one failed."""

    number: int
    state: str
    metric: str
    value: float | None
    epochs: int
    message: str = ""


@dataclass(frozen=True)
class Progress:
    """One moment of a running sweep.

    Attributes:
        counts: The search's trials by state: complete, pruned, failed, running, paused, waiting.
        budget_trials: Trials the search may start in all.
        best: The best trial so far, by the sweep's ranking; None before one is complete.
        ended: Trials that ended since the last call, in order.
        repeats: Of audits and of replicates, how many have ended and how many there are.
        training: Trials that train now, repeats too.
        unit: Of the leading objective.
        epochs_per_second: Epochs done, by all workers together, over the last minute.
        busy_fraction: Share of the workers' time spent working since the session's first ask or
            start; None before the first epoch.
        elapsed_seconds: Wall time since this run began.
        eta_seconds: Estimated time left; None while nothing is known, or when it is over.
        workers_alive: Workers that answer.
        workers: Workers by what they do: training, idle, silent, leaving, starting.
        backlog: Events that the tracker has not written yet.
        trouble: Why it does not get on, in one line; empty while it does.
        phase: starting, training, finalists or closing.
        naive: The best naive forecast; None before they are there, or where none has the metric.
    """

    counts: Mapping[str, int]
    budget_trials: int
    best: BestTrial | None = None
    ended: tuple[TrialEnd, ...] = field(default=())
    repeats: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    training: int = 0
    unit: str = ""
    epochs_per_second: float = 0.0
    busy_fraction: float | None = None
    elapsed_seconds: float = 0.0
    eta_seconds: float | None = None
    workers_alive: int = 0
    workers: Mapping[str, int] = field(default_factory=dict)
    backlog: int = 0
    trouble: str = ""
    phase: str = "training"
    naive: NaiveMark | None = None


ProgressCallback = Callable[[Progress], None]
