"""The command line: reads options, calls the rest, prints. Heavy imports wait for their command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sweep.cli.backtest import backtest
from sweep.cli.cluster import jobs, logs, submit
from sweep.cli.data import data
from sweep.cli.init import init
from sweep.cli.models import predict, register
from sweep.cli.operate import status, stop
from sweep.cli.options import SWEEPS, Directory, Name
from sweep.cli.refit import refit
from sweep.cli.render import render
from sweep.cli.report import compare, export, report
from sweep.cli.run import plan, run
from sweep.cli.settings import settings
from sweep.cli.smoke import smoke
from sweep.words.messages import FAILURE

app = typer.Typer(
    name="rnn-sweep",
    help="Train every recurrent network of a sweep, lose nothing, compare all of them in MLflow.",
    epilog="First steps:  rnn-sweep presets;  rnn-sweep run digits;  rnn-sweep results digits",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def command() -> Any:
    """Return the whole command line as one click command."""
    return typer.main.get_command(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"rnn-sweep {version('rnn-sweep')}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


app.command()(run)
app.command("resume", short_help="The same as run: go on with an interrupted sweep.")(run)
app.command()(plan)
app.command()(init)
app.command()(data)


app.command()(status)
app.command()(stop)


@app.command()
def results(
    name: Name,
    format: Annotated[
        Literal["table", "csv", "json", "parquet"] | None,
        typer.Option(help="Default: by the ending of --output, or a table."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A file to write.")] = None,
    series: Annotated[
        bool, typer.Option("--by-series", help="One trial's metrics for each series instead.")
    ] = False,
    trial: Annotated[
        int | None, typer.Option(help="With --by-series: a trial instead of the best.")
    ] = None,
    directory: Directory = SWEEPS,
) -> None:
    """Show or export every trial: state, objective, epochs, parameters, best and test metrics.

    With --by-series a table of the data's series: a finalist's metrics on the test part, another
    trial's on the validation part, the worst series first.

    \b
    Examples:
      rnn-sweep results digits
      rnn-sweep results digits --format json
      rnn-sweep results digits --output digits.parquet
      rnn-sweep results shops --by-series --format csv
    """
    from sweep.cli.printing import show_results
    from sweep.errors import UserError
    from sweep.results.export import export, export_format, write
    from sweep.results.results import open_results
    from sweep.words.console import console

    if trial is not None and not series:
        raise UserError(f"--trial says whose series are shown: add --by-series to --trial {trial}.")
    kind = export_format(format, output)
    found = open_results(name, directory)
    printed = kind == "table" and output is None
    if series:
        from sweep.models.by_series import by_series

        table, screen = by_series(found, trial), console()
        screen.print(table.shown(screen.width)) if printed else write(
            table.exported(), kind, output
        )
    elif printed:
        show_results(console(), found)
    else:
        export(found, kind, output)


@app.command()
def best(
    name: Name,
    format: Annotated[Literal["text", "json"], typer.Option(help="text or json.")] = "text",
    directory: Directory = SWEEPS,
) -> None:
    """Show the best complete trial by validation: its parameters, metrics and checkpoint.

    \b
    Examples:
      rnn-sweep best digits
      rnn-sweep best digits --format json
    """
    from sweep.cli.printing import show_best
    from sweep.results.export import best_json
    from sweep.results.results import open_results
    from sweep.words.console import console

    found = open_results(name, directory)
    if format == "json":
        typer.echo(best_json(found))
    else:
        show_best(console(), found)


for _command in (backtest, report, compare, export):
    app.command()(_command)


@app.command()
def replay(
    name: Name,
    trial: Annotated[int, typer.Argument(help="The trial's number.")],
    directory: Directory = SWEEPS,
) -> None:
    """Train one trial again, alone, and show how far it is from what the sweep recorded.

    \b
    Examples:
      rnn-sweep replay digits 3
    """
    from sweep.cli.printing import show_certificate
    from sweep.results.results import find_sweep
    from sweep.running.replay import replay as certify
    from sweep.words.console import console

    folder = find_sweep(name, directory)
    show_certificate(console(), certify(folder.parent, folder.name, trial))


app.command()(render)
app.command()(predict)
app.command()(register)
app.command()(refit)
app.command()(submit)
app.command()(jobs)
app.command()(logs)
app.command()(smoke)


@app.command()
def sync(
    name: Name,
    follow: Annotated[bool, typer.Option("--follow", help="Go on until the sweep ends.")] = False,
    directory: Directory = SWEEPS,
) -> None:
    """Write to MLflow what a sweep's log holds and MLflow does not.

    \b
    Examples:
      rnn-sweep sync digits
      MLFLOW_TRACKING_URI=http://127.0.0.1:5000 rnn-sweep sync digits
    """
    from sweep.results.results import find_sweep
    from sweep.tracking.sync import sync as write

    folder = find_sweep(name, directory)
    result = write(folder.parent, folder.name, follow=follow)
    typer.echo(
        f"{result.uri} holds {result.written} events of {folder.name}, {result.behind} wait."
    )
    if result.complaint is not None:
        typer.echo(f"error: {result.complaint}", err=True)
        raise typer.Exit(FAILURE)


@app.command()
def ui(
    directory: Directory = SWEEPS,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 5000,
) -> None:
    """Serve MLflow's pages for the sweeps of a folder, until Ctrl-C.

    \b
    Examples:
      rnn-sweep ui
      rnn-sweep ui --dir sweeps --port 5001
    """
    from sweep.tracking.ui import serve

    serve(directory, host, port, typer.echo)


@app.command()
def spaces() -> None:
    """List the ready search spaces and what they draw.

    \b
    Example:
      rnn-sweep spaces
    """
    from sweep.cli.printing import show_spaces
    from sweep.words.console import console

    show_spaces(console())


@app.command()
def presets() -> None:
    """List the sweeps that run as they are.

    \b
    Example:
      rnn-sweep presets
    """
    from sweep.cli.printing import show_presets
    from sweep.words.console import console

    show_presets(console())


app.command()(settings)


@app.command()
def schema() -> None:
    """Print the JSON schema of a sweep file, for editors.

    \b
    Example:
      rnn-sweep schema > rnn-sweep.schema.json
    """
    import json

    from sweep.config.schema import config_schema

    typer.echo(json.dumps(config_schema(), indent=2))
