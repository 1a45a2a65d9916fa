"""What coordinator and worker say to each other: plain, frozen values.

What is about a trial's training bears (trial, attempt); a finalist's evaluation bears its trial
alone, an ensemble its members, and `SaveAll` is about all that a worker holds. Consuming a message
twice changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from trainers.config.measured import NOTHING, Asked
from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.learning.reports import EpochReport


@dataclass(frozen=True)
class Admit:
    """Take this trial; it waits at each rung above `cleared` until told to continue.

    Attributes:
        rungs: Epochs at which the trial waits for a decision.
        checkpoint: Path of the checkpoint to go on from, or None to start afresh.
        cleared: Highest epoch up to which rungs are decided.
        saves_at_rungs: Whether to write a checkpoint at each rung: the trial may be paused there.
    """

    trial: int
    attempt: int
    config: TrainConfig
    rungs: tuple[int, ...] = ()
    checkpoint: str | None = None
    cleared: int = 0
    saves_at_rungs: bool = False


@dataclass(frozen=True)
class Continue:
    """The rung at `epoch` let the trial go on."""

    trial: int
    attempt: int
    epoch: int


@dataclass(frozen=True)
class Stop:
    """Drop the trial; nothing of it is kept."""

    trial: int
    attempt: int


@dataclass(frozen=True)
class SaveAll:
    """Write a checkpoint of every trial that has not ended, and train no further in this call."""


@dataclass(frozen=True)
class Evaluate:
    """Evaluate a saved trial's best weights on the test part."""

    trial: int
    checkpoint: str


@dataclass(frozen=True)
class Combine:
    """Choose an ensemble of saved trials by their validation predictions.

    Attributes:
        members: The finalists and their checkpoints, best first.
        seed: Of the interval's resamples.
    """

    members: tuple[tuple[int, str], ...]
    seed: int


Command = Admit | Continue | Stop | SaveAll | Evaluate | Combine


@dataclass(frozen=True)
class Saved:
    """A checkpoint is on disk; it covers the trial up to `epoch`."""

    trial: int
    attempt: int
    epoch: int
    path: str
    bytes: int
    time: float


@dataclass(frozen=True)
class Trained:
    """One epoch of a trial is done; `final` is the checkpoint of a trial that ended well."""

    trial: int
    attempt: int
    report: EpochReport
    parameters: int
    time: float
    final: Saved | None = None


@dataclass(frozen=True)
class Crashed:
    """Training raised; the trial is over, the worker lives."""

    trial: int
    attempt: int
    message: str
    time: float


@dataclass(frozen=True)
class Evicted:
    """There was no memory for the trial beside its neighbours; it waits for another turn."""

    trial: int
    attempt: int
    message: str
    time: float


@dataclass(frozen=True)
class Unreadable:
    """The checkpoint from which to go on, or to evaluate, can't be used; the trial was not taken.

    A trial that trains begins anew, to the same numbers.
    """

    trial: int
    attempt: int
    message: str
    time: float


@dataclass(frozen=True)
class Evaluated:
    """Test metrics of a finalist."""

    trial: int
    test: dict[str, float]
    time: float


@dataclass(frozen=True)
class Combined:
    """What became of a `Combine`; its predictions stay where the data are.

    Attributes:
        members: The finalists, best first, and how often each was taken.
        single: The best of them alone.
        validation: Metrics of the members together.
        test: Likewise; empty where there is no test part.
        difference: 95 % interval of the objective's difference on the test part, members less
            `single`; empty where there is none.
        better: Whether the members are better on validation than `single`.
        reason: Why they can't be combined; empty where they are.
    """

    members: tuple[tuple[int, int], ...]
    time: float
    single: int = -1
    validation: dict[str, float] = field(default_factory=dict)
    test: dict[str, float] = field(default_factory=dict)
    difference: tuple[float, ...] = ()
    better: bool = False
    reason: str = ""


Item = Trained | Saved | Crashed | Evicted | Unreadable | Evaluated | Combined


@dataclass(frozen=True)
class Reply:
    """What a worker did in one call, in order.

    Attributes:
        busy_seconds: Time spent training, saving and evaluating in this call.
        held: Trials that the worker holds now.
        capacity: Trials that it can train together; None where that is as it was told.
    """

    worker: str
    items: tuple[Item, ...] = ()
    busy_seconds: float = 0.0
    held: tuple[int, ...] = ()
    capacity: int | None = None


@dataclass(frozen=True)
class Lost:
    """A worker is gone, with all that it held; it was no `own_death` if its node took it along."""

    worker: str
    reason: str
    own_death: bool = True


@dataclass(frozen=True)
class WorkerSettings:
    """What every worker of a sweep is told once.

    Attributes:
        objective: Its validation metric's best epoch is kept.
        checkpoint_folder: Where checkpoints go; must be shared by coordinator and workers.
        sweep_uid: What the coordinator has written beside that folder; a worker that does not
            read it there is on another disk. Empty: not to be checked.
        checkpoint_seconds: At most so many seconds a worker trains between two checkpoints of a
            trial, as far as its slices are of one length.
        slice_seconds: Length of one call while there is work.
        threads: Threads of torch in one worker.
        device: cpu or cuda.
        pack: Trials to train together; 0 lets each worker plan that by measuring.
        backend: What runs a pack, in `trainers.packs.pack`'s words.
        interval: Level of the interval that finalists are judged by.
        asked: What is measured at each epoch beside the usual.
    """

    objective: Objective
    checkpoint_folder: str
    checkpoint_seconds: float = 30.0
    slice_seconds: float = 0.25
    threads: int = 1
    device: str = "cpu"
    pack: int = 1
    backend: Literal["auto", "native", "stepwise", "eager", "graph"] = "auto"
    sweep_uid: str = ""
    interval: float = 0.9
    asked: Asked = NOTHING
