"""What `rnn-sweep plan` prints: a sweep before anything is spent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from sweep.results.naive import forecasts_told
from sweep.results.units import metric_unit
from sweep.words.console import counted, duration, settings
from trainers.data.finding import grave
from trainers.use.intervals import scores_needed

if TYPE_CHECKING:
    from sweep.running.plan import SweepPlan
    from sweep.running.preparation import Prepared

_NAMES = 12  # of inputs or outputs that are shown


def show_plan(screen: Console, plan: SweepPlan) -> None:
    """Print what a sweep would do."""
    prepared, config = plan.prepared, plan.prepared.config
    trials = counted(config.budget.trials, "trial")
    screen.print(f"Sweep {config.name}: {trials} on {counted(plan.workers, 'worker')}")
    if plan.begun is not None:
        screen.print(f"  goes on with the sweep in {plan.begun}")
    objectives = ", ".join(f"{o.direction} {o.metric}" for o in prepared.goal.objectives)
    pruning = config.search.pruning.rule
    screen.print(f"Search: {config.search.sampler}, {objectives}, pruning {pruning}")
    show_data(screen, prepared)
    _show_measured(screen, plan)
    _show_naive(screen, plan)
    size = "without end" if math.isinf(plan.size) else f"{plan.size:,.0f} configurations"
    screen.print(f"Space: {prepared.space.name}, {size}; for example")
    for example in plan.examples:
        screen.print(
            f"  {settings(example.params)}  ({example.parameters:,} parameters, about "
            f"{duration(example.trial_seconds)})"
        )
    _show_packs(screen, plan)
    screen.print(
        f"First estimate: about {duration(plan.sweep_seconds)} with every trial trained to its "
        "last epoch; pruning and patience end many sooner"
    )


def show_data(screen: Console, prepared: Prepared) -> None:
    """Print what is learned from: names, parts, what is suspicious, notes."""
    data, drawn = prepared.data, prepared.dimensions.values
    unit = f" in {data.units}" if data.units else ""
    screen.print(f"Data: {data.name}, {data.task}")
    if drawn:
        names = " and ".join(f"data.{name}" for name in drawn)
        count = counted(len(prepared.choices.by_key), "choice")
        screen.print(f"  the first of {count} of {names}, all judged on the same targets:")
    screen.print(f"  {_named(data.input_size, 'input', data.input_names)}")
    if prepared.choices.folds > 1:
        screen.print(
            f"  {prepared.choices.folds} folds: each trial is trained on all of them and judged by "
            "the mean; the last fold's parts:"
        )
    outputs = "class" if data.task == "classification" else "output"
    screen.print(f"  {_named(data.output_size, outputs, data.target_names)}{unit}")
    for name, part in data.parts().items():
        screen.print(f"  {name:<11}{len(part):>7,} sequences of {part.time_steps} steps")
    for finding in grave(data.findings):
        screen.print(f"  {finding.grade}: {finding.text}", markup=False)
    for note in data.notes:
        screen.print(f"  note: {note}", markup=False)
    _show_scores(screen, prepared)


def _show_scores(screen: Console, prepared: Prepared) -> None:
    """Say where validation targets are too few to calibrate the finalists' interval by."""
    data, level = prepared.data, prepared.config.finalists.interval
    needed = scores_needed(level)
    if data.task == "regression" and data.one_target and len(data.validation) < needed:
        screen.print(
            f"  note: finalists have no interval at finalists.interval: {level:g}, which needs "
            f"{needed} validation targets a step, but there are {len(data.validation)}"
        )


def _show_measured(screen: Console, plan: SweepPlan) -> None:
    found = plan.measured
    screen.print(f"Metrics: at each epoch {', '.join(found.each_epoch)}", markup=False)
    if found.at_end:
        screen.print(f"  at a trial's end {', '.join(found.at_end)}", markup=False)
    for name, why in found.undefined.items():
        screen.print(f"  not there: {name}, which needs {why}", markup=False)


def _named(count: int, what: str, names: Sequence[str]) -> str:
    """Return `3 inputs: a, b, c`; of many names the first ones."""
    shown = ", ".join(names[:_NAMES]) + (", …" if len(names) > _NAMES else "")
    return f"{counted(count, what)}{': ' if shown else ''}{shown}"


def _show_naive(screen: Console, plan: SweepPlan) -> None:
    """Print the naive forecasts that trials will stand beside."""
    prepared = plan.prepared
    leading, data = prepared.goal.leading, prepared.data
    if isinstance(plan.naive, str):
        screen.print(f"Naive forecasts: {plan.naive}", markup=False)
        return
    unit = metric_unit(leading.metric, data.task, data.units)
    for line in forecasts_told(plan.naive, leading, unit):
        screen.print(line, markup=False)


def _show_packs(screen: Console, plan: SweepPlan) -> None:
    """Print how trials would train together, and what was measured on this machine."""
    run = plan.prepared.config.run
    if run.pack != "auto":
        size = f"{run.pack} trials a worker, as run.pack says"
    elif plan.device == "cpu":
        size = "one trial at a time, the default on a CPU: bit-equal to a trial alone"
    else:
        size = "as measured"
    if not plan.packings:
        screen.print(f"Packs: {size}; --packs measures here whether more pay")
        return
    screen.print(f"Packs: {size}. Measured here:")
    for packing in plan.packings:
        screen.print(f"  {settings(packing.params) or 'all'}: {packing.choice.reason}")
    best = max((p.choice for p in plan.packings), key=lambda c: c.slots)
    if best.slots > 1 and run.pack == "auto" and plan.device == "cpu":
        screen.print(
            f"  where packs are faster, take them: --set run.pack={best.slots} "
            f"--set run.backend={best.backend}; trials of a pack share one structure, so fewer "
            "structures are tried"
        )
