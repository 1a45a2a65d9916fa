"""What a running sweep shows: a live table in a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.table import Table

from sweep.results.naive import unbeaten
from sweep.running.progress import NaiveMark, Progress, ProgressCallback, TrialEnd
from sweep.words.console import counted, duration, measure, repeated, settings, short

LINE_SECONDS = 10.0
_STATES = ("complete", "pruned", "failed", "running", "paused", "waiting")


@contextmanager
def display(console: Console) -> Iterator[ProgressCallback]:
    """Give the callback that shows progress; a terminal is tidied up at the end."""
    if not console.is_terminal:
        yield PlainLines(console.print)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda progress: live.update(live_table(progress), refresh=True)


class PlainLines:
    """A line when a trial ends, and one about the whole sweep every ten seconds."""

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Write lines with `write`."""
        self._write = write
        self._clock = clock
        self._last = clock()
        self._trouble = ""

    def __call__(self, progress: Progress) -> None:
        """Say what happened since the last call."""
        if progress.trouble != self._trouble:
            self._trouble = progress.trouble
            if self._trouble:
                self._write(f"tracker: {self._trouble}")
        for end in progress.ended:
            self._write(f"{_end(end, progress.unit)}; {_ended(progress)}{_best(progress)}")
            self._last = self._clock()
        if self._clock() - self._last >= LINE_SECONDS:
            self._write(summary(progress))
            self._last = self._clock()


def summary(progress: Progress) -> str:
    """Return one line about the whole sweep."""
    parts = [_ended(progress) + _best(progress)]
    if progress.naive is not None:
        parts.append(_naive(progress.naive, progress.unit))
    parts.append(f"{progress.training} running on {_workers(progress)}")
    if set(progress.workers) - {"training", "idle"}:
        parts.append(f"workers: {_health(progress)}")
    parts.append(f"{short(progress.epochs_per_second)} epochs/s{_busy(progress)}")
    if progress.eta_seconds is not None:
        parts.append(f"about {duration(progress.eta_seconds)} left")
    if progress.phase != "training":
        parts.insert(0, progress.phase)
    return ", ".join(parts)


def live_table(progress: Progress) -> Table:
    """Return the table that a terminal shows."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    counts = [f"{progress.counts[s]} {s}" for s in _STATES if progress.counts.get(s)]
    table.add_row("trials", f"{_ended(progress)}: {', '.join(counts) or progress.phase}")
    if progress.best is not None:
        best = progress.best
        value = measure(best.value, progress.unit)
        table.add_row("best", f"{best.metric} {value}, trial {best.number}")
        table.add_row("", settings(best.params))
    if progress.naive is not None:
        table.add_row("naive", _naive(progress.naive, progress.unit))
    table.add_row(
        "speed",
        f"{short(progress.epochs_per_second)} epochs/s on {_workers(progress)}{_busy(progress)}",
    )
    if set(progress.workers) - {"training", "idle"}:
        table.add_row("workers", _health(progress))
    left = "" if progress.eta_seconds is None else f", about {duration(progress.eta_seconds)} left"
    table.add_row("time", f"{duration(progress.elapsed_seconds)}{left}")
    if progress.backlog or progress.trouble:
        table.add_row("tracker", f"{progress.backlog} events behind")
    if progress.trouble:
        table.add_row("", progress.trouble)
    return table


def _naive(naive: NaiveMark, unit: str) -> str:
    """Return the best naive forecast, and how the best trial compares."""
    if naive.beaten is False:
        return unbeaten(naive.name, naive.metric, naive.value, unit).rstrip(".")
    own = "" if naive.skill is None else f", skill {short(naive.skill)}"
    return f"{naive.name} {naive.metric} {measure(naive.value, unit)}{own}"


def _health(progress: Progress) -> str:
    """Return what the workers do, where some do not simply train."""
    names = {"starting": "waiting for room or starting", "silent": "silent, may hang"}
    counts = progress.workers.items()
    return ", ".join(f"{count} {names.get(state, state)}" for state, count in sorted(counts))


def _end(end: TrialEnd, unit: str) -> str:
    value = "" if end.value is None else f", {end.metric} {measure(end.value, unit)}"
    why = f" ({end.message})" if end.message else ""
    return f"trial {end.number} {end.state}{value} after {counted(end.epochs, 'epoch')}{why}"


def _ended(progress: Progress) -> str:
    ended = sum(progress.counts.get(state, 0) for state in _STATES[:3])
    repeats = f", {repeated(progress.repeats)}" if progress.repeats else ""
    return f"{ended} of {counted(progress.budget_trials, 'trial')} done{repeats}"


def _workers(progress: Progress) -> str:
    return counted(progress.workers_alive, "worker")


def _busy(progress: Progress) -> str:
    return "" if progress.busy_fraction is None else f", busy {progress.busy_fraction:.0%}"


def _best(progress: Progress) -> str:
    if progress.best is None:
        return ""
    best = progress.best
    value = measure(best.value, progress.unit)
    return f", best {best.metric} {value} (trial {best.number})"
