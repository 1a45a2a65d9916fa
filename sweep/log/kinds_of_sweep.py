"""What an event says of the sweep as a whole; see `sweep.log.kinds`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

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
