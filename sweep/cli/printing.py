"""What the commands print for people."""

from __future__ import annotations

import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from sweep.cli.printing_replicates import show_replicates
from sweep.config.tracking_uri import default_tracking_uri
from sweep.history.state import Standing, TrialState
from sweep.log.notices import last_notice
from sweep.results.columns import usual_metrics
from sweep.results.naive import naive_lines, verdict
from sweep.results.results import DEFAULT_FOLDER, Results, open_results
from sweep.results.tables import results_table
from sweep.words.console import counted, duration, measure, repeated, setting, settings, short
from sweep.words.redaction import shown

if TYPE_CHECKING:
    from sweep.running.replay import Certificate
    from sweep.running.session import Outcome


def after_run(screen: Console, outcome: Outcome, more: str) -> None:
    """Say what came out, where everything lies and what to type next.

    Args:
        more: The command that goes on with more trials, or a larger budget.
    """
    results = open_results(outcome.folder)
    screen.print(f"{results.config.name}: {_came_to(results, outcome)}")
    if outcome.reason == "budget":
        screen.print(_spent(results))
        if outcome.finalists_missing:
            wanted = results.config.finalists.count
            screen.print(
                f"{wanted - outcome.finalists_missing} of {wanted} finalists are trained to their "
                "end; with a larger budget the best of the paused and pruned trials are too."
            )
    show_best(screen, results)
    _show_failed(screen, results, most=1)
    place = shlex.quote(str(outcome.folder.parent))
    where = "" if place == DEFAULT_FOLDER else f" --dir {place}"
    name = results.config.name
    screen.print(f"Log and checkpoints: {outcome.folder}")
    steps = [f"rnn-sweep {verb} {name}{where}" for verb in ("results", "report")] + [more]
    tracking = results.config.tracking
    if tracking.enabled:
        uri = default_tracking_uri(outcome.folder.parent, tracking.uri)
        waiting = f" ({outcome.untracked} events still wait)" if outcome.untracked else ""
        screen.print(f"MLflow's record: {shown(uri)}{waiting}")
        if outcome.untracked and (why := last_notice(outcome.folder)):
            screen.print(f"  {why}")
        steps.insert(2, f"rnn-sweep {f'sync {name}' if outcome.untracked else 'ui'}{where}")
    screen.print("Next:")
    for command in steps:
        screen.print(f"  {command}")


def show_best(screen: Console, results: Results) -> None:
    """Print the best trial, or the Pareto front when there are several objectives."""
    best = results.best()
    if best is None:
        screen.print("No trial is complete" + (" and feasible." if _infeasible(results) else "."))
        return
    if results.several_objectives:
        front = [t for t in results.trials if t.number in results.front()]
        screen.print(f"Pareto front: {len(front)} trials")
        for trial in front:
            pairs = zip(results.goal.objectives, results.goal.values(trial), strict=True)
            values = ", ".join(f"{o.metric} {short(value)}" for o, value in pairs)
            screen.print(f"  trial {trial.number}: {values}  {settings(trial.params)}")
        return
    screen.print(
        f"Best: trial {best.number}, {_leading(results, best)} on validation"
        f"{_on_test(results, best)}, epoch {best.best_epoch} of {best.epoch}"
    )
    for part in ("best", "test"):
        _show_metrics(screen, results, best, part)
    _show_folds(screen, results, best)
    _show_naive(screen, results)
    screen.print(f"  {settings(best.params)}")
    if path := results.checkpoint(best):
        screen.print(f"  {path}")
    show_replicates(screen, results)


def _show_metrics(screen: Console, results: Results, trial: TrialState, part: str) -> None:
    """Print the usual metrics of a part of the data, with their units; files have them all."""
    usual = usual_metrics(results)
    told = (
        f"{metric} {measure(value, results.unit(metric))}"
        for metric, value in getattr(trial, part).items()
        if metric in usual and value is not None
    )
    if text := ", ".join(told):
        name = "validation" if part == "best" else part
        screen.print(f"  {name}: {text}")


def _show_folds(screen: Console, results: Results, trial: TrialState) -> None:
    """Print the leading metric of each fold, where the data have several."""
    metric = results.goal.leading.metric
    values = [own.get(metric) for own in trial.folds]
    if values:
        unit = results.unit(metric)
        screen.print(f"  folds: {metric} {', '.join(measure(one, unit) for one in values)}")


def show_results(screen: Console, results: Results) -> None:
    """Print the table of all trials."""
    screen.print(results_table(results, screen.width))
    _show_naive(screen, results)
    show_replicates(screen, results)


def _show_naive(screen: Console, results: Results) -> None:
    """Print what the best trial came to beside naive forecasts, and these."""
    for line in (verdict(results), *naive_lines(results)):
        if line:
            screen.print(line, markup=False)


def show_status(screen: Console, results: Results) -> None:
    """Print in a few lines how far a sweep is."""
    opened, closed = results.state.opened, results.state.closed
    if results.is_running and opened is not None:
        doing = f"running (process {opened.pid} on {opened.host})"
    else:
        reason = "not running" if closed is None else closed.reason
        doing = "ended by its budget" if reason == "budget" else reason
    screen.print(f"{results.config.name}: {doing}, {_done(results)}")
    if results.is_running and results.pulse is not None:
        _show_workers(screen, *results.pulse)
    best = results.best()
    if best is not None:
        screen.print(
            f"  best {_leading(results, best)}{_on_test(results, best)}, trial {best.number}: "
            f"{settings(best.params)}"
        )
    _show_failed(screen, results, most=3)


def _show_failed(screen: Console, results: Results, most: int) -> None:
    failed = [trial for trial in results.trials if trial.state is Standing.FAILED]
    for trial in failed[:most]:
        screen.print(f"  trial {trial.number} failed: {trial.reason}; {trial.message}")


def _spent(results: Results) -> str:
    """Say which budget is used up: the one of which the larger share is."""
    budget, state = results.config.budget, results.state
    shares = {}
    if budget.hours is not None:
        shares[f"time budget of {budget.hours:g} h"] = state.wall_seconds / budget.hours
    if budget.gpu_hours is not None:
        shares[f"budget of {budget.gpu_hours:g} GPU hours"] = state.gpu_seconds / budget.gpu_hours
    return f"The {max(shares, key=lambda name: shares[name], default='budget')} is used up."


def _show_workers(screen: Console, age: float, facts: dict[str, Any]) -> None:
    workers = facts.get("workers", [])
    states = Counter(worker["state"] for worker in workers)
    counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    phase = facts.get("phase", "training")
    screen.print(
        f"  {phase}, {counted(len(workers), 'worker')}: {counts or 'none'} ({age:.0f} s ago)"
    )
    for worker in workers:
        trials = ", ".join(str(number) for number in worker["trials"])
        if worker["state"] not in ("training", "idle"):
            where = f" on {worker['node']}" if worker["node"] else ""
            held = f", trials {trials}" if trials else ""
            screen.print(f"    {worker['name']}{where}: {worker['state']}{held}")


def show_spaces(screen: Console) -> None:
    """Print the ready spaces and their dimensions."""
    from search_spaces import get_space, space_names

    for name in space_names():
        screen.print(name, style="bold")
        for parameter, distribution in get_space(name).distributions().items():
            screen.print(f"  {parameter:<22}{_shape(distribution)}")
    screen.print("A sweep file narrows, pins or adds parameters under space.parameters;")
    screen.print("space.base may also be path.py:function.")


def show_presets(screen: Console) -> None:
    """Print the presets: what they train on, and how many trials."""
    from sweep.config.file import find_sweep_file, preset_names
    from sweep.config.sweep_config import load_config

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("preset", "trials", "about"):
        table.add_column(title, justify="right" if title == "trials" else "left")
    for name in preset_names():
        first = find_sweep_file(name).read_text(encoding="utf-8").partition("\n")[0]
        table.add_row(name, str(load_config(name).budget.trials), first.lstrip("# "))
    screen.print(table)


def _shape(distribution: Any) -> str:
    if hasattr(distribution, "choices"):
        return "one of " + ", ".join(setting(choice) for choice in distribution.choices)
    scale = ", log" if distribution.log else ""
    return f"{setting(distribution.low)} … {setting(distribution.high)}{scale}"


def _came_to(results: Results, outcome: Outcome) -> str:
    """Say what the sweep stands at, and what this session had to do with it."""
    if outcome.nothing_left:
        return f"finished before, nothing was left to do: {_done(results)}"
    took = duration(outcome.wall_seconds)
    resumed = results.state.opened is not None and results.state.opened.resumed
    span = f"; this session took {took}" if resumed else f" in {took}"
    busy = outcome.busy_fraction
    return _done(results) + span + ("" if busy is None else f", workers busy {busy:.0%}")


def _done(results: Results) -> str:
    """Say how many of the search's trials are done, by state; then what repeats others."""
    states, most = results.standings(), results.config.budget.trials
    closed = results.state.closed
    if closed is not None and closed.reason == "finished" and not results.is_running:
        most = states.total()  # a grid may hold fewer than the budget
    ended = sum(states[name] for name in ("complete", "pruned", "failed"))
    names = ("complete", "pruned", "failed", "running", "paused")
    counts = ", ".join(f"{states[n]} {n}" for n in names if states[n]) or "no trial yet"
    repeats = repeated(results.repeats())
    done = f"{ended} of {counted(most, 'trial')} done ({counts})"
    return f"{done}; {repeats}" if repeats else done


def _leading(results: Results, trial: TrialState) -> str:
    metric, value = results.goal.leading.metric, results.goal.leading_value(trial)
    return f"{metric} {measure(value, results.unit(metric))}"


def _on_test(results: Results, trial: TrialState) -> str:
    metric = results.goal.leading.metric
    value, unit = trial.test.get(metric), results.unit(metric)
    return "" if value is None else f", {measure(value, unit)} on test"


def _infeasible(results: Results) -> bool:
    return any(trial.state is Standing.COMPLETE for trial in results.trials)


def show_certificate(screen: Console, certificate: Certificate) -> None:
    """Print how a replay compares with the record."""
    count, epochs = len(certificate.compared), certificate.epochs
    screen.print(f"trial {certificate.trial}: {epochs} epochs replayed, {count} numbers compared")
    if certificate.bit_equal:
        screen.print("every number equals its record bit for bit")
        return
    worst = certificate.worst
    screen.print(
        f"farthest from its record: {worst.metric} of epoch {worst.epoch}, recorded "
        f"{worst.recorded!r}, replayed {worst.replayed!r}, relative distance {worst.distance:.2g}"
    )
