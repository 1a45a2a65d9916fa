"""`rnn-sweep smoke`: a sweep made tiny, run for real, killed, resumed, read back and judged."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sweep.config.sweep_config import SweepConfig
from sweep.pruning.verdicts import rule_of
from sweep.running.preparation import Prepared, prepare
from sweep.search.study import search_limit
from sweep.smoke.checks import Check
from sweep.smoke.gate import Gate, GateResult, check_names, result_of
from sweep.smoke.gate_names import (
    asked_metrics,
    champion_values,
    finished_values,
    gate_names,
)
from sweep.smoke.readback import Found, read_back
from sweep.smoke.run import run_and_resume
from sweep.smoke.shrinking import shrunk
from sweep.words.console import settings, short


@dataclass(frozen=True)
class SmokeOptions:
    """What a smoke is asked for beside its sweep.

    Attributes:
        directory: Folder for the tiny sweep and its MLflow store.
        given: Dotted keys that --set named.
        champion: Registered model that gates compare with; None for tracking.register_as.
        use_tracker: Record where the sweep itself would be recorded.
    """

    directory: Path
    gates: tuple[Gate, ...] = ()
    given: frozenset[str] = frozenset()
    champion: str | None = None
    use_tracker: bool = False


@dataclass(frozen=True)
class SmokeReport:
    """What a smoke found.

    Attributes:
        size: How small the sweep was made, in a few words.
        best: The best trial in a few words.
    """

    name: str
    folder: Path
    checks: tuple[Check, ...]
    gates: tuple[GateResult, ...]
    size: str
    best: str
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether a check failed or a gate fired."""
        return any(check.failed for check in self.checks) or any(gate.failed for gate in self.gates)


def smoke(config: SweepConfig, options: SmokeOptions, tell: Callable[[str], None]) -> SmokeReport:
    """Run a sweep's tiny twin and hold it against every check and gate.

    Args:
        config: The sweep, as its file and --set say.
        options: The rest.
        tell: Takes a line about what happens.

    Raises:
        UserError, DataError, SpaceError: the sweep can't be run as it is written, or a gate asks
            for what there is not; before anything is trained, where that can be known.
        SweepError: it does not end, or MLflow does not answer.
    """
    began = time.monotonic()
    prepared = _prepare(config, options)
    names = gate_names(prepared)
    for gate in options.gates:
        check_names(gate, names)
    champion = champion_values(options.gates, config, options.champion)
    possible = search_limit(prepared.space, prepared.search_rules)
    size = _size(prepared, possible)
    tell(f"{prepared.config.name}: {size}")
    ran = run_and_resume(prepared.config, options.directory, possible, tell)
    tell(f"it ended after {ran.seconds:.0f} s; reading back what it left")
    found = read_back(prepared, ran, options.directory, possible)
    seconds = time.monotonic() - began
    values = champion | finished_values(names, found.best, found.state, seconds)
    return SmokeReport(
        name=prepared.config.name,
        folder=ran.folder,
        checks=found.checks,
        gates=tuple(result_of(gate, values) for gate in options.gates),
        size=size,
        best=_best(found),
        seconds=seconds,
    )


def _prepare(config: SweepConfig, options: SmokeOptions) -> Prepared:
    """Shrink the sweep; with two workers, each has two trials at least."""
    rule_of(config.search.pruning, 1.0)  # the file's rule must be one, though none is used here
    prepared = prepare(_shrunk(config, options, stream=False))
    if prepared.data.walk == "stream":
        prepared = prepare(_shrunk(config, options, stream=True))
    tiny, limit = prepared.config, search_limit(prepared.space, prepared.search_rules)
    most = max(1, min(tiny.budget.trials, limit or tiny.budget.trials) // 2)
    if "run.workers" in options.given or tiny.run.workers in range(most + 1):
        return prepared
    run = tiny.run.model_copy(update={"workers": most})
    return dataclasses.replace(prepared, config=tiny.model_copy(update={"run": run}))


def _shrunk(config: SweepConfig, options: SmokeOptions, *, stream: bool) -> SweepConfig:
    asked = dict.fromkeys([*config.metrics, *asked_metrics(options.gates)])
    return shrunk(
        config.model_copy(update={"metrics": tuple(asked)}),
        options.directory,
        given=options.given,
        stream=stream,
        use_tracker=options.use_tracker,
    )


def _size(prepared: Prepared, possible: int | None) -> str:
    trials = min(prepared.config.budget.trials, possible or prepared.config.budget.trials)
    train = prepared.train_config(0, prepared.space.sample(0))
    part = prepared.data.train
    stream = prepared.data.walk == "stream"
    length = f"{len(part) * part.time_steps} steps" if stream else f"{len(part)} sequences"
    return (
        f"{trials} trials of at most {train.max_epochs} epochs on {length} in batches of "
        f"{train.batch_size}"
    )


def _best(found: Found) -> str:
    best = found.best
    if best is None:
        return "none is complete"
    values = zip(found.goal.objectives, found.goal.values(best), strict=True)
    shown = ", ".join(f"{objective.metric} {short(value)}" for objective, value in values)
    return f"trial {best.number}, {shown} on validation ({settings(best.params)})"
