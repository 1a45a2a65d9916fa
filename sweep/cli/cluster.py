"""The commands that talk to a cluster's Jobs server; `sweep.cli.app` takes them up."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.words.messages import FAILURE, INTERRUPTED, USER_MISTAKE

if TYPE_CHECKING:
    from cluster.dashboard import Dashboard
    from cluster.jobs import Job
    from cluster.package import Package
    from sweep.remote.submitting import Submission

Address = Annotated[
    str, typer.Option(metavar="URL", help="The cluster's Jobs server, as http://HOST:8265.")
]
AllowOpen = Annotated[
    bool,
    typer.Option(
        "--allow-open-cluster",
        help="Use a cluster that asks for no token. Whoever reaches it can run code on it.",
    ),
]
_RAYS_OWN = re.compile(r"^[\d-]+ [\d:,]+\t[A-Z]+ job_manager\.py:\d+ -- .*\n", re.MULTILINE)
SweepName = Annotated[str, typer.Argument(help="The sweep's name.")]


def submit(
    spec: Annotated[str, typer.Argument(help="A sweep's YAML file, or a preset's name.")],
    address: Address,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=VALUE", help="Set any key of the sweep file."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Instead of the file's name.")] = None,
    trials: Annotated[
        int | None, typer.Option(help="Trials in all, instead of the file's.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Show it until it ends.")] = False,
    installed: Annotated[
        bool, typer.Option("--installed", help="The cluster has this rnn-sweep; send no sources.")
    ] = False,
    allow_open: AllowOpen = False,
) -> None:
    """Run a sweep on a Ray cluster, as a job; submit it again to go on where it ended.

    The sweep file is checked here and sent with the files that it names relative to itself.
    Absolute paths are the cluster's own. Nothing of the environment is sent but the addresses in
    MLFLOW_TRACKING_URI, MLFLOW_S3_ENDPOINT_URL and RNN_SWEEP_LOG; passwords belong into the
    cluster's own environment.

    \b
    Examples:
      rnn-sweep submit load.yaml --address http://127.0.0.1:8265 --follow
      rnn-sweep submit load.yaml --address https://ray.example --set cluster.directory=/disk
      rnn-sweep submit load.yaml --address http://127.0.0.1:8265 --set data.path=/shared/load.csv
    """
    from cluster.dashboard import open_dashboard
    from cluster.jobs import check_joinable
    from cluster.package import pack
    from sweep.remote.submitting import prepare_submission

    more = {"name": name, "budget.trials": trials}
    made = prepare_submission(spec, overrides or [], more, installed, allow_open)
    typer.echo(f"checked: {made.config.name}, {made.config.budget.trials} trials")
    for note in made.notes:
        typer.echo(f"note: {note}")
    board = open_dashboard(address, allow_open)
    typer.echo(f"reached: {board.url}, {board.versions}")
    check_joinable(board, allow_open)
    package = pack(made.files)
    typer.echo(f"packed: {package.files} files, {len(package.data) / 2**20:.1f} MiB")
    job = _send(board, made, package)
    typer.echo(f"submitted: {job.submission_id}")
    if follow:
        _follow(board, job)
    else:
        typer.echo(f"  rnn-sweep logs {job.sweep} --address {board.url} --follow")
        typer.echo(f"  rnn-sweep stop {job.sweep} --address {board.url}")


def jobs(address: Address, allow_open: AllowOpen = False) -> None:
    """List the sweeps that were submitted to a cluster, oldest first.

    \b
    Example:
      rnn-sweep jobs --address http://127.0.0.1:8265
    """
    from rich.table import Table

    from cluster.dashboard import open_dashboard
    from cluster.jobs import list_jobs
    from sweep.words.console import console, duration

    board = open_dashboard(address, allow_open)
    found = list_jobs(board)
    if not found:
        typer.echo(f"No sweep was submitted to {board.url} yet.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("sweep", "job", "status", "began", "lasted"):
        table.add_column(heading)
    for job in found:
        began = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.started)) if job.started else "-"
        lasted = duration((job.ended or time.time()) - job.started) if job.started else "-"
        table.add_row(job.sweep, job.submission_id, job.status.lower(), began, lasted)
    console().print(table)


def logs(
    name: SweepName,
    address: Address,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until it ends.")] = False,
    allow_open: AllowOpen = False,
) -> None:
    """Show what a submitted sweep's last session says.

    \b
    Example:
      rnn-sweep logs load --address http://127.0.0.1:8265 --follow
    """
    from cluster.dashboard import open_dashboard
    from cluster.jobs import latest, read_log

    board = open_dashboard(address, allow_open)
    job = latest(board, name)
    if follow:
        _follow(board, job)
    else:
        _show(read_log(board, job))


def _show(text: str) -> None:
    """Show what a job says, without Ray's own remarks."""
    typer.echo(_RAYS_OWN.sub("", text), nl=False)


def _send(board: Dashboard, made: Submission, package: Package) -> Job:
    from cluster.jobs import list_jobs, next_number, submit, upload

    next_number(list_jobs(board), made.config.name)  # refused before anything is sent
    sent = upload(board, package)
    typer.echo("sent" if sent else "sent: the cluster has it already")
    return submit(board, made.config.name, package, made.entrypoint, made.environment)


def _follow(board: Dashboard, job: Job) -> None:
    """Show a job until it ends, and end as it did."""
    from cluster.jobs import follow

    try:
        ended = follow(board, job, _show)
    except KeyboardInterrupt:
        typer.echo(
            f"\n{job.submission_id} goes on; stop it with: "
            f"rnn-sweep stop {job.sweep} --address {board.url}",
            err=True,
        )
        raise typer.Exit(INTERRUPTED) from None
    why = "" if ended.exit_code is not None else " ".join(ended.message.split())[:500]
    verdict = f"{ended.submission_id} has {ended.status.lower()}"
    typer.echo(f"{verdict}: {why}" if why and ended.status == "FAILED" else f"{verdict}.", err=True)
    if ended.status == "STOPPED":
        raise typer.Exit(INTERRUPTED)
    if ended.status == "FAILED":
        known = (FAILURE, USER_MISTAKE, INTERRUPTED)
        raise typer.Exit(ended.exit_code if ended.exit_code in known else FAILURE)
