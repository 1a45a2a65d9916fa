"""What an event says: one frozen class a kind, which is the place where it is described.

A field's name is its key in the stored JSON. A field without default stands in every line. One
with a default is left out where it has it; only those marked STORED are not: they are absent in the
first logs alone. A class's `version` rises when the meaning of its keys changes; it is stored, as a
key of its own, where it is above 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, get_args

from sweep.log.codec import STORED


@dataclass(frozen=True, slots=True)
class PartFacts:
    """One part of the data.

    Attributes:
        sequences: How many sequences it has.
        time_steps: The steps of each, padding included.
    """

    sequences: int
    time_steps: int


@dataclass(frozen=True, slots=True)
class DataFacts:
    """The data that all trials of a sweep are trained on.

    Attributes:
        name: What the data are called.
        task: `regression` or `classification`.
        digest: Over all rows, in hexadecimal; a resume needs the same.
        parts: `train`, `validation` and perhaps `test`.
        units: Unit of the targets; empty where they have none, and in the first logs.
    """

    name: str
    task: str
    digest: str
    parts: dict[str, PartFacts] = field(default_factory=dict, metadata=STORED)
    units: str = ""


@dataclass(frozen=True, slots=True)
class SpaceFacts:
    """The space that trials are drawn from.

    Attributes:
        name: A ready space's name, `own`, or the function's.
        parameters: Dimensions that are known before any trial: `choices`, or `low`, `high`, `log`
            and `step`.
    """

    name: str
    parameters: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A coordinator has begun a session of the sweep.

    Attributes:
        pid: The coordinator's process.
        host: The machine it runs on.
        workers: How many workers the session begins with.
        order: `free` or `reproducible`, as the sweep file says.
        resumed: Whether there were sessions before.
        versions: Of Python and of the libraries that figures depend on, by name.
        data: What the trials are trained on.
        objectives: `metric` and `direction` of each, also where the sweep file leaves them open.
        gpus: GPUs that one worker reserves; may be a fraction.
        elastic: Whether workers come and go with the cluster: then `resized` says how many are
            there, and there is none before the first.
        commit: The code's git commit, with `+changes` where it was edited since; None outside git.
        machine: The coordinator's: `processor`, `cores`, `memory_gib`, `gpus`, as far as known.
        space: What the trials are drawn from; None in the first logs.
        first_weights: The file that trials begin with (`train.first_weights`), relative to the
            sweep's folder; its name says its digest. None where they are drawn.
        units: Of the metrics of one's own, by name.
    """

    version: ClassVar[int] = 1
    pid: int
    host: str
    workers: int
    order: str
    resumed: bool
    versions: dict[str, str]
    data: DataFacts
    objectives: tuple[dict[str, str], ...]
    gpus: float = field(default=0.0, metadata=STORED)
    elastic: bool = field(default=False, metadata=STORED)
    commit: str | None = field(default=None, metadata=STORED)
    machine: dict[str, Any] = field(default_factory=dict, metadata=STORED)
    space: SpaceFacts | None = None
    units: dict[str, str] = field(default_factory=dict)
    first_weights: str | None = None


@dataclass(frozen=True, slots=True)
class Resized:
    """Workers came or went, in a sweep whose number of workers changes.

    Attributes:
        workers: How many there are now.
    """

    version: ClassVar[int] = 1
    workers: int


@dataclass(frozen=True, slots=True)
class Warmed:
    """The sampler learns of a trial of an earlier sweep (`search.warm_start`).

    Attributes:
        params: The trial's parameters, as far as this sweep draws them.
        values: One value per objective.
        state: How it ended: `complete` or `pruned`.
        origin: The sweep as `search.warm_start` names it.
    """

    version: ClassVar[int] = 1
    params: dict[str, Any]
    values: tuple[float, ...]
    state: str
    origin: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A coordinator has ended its session; one that is killed leaves no such event.

    Attributes:
        reason: `finished`, `budget`, `stopped` or `interrupted`.
        busy_seconds: Of all workers together: training, saving, evaluating.
        wall_seconds: How long the session took.
        workers: How many workers it began with.
        gpu_seconds: GPUs times seconds that workers held them; None in the first logs.
    """

    version: ClassVar[int] = 1
    reason: str
    busy_seconds: float
    wall_seconds: float
    workers: int
    gpu_seconds: float | None = None


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


@dataclass(frozen=True, slots=True)
class Baselined:
    """The naive forecasts of the data, judged on the targets that trials are judged on; once.

    Attributes:
        metrics: By forecast, by part (`validation`, `test`) and by metric, in own units.
        seconds: How long they took, beside the workers.
        about: What each forecast says, by name.
        notes: What was cut to fit one, by name.
        left_out: Why one that such data may have is not there, by name.
    """

    version: ClassVar[int] = 1
    metrics: dict[str, dict[str, dict[str, float]]]
    seconds: float
    about: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ensembled:
    """Finalists were combined: greedily, with replacement, by their validation predictions.

    Attributes:
        members: The finalists' numbers, best first, and how often each was taken, 0 for those that
            were not.
        single: The best finalist alone, by those predictions; -1 where they can't be combined.
        validation: Metrics of the members together, in the target's own units.
        test: Likewise on the test part; empty where there is none.
        difference: 95 % interval of the leading objective's difference on the test part, the
            members less `single`; empty where it is not known.
        better: Whether the members are better on validation than `single`.
        reason: Why the finalists can't be combined, in one line; empty where they are.
    """

    version: ClassVar[int] = 1
    members: dict[str, int]
    single: int
    validation: dict[str, float]
    test: dict[str, float] = field(default_factory=dict)
    difference: tuple[float, ...] = ()
    better: bool = False
    reason: str = ""

    @property
    def taken(self) -> dict[int, int]:
        """How often each member was taken, by its number."""
        return {int(number): count for number, count in self.members.items() if count}


What = (
    Opened
    | Resized
    | Warmed
    | Closed
    | Baselined
    | Asked
    | Started
    | Reported
    | Checkpointed
    | Continued
    | Recalled
    | Paused
    | Pruned
    | Completed
    | Failed
    | Lost
    | Evaluated
    | Ensembled
)
End = Completed | Pruned | Failed
"""What ends a trial for good."""

KINDS: dict[str, type[What]] = {kind.__name__.lower(): kind for kind in get_args(What)}
"""The kinds by their names in the log."""
