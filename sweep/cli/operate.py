"""The commands that look after sweeps from another terminal or machine: `status` and `stop`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.cli.options import SWEEPS, Directory
from sweep.words.console import counted
from sweep.words.messages import FAILURE, USER_MISTAKE

if TYPE_CHECKING:
    from sweep.results.results import Results

_POLL_SECONDS = 0.5
Wait = Annotated[float, typer.Option(min=0, help="Seconds to wait until it has ended.")]
Jobs = Annotated[
    str | None,
    typer.Option("--address", metavar="URL", help="Stop the job submitted to this Jobs server."),
]


def status(
    name: Annotated[str | None, typer.Argument(help="A sweep; without it, all of them.")] = None,
    directory: Directory = SWEEPS,
) -> None:
    """Show how far a sweep is and how its workers are, or list all sweeps of a folder.

    \b
    Examples:
      rnn-sweep status
      rnn-sweep status digits
    """
    from sweep.cli.printing import show_status
    from sweep.errors import LogError
    from sweep.results.results import open_results, sweep_names
    from sweep.words.console import console

    names = [name] if name is not None else sweep_names(directory)
    if not names:
        typer.echo(f"No sweep in {directory} yet; start one with: rnn-sweep run digits")
    unreadable = False
    for each in names:
        try:
            show_status(console(), open_results(each, directory))
        except LogError as error:
            if name is not None:
                raise
            unreadable = True
            typer.echo(f"error: {each}: {error}", err=True)
    if unreadable:
        raise typer.Exit(USER_MISTAKE)


def stop(
    name: Annotated[str, typer.Argument(help="The sweep's name, or its folder.")],
    directory: Directory = SWEEPS,
    wait: Wait = 60.0,
    address: Jobs = None,
    allow_open: Annotated[
        bool,
        typer.Option("--allow-open-cluster", help="Use a cluster that asks for no token."),
    ] = False,
) -> None:
    """Have a running sweep save all its trials and end; the same `run` goes on later.

    It may run in another terminal, or on another machine that shares the log. Exit code 0: it has
    ended, or nobody ran it; 1: it has not ended within --wait seconds.

    \b
    Examples:
      rnn-sweep stop digits
      rnn-sweep stop load --address http://127.0.0.1:8265
    """
    if address is not None:
        from cluster.jobs import stop as stop_job

        typer.echo(f"{stop_job(address, name, allow_open)} is stopped; submit it again to go on.")
        return
    _stop_by_log(name, directory, wait)


def _stop_by_log(name: str, directory: Path, wait: float) -> None:
    from sweep.log.lease import is_held
    from sweep.log.places import open_log
    from sweep.results.results import open_results

    found = open_results(name, directory)
    log = open_log(found.folder)
    try:
        if not found.is_running and not is_held(log, found.folder):
            typer.echo(f"{found.config.name} does not run; nothing is to be stopped.")
            return
        owner = log.owner()
        log.request_stop()
        typer.echo(f"{found.config.name} was asked to save its trials and to end …")
        deadline = time.monotonic() + wait
        while _same_session(found, latest := open_results(name, directory)) or (
            is_held(log, found.folder) and log.owner() == owner
        ):
            if time.monotonic() > deadline:
                typer.echo(f"error: it has not ended within {wait:g} seconds.", err=True)
                raise typer.Exit(FAILURE)
            time.sleep(_POLL_SECONDS)
    finally:
        log.close()
    ended = counted(sum(trial.ended for trial in latest.trials), "trial")
    typer.echo(f"It has ended with {ended} done; the same `rnn-sweep run` goes on.")


def _same_session(before: Results, now: Results) -> bool:
    return now.is_running and now.state.opened_at == before.state.opened_at
