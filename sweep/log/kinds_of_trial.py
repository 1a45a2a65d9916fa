"""What an event says of one trial; see `sweep.log.kinds`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Asked:
    """The search, or a repetition of an earlier trial, has given a new trial.

    Attributes:
        uid: 32 hexadecimal digits, the trial's name outside this log.
        params: What was drawn, by name.
        source: `sampler`, `enqueued`, `audit` or `replicate`.
        config: All training settings; empty where the drawn values do not fit together.
        seed: Of weights, data order and dropout.
        of: The trial that this one repeats (audits, replicates).
        lead: The trial whose structure it was asked to share; None: its own.
        bracket: Which trials its rungs judge it against, in Hyperband.
    """

    version: ClassVar[int] = 1
    uid: str
    params: dict[str, Any]
    source: str
    config: dict[str, Any]
    seed: int
    of: int | None = None
    lead: int | None = None
    bracket: int = 0


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt at the trial has been given to a worker.

    What earlier attempts reported after `from_epoch` never happened.

    Attributes:
        worker: The worker's name.
        from_epoch: Epochs done by the checkpoint that it goes on from; 0 for a fresh start.
        checkpoint: That checkpoint, relative to the sweep's folder; None for a fresh start.
    """

    version: ClassVar[int] = 1
    worker: str
    from_epoch: int
    checkpoint: str | None


@dataclass(frozen=True, slots=True)
class Reported:
    """An epoch is done. All numbers are finite; a metric that is not is absent.

    Attributes:
        train: Metrics on the training part, in the target's own units.
        validation: Metrics on the validation part, in the target's own units.
        best_epoch: The best epoch so far, from 1; 0 before the first.
        best: Validation metrics of that epoch.
        learning_rate: Of the epoch's last optimizer step.
        gradient_norm: Global, before clipping, the mean over the epoch's steps.
        optimizer_steps: Since the trial began.
        train_seconds: Wall time of this epoch, evaluation included.
        parameters: How many the network has.
        worker: Who trained it.
        folds: Metrics of each fold's validation part, where the data have several: `train` and
            `validation` then hold means over the folds.
    """

    version: ClassVar[int] = 1
    train: dict[str, float]
    validation: dict[str, float]
    best_epoch: int
    best: dict[str, float]
    learning_rate: float
    gradient_norm: float
    optimizer_steps: int
    train_seconds: float
    parameters: int
    worker: str
    folds: tuple[dict[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """A checkpoint is on disk; it covers the trial up to the event's epoch.

    Attributes:
        path: Relative to the sweep's folder; in the first logs absolute.
        bytes: The file's size.
    """

    version: ClassVar[int] = 1
    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Continued:
    """A rung, the event's epoch, let the trial go on.

    Attributes:
        promoted: Whether it was paused there before; it then waits for a worker.
        generation: The cohort whose judgement promoted it, which counts in reproducible order;
            None where it was not promoted.
    """

    version: ClassVar[int] = 1
    promoted: bool = False
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """The search is over; a trial that was paused or pruned goes on to its end, as a finalist.

    It goes on from its checkpoint where that is there, otherwise from its first epoch to the same
    numbers, and meets no rung any more.

    Attributes:
        generation: As `Continued` has it.
        config: The settings that the trial was asked with, where it had ended.
    """

    version: ClassVar[int] = 1
    generation: int = 0
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Paused:
    """A rung, the event's epoch, put the trial aside; a later judgement may promote it.

    Attributes:
        rule: The pruning rule.
        best: Validation metrics of `best_epoch`.
        best_epoch: The best epoch so far, from 1.
        values: The first objective's best value so far; empty where there is none.
        parameters: How many the network has.
    """

    version: ClassVar[int] = 1
    rule: str
    best: dict[str, float]
    best_epoch: int
    values: tuple[float, ...]
    parameters: int


@dataclass(frozen=True, slots=True)
class Pruned:
    """A rung, the event's epoch, ended the trial. Attributes as those of `Paused`."""

    version: ClassVar[int] = 1
    rule: str
    best: dict[str, float]
    best_epoch: int
    values: tuple[float, ...]
    parameters: int


@dataclass(frozen=True, slots=True)
class Completed:
    """The trial has been trained to its end.

    Attributes:
        best: Validation metrics of `best_epoch`.
        best_epoch: The best epoch, from 1.
        parameters: How many the network has.
        values: One per objective, of the best epoch.
        reason: `max_epochs`, or `patience` where it stopped early.
        checkpoint: With the best epoch's weights, relative to the sweep's folder.
    """

    version: ClassVar[int] = 1
    best: dict[str, float]
    best_epoch: int
    parameters: int
    values: tuple[float, ...]
    reason: str
    checkpoint: str | None


@dataclass(frozen=True, slots=True)
class Failed:
    """The trial is over without a result.

    Attributes:
        reason: `diverged`, `error` (it raised, or an objective is missing), `invalid` (the drawn
            values do not fit together) or `worker_died` (it killed one worker after the other).
        message: Why, in one line.
        best: Validation metrics of `best_epoch`; None: as last reported.
        best_epoch: The best epoch, from 1; None: as last reported.
        parameters: How many the network has; None: as last reported.
    """

    version: ClassVar[int] = 1
    reason: str
    message: str
    best: dict[str, float] | None = None
    best_epoch: int | None = None
    parameters: int | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """An attempt is over before its time; the trial waits for the next one.

    Attributes:
        reason: Why, in one line.
        worker_died: Whether its worker died, perhaps of this trial; None where a coordinator ended.
        suspects: How many trials may have killed the worker, where this is one of them; else 0.
            None: not counted; a dead worker's was then alone.
        anew: Whether its checkpoint can't be read, so that it begins from its first epoch.
    """

    version: ClassVar[int] = 1
    reason: str
    worker_died: bool | None = None
    suspects: int | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A finalist, or a replicate of one, was evaluated on the test part, once.

    Attributes:
        test: Metrics, in the target's own units.
    """

    version: ClassVar[int] = 1
    test: dict[str, float]
