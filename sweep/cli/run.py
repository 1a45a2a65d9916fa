"""The commands `run` (also `resume`) and `plan`: what a sweep file becomes."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from sweep.cli.again import typed
from sweep.cli.options import SWEEPS, Directory, Overrides, Spec, SweepName, Trials, Workers
from sweep.words.messages import FAILURE, INTERRUPTED

if TYPE_CHECKING:
    from cluster.errors import ClusterError
    from sweep.config.sweep_config import SweepConfig
    from sweep.running.session import Outcome

HEAD_PATIENCE_SECONDS = 600.0
_AGAIN_SECONDS = 3.0
_AWAITED = "RNN_SWEEP_AWAITED_UNTIL"
_ENDED = "the sweep's process was killed, or ended by Ray because its node died; nothing is lost"
Address = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="A Ray cluster; auto: the one on this machine."),
]
Replicates = Annotated[
    int | None, typer.Option(help="Seeds on which each finalist is trained, its own included.")
]
Hours = Annotated[
    float | None, typer.Option(help="End after so many hours, all sessions together.")
]
GpuHours = Annotated[float | None, typer.Option(help="End after so many GPUs x hours.")]
Packs = Annotated[
    bool, typer.Option("--packs", help="Measure whether training in packs pays on this machine.")
]
LogFormat = Annotated[
    Literal["text", "json"], typer.Option(help="json: progress as one JSON object a line.")
]


def load(
    spec: str,
    overrides: list[str] | None,
    trials: int | None,
    workers: str | None,
    name: str | None,
    **more: Any,
) -> SweepConfig:
    """Read and check a sweep file with what the command line says.

    Args:
        more: Values by dotted key with `__` for the dot; None leaves a key alone.
    """
    from sweep.config.sweep_config import load_config

    count = int(workers) if workers is not None and workers.isdecimal() else workers
    options = {"budget.trials": trials, "run.workers": count, "name": name}
    options |= {key.replace("__", "."): value for key, value in more.items()}
    return load_config(spec, overrides or [], options)


def run(
    spec: Spec,
    trials: Trials = None,
    overrides: Overrides = None,
    directory: Directory = SWEEPS,
    workers: Workers = None,
    name: SweepName = None,
    replicates: Replicates = None,
    address: Address = None,
    budget_hours: Hours = None,
    budget_gpu_hours: GpuHours = None,
    log_format: LogFormat = "text",
) -> None:
    """Run a sweep, or go on with one that was interrupted: the same command does both.

    \b
    Examples:
      rnn-sweep run digits
      rnn-sweep run digits --replicates 5
      rnn-sweep run my.yaml --trials 50 --set search.seed=1
      rnn-sweep run my.yaml --address auto --budget-hours 8
      rnn-sweep run appliances --set data.path=energydata_complete.csv
    """
    config = load(
        spec,
        overrides,
        trials,
        workers,
        name,
        finalists__replicates=replicates,
        run__address=address,
        budget__hours=budget_hours,
        budget__gpu_hours=budget_gpu_hours,
    )
    outcome = _run(config, directory, log_format)
    if outcome.reason in ("interrupted", "stopped"):
        why = "interrupted" if outcome.reason == "interrupted" else "stopped by `rnn-sweep stop`"
        typer.echo(f"{why}, nothing is lost; go on with: {typed()}", err=True)
        raise typer.Exit(INTERRUPTED)
    budget = config.budget
    if outcome.reason == "budget":
        more = typed(
            budget_hours=_doubled(budget.hours), budget_gpu_hours=_doubled(budget.gpu_hours)
        )
    else:
        more = typed(trials=2 * budget.trials)
    _conclude(outcome, more, as_json=log_format == "json")


def _run(config: SweepConfig, directory: Path, log_format: str) -> Outcome:
    """Run one session; where a cluster's head has gone, wait for it and begin anew."""
    from cluster.errors import ConnectError, HeadLost, NoRoom
    from sweep.cli.killed import printed_if_killed
    from sweep.cli.live import display
    from sweep.models.first_weights import weights_of
    from sweep.running.session import run_sweep
    from sweep.running.structured_log import json_progress
    from sweep.words.console import console

    words = None if config.run.address is None else f"{_ENDED}; go on with: {typed()}"
    shown = json_progress() if log_format == "json" else display(console())
    try:
        with printed_if_killed(words), shown as progress:
            find = partial(weights_of, directory=directory)
            return run_sweep(config, directory, progress, weights_of=find)
    except HeadLost as lost:
        minutes = HEAD_PATIENCE_SECONDS / 60
        why = f"{lost}; waiting up to {minutes:.0f} minutes for it, then the log goes on"
        _start_anew(why, time.time() + HEAD_PATIENCE_SECONDS)
    except (ConnectError, NoRoom) as error:
        _try_again(error)
        raise
    except KeyboardInterrupt:
        typer.echo(f"interrupted; go on with: {typed()}", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _conclude(outcome: Outcome, more: str, *, as_json: bool) -> None:
    """Say what came out; a sweep of which every trial failed has failed."""
    from sweep.cli.printing import after_run
    from sweep.running.structured_log import json_line
    from sweep.words.console import console

    if as_json:
        ending: dict[str, Any] = {
            "reason": outcome.reason,
            "best": outcome.best,
            "folder": str(outcome.folder),
        }
        ending |= {"finalists": outcome.finalists, "untracked": outcome.untracked}
        json_line({**ending, "finalists_missing": outcome.finalists_missing})
    else:
        after_run(console(), outcome, more)
    if outcome.all_failed:
        raise typer.Exit(FAILURE)


def plan(
    spec: Spec,
    trials: Trials = None,
    overrides: Overrides = None,
    directory: Directory = SWEEPS,
    workers: Workers = None,
    name: SweepName = None,
    packs: Packs = False,
) -> None:
    """Show what a sweep would do and roughly how long it takes; trains and writes nothing.

    \b
    Examples:
      rnn-sweep plan digits
      rnn-sweep plan my.yaml --trials 50 --workers 8
      rnn-sweep plan my.yaml --packs
    """
    from sweep.cli.printing_plan import show_plan
    from sweep.running.plan import plan_sweep
    from sweep.words.console import console

    config = load(spec, overrides, trials, workers, name)
    show_plan(console(), plan_sweep(config, directory, packs=packs))


def _doubled(hours: float | None) -> float | None:
    return None if hours is None else 2 * hours


def _start_anew(why: str, until: float) -> NoReturn:
    """Become the same command again, which goes on from the log.

    Ray ends a process whose cluster has gone; what it holds here is lost, but the log is not.
    """
    typer.echo(why, err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    environment = os.environ | {_AWAITED: str(until)}
    os.execve(sys.executable, [sys.executable, "-m", "sweep", *sys.argv[1:]], environment)


def _try_again(error: ClusterError) -> None:
    """Start anew while a cluster whose head was lost comes back, its nodes after its head."""
    until = float(os.environ.get(_AWAITED, "-inf"))
    if time.time() > until:
        return
    time.sleep(_AGAIN_SECONDS)
    left = max(until - time.time(), 0.0)
    _start_anew(f"not yet ({' '.join(str(error).split())}); {left:.0f} seconds of patience", until)
