"""The commands `run` (also `resume`) and `plan`: what a sweep file becomes."""

from __future__ import annotations

import os
import shlex
import sys
import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sweep.cli_options import SWEEPS, Directory, Overrides, Spec, SweepName, Trials, Workers
from sweep.messages import FAILURE, INTERRUPTED

if TYPE_CHECKING:
    from cluster.errors import HeadLost
    from sweep.config import SweepConfig

HEAD_PATIENCE_SECONDS = 600.0
_PROBE_SECONDS = 1.0
_AWAITED = "RNN_SWEEP_AWAITED_HEAD"
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
    from sweep.config import load_config

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
    from cluster.errors import HeadLost
    from sweep.console import console
    from sweep.live import display
    from sweep.report import after_run
    from sweep.session import run_sweep
    from sweep.structured_log import json_progress

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
    screen = console()
    given = {
        "--dir": None if directory == SWEEPS else directory,
        "--workers": workers,
        "--name": name,
        "--replicates": replicates,
        "--address": address,
        "--budget-hours": budget_hours,
        "--budget-gpu-hours": budget_gpu_hours,
    }
    again = _again(spec, overrides, given)
    resume = again if trials is None else f"{again} --trials {trials}"
    _await_head(config.run.address, resume)
    try:
        with json_progress() if log_format == "json" else display(screen) as progress:
            outcome = run_sweep(config, directory, progress)
    except HeadLost as lost:
        _start_anew(lost)
    except KeyboardInterrupt:
        typer.echo(f"interrupted; go on with: {resume}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if outcome.reason in ("interrupted", "stopped"):
        why = "interrupted" if outcome.reason == "interrupted" else "stopped by `rnn-sweep stop`"
        typer.echo(f"{why}, nothing is lost; go on with: {resume}", err=True)
        raise typer.Exit(INTERRUPTED)
    after_run(screen, outcome, f"{again} --trials {2 * config.budget.trials}")


def plan(
    spec: Spec,
    trials: Trials = None,
    overrides: Overrides = None,
    workers: Workers = None,
    name: SweepName = None,
) -> None:
    """Show what a sweep would do and roughly how long it takes; trains and writes nothing.

    \b
    Examples:
      rnn-sweep plan digits
      rnn-sweep plan my.yaml --trials 50 --workers 8
    """
    from sweep.console import console
    from sweep.planning import plan_sweep
    from sweep.report import show_plan

    show_plan(console(), plan_sweep(load(spec, overrides, trials, workers, name)))


def _again(spec: str, overrides: list[str] | None, given: dict[str, Any]) -> str:
    """Return the command that runs this sweep again, without --trials."""
    words = ["rnn-sweep", "run", spec]
    for override in overrides or []:
        words += ["--set", override]
    for option, value in given.items():
        words += [] if value is None else [option, str(value)]
    return shlex.join(words)


def _start_anew(lost: HeadLost) -> None:
    """Become the same command again, which waits for the head of the cluster.

    Ray ends a process whose cluster has gone; what it holds here is lost, but the log is not.
    """
    typer.echo(f"{lost}; the sweep goes on from its log once it does", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    environment = os.environ | {_AWAITED: lost.address}
    os.execve(sys.executable, [sys.executable, "-m", "sweep", *sys.argv[1:]], environment)


def _await_head(address: str | None, resume: str) -> None:
    """Wait for a head that was lost; a Ray of our own on this machine is simply started anew."""
    from cluster.nodes import answers

    awaited = os.environ.pop(_AWAITED, None)
    if awaited is None or address is None:
        return
    minutes = HEAD_PATIENCE_SECONDS / 60
    typer.echo(f"waiting up to {minutes:.0f} minutes for a Ray head at {awaited}", err=True)
    deadline = time.monotonic() + HEAD_PATIENCE_SECONDS
    while not answers(awaited):
        if time.monotonic() > deadline:
            typer.echo(f"error: none has come back; go on with: {resume}", err=True)
            raise typer.Exit(FAILURE)
        time.sleep(_PROBE_SECONDS)
