"""`rnn-sweep smoke`; `sweep.cli.app` takes it up."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweep.words.messages import INTERRUPTED, SMOKE_FAILED

if TYPE_CHECKING:
    from sweep.config.sweep_config import SweepConfig
    from sweep.smoke.smoke import SmokeOptions, SmokeReport

_SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


Spec = Annotated[str, typer.Argument(help="A sweep's YAML file, or a preset's name.")]
Unshrunk = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=VALUE", help="Set any key; it is not shrunk then."),
]
Gates = Annotated[
    list[str] | None,
    typer.Option("--fail-if", metavar="EXPR", help="A gate on the figures (repeatable)."),
]
Champion = Annotated[
    str | None,
    typer.Option(help="Registered model that gates compare with."),
]
Junit = Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")]
Summary = Annotated[
    Path | None,
    typer.Option(help="Write a Markdown page to this file; default: GITHUB_STEP_SUMMARY."),
]
Folder = Annotated[
    Path | None,
    typer.Option("--dir", help="Folder for the tiny sweep; default: one that is removed."),
]
Keep = Annotated[bool, typer.Option("--keep", help="Don't remove the folder.")]
UseTracker = Annotated[
    bool, typer.Option("--use-tracker", help="Record at MLFLOW_TRACKING_URI, not in a file.")
]


def smoke(
    spec: Spec,
    overrides: Unshrunk = None,
    fail_if: Gates = None,
    champion: Champion = None,
    junit: Junit = None,
    summary: Summary = None,
    directory: Folder = None,
    keep: Keep = False,
    use_tracker: UseTracker = False,
) -> None:
    """Try a sweep for CI: shrunk to under a minute, killed, resumed, read back, judged.

    \b
    A gate fails the command where it is true. It compares numbers and names by + - * / < <= > >=
    == != and or not: best/val_METRIC, best/test_METRIC, best/epochs, best/parameters,
    trials/failed, seconds, and champion, the same metric of the registered champion.

    \b
    Examples:
      rnn-sweep smoke digits
      rnn-sweep smoke my.yaml --fail-if "best/val_rmse > 0.9 * champion" --champion load
      rnn-sweep smoke my.yaml --set data.limit=1000 --set train.max_epochs=20
      rnn-sweep smoke my.yaml --fail-if "seconds > 60" --junit smoke.xml --summary smoke.md

    \b
    Exit codes: 0 all is well, 1 something outside failed, 2 a mistake in file or gate, 3 a check
    failed or a gate fired, 130 interrupted.
    """
    from sweep.config.sweep_config import load_config
    from sweep.smoke.gate import parse_gate
    from sweep.smoke.smoke import SmokeOptions

    gates = tuple(parse_gate(text) for text in fail_if or ())
    config = load_config(spec, overrides or [])
    given = frozenset(text.partition("=")[0].strip() for text in overrides or ())
    pages = _summary_page(summary)
    for path in (*pages, *([junit] if junit else [])):
        _require_writable(path)
    with _folder(directory, keep=keep) as folder, _sigterm_as_ctrl_c():
        report = _smoke(config, SmokeOptions(folder.path, gates, given, champion, use_tracker))
        folder.wanted |= report.failed
        _tell(report, junit, pages, append=summary is None)
    if folder.wanted:
        typer.echo(f"Log, output and MLflow's store: {folder.path}")
    if report.failed:
        raise typer.Exit(SMOKE_FAILED)


def _smoke(config: SweepConfig, options: SmokeOptions) -> SmokeReport:
    from sweep.smoke.smoke import smoke as run_smoke

    try:
        return run_smoke(config, options, typer.echo)
    except KeyboardInterrupt:
        typer.echo("interrupted; all that was started has been ended", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _tell(report: SmokeReport, junit: Path | None, pages: list[Path], *, append: bool) -> None:
    """Print a report, and write it to the files that were asked for."""
    from sweep.smoke.report import junit as junit_xml
    from sweep.smoke.report import lines
    from sweep.smoke.report import summary as summary_page

    for line in lines(report):
        typer.echo(line)
    if junit is not None:
        _write(junit, junit_xml(report))
    for page in pages:
        _write(page, summary_page(report).encode(), append=append)


class _Folder:
    """Where the tiny sweep lies, and whether it is wanted afterwards."""

    def __init__(self, path: Path, *, wanted: bool) -> None:
        self.path = path
        self.wanted = wanted


@contextmanager
def _folder(given: Path | None, *, keep: bool) -> Iterator[_Folder]:
    """Yield the given folder, or one that is removed unless it is wanted."""
    if given is not None:
        yield _Folder(given, wanted=True)
        return
    folder = _Folder(Path(tempfile.mkdtemp(prefix="rnn-sweep-smoke-")), wanted=keep)
    try:
        yield folder
    finally:
        if not folder.wanted:
            shutil.rmtree(folder.path, ignore_errors=True)


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Let a CI that cancels (SIGTERM) end everything that was started, as Ctrl-C does."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    old = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, old)


def _summary_page(given: Path | None) -> list[Path]:
    """Return where the Markdown page goes: nowhere, or to one file."""
    page = given or os.environ.get(_SUMMARY_VARIABLE)
    return [Path(page)] if page else []


def _require_writable(path: Path) -> None:
    """Refuse a file that could not be written once all is done.

    Raises:
        UserError: it is a folder, or nobody may write there.
    """
    from sweep.errors import UserError

    there = path if path.exists() else next(p for p in path.absolute().parents if p.exists())
    if path.is_dir() or (there != path and not there.is_dir()) or not os.access(there, os.W_OK):
        raise UserError(f"{path} must be a file that can be written, but is not; name another.")


def _write(path: Path, content: bytes, *, append: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab" if append else "wb") as file:
        file.write(content)
