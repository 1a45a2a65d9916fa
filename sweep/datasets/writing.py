"""`rnn-sweep init`: from a file to a sweep file that runs, tried before it is put in its place."""

from __future__ import annotations

import math
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.config.sweep_config import load_config
from sweep.datasets.draft import Draft, Wishes, with_flags
from sweep.datasets.other_drafts import draft_of
from sweep.datasets.settings import Settings, settings_for
from sweep.datasets.text import SweepText
from sweep.errors import ConfigProblem
from sweep.running.plan import SweepPlan, plan_sweep
from trainers.errors import DataError

if TYPE_CHECKING:
    from trainers.data.contract import SequenceData

_MINUTES = 20  # the first estimate of a sweep, nothing stopped early
_FEWEST_TRIALS, _FEWEST_EPOCHS = 6, 4
_UNNAMED = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Written:
    """A sweep file that was written, and what it does."""

    path: Path
    plan: SweepPlan
    draft: Draft


def write_sweep(file: Path, wishes: Wishes, output: Path | None, *, force: bool) -> Written:
    """Write a sweep file for a data file, once it is known to load and to fit.

    Args:
        file: A data file or a folder.
        output: Where; None: the file's stem and .yaml, in the working directory.
        force: Whether an existing file is overwritten.

    Raises:
        ConfigProblem: something must be said; the line names the flag.
        DataError: the data can't be used as they are; the line names option and flag.
    """
    place = output if output is not None else Path(f"{_stem(file)}.yaml")
    if place.exists() and not force:
        raise ConfigProblem(
            f"init does not overwrite a file, but {place} exists; choose another with --output, or "
            "write it anew with --force."
        )
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        draft = _placed(draft_of(file, wishes), place)
        text = _text(draft, place, settings_for(draft.kind, draft.examples or 1), file)
        plan = _tried(text, place)
    except DataError as error:
        raise DataError(with_flags(str(error))) from error
    # What is loaded says how many examples there are, and how long a trial takes.
    data = plan.prepared.data
    settings = settings_for(draft.kind, _examples(data))
    head = tuple(_head(file, draft, data))
    final = _budgeted(replace(text, settings=settings, head=head), plan)
    _put(final.render(), place)
    return Written(place, plan, draft)


def _stem(file: Path) -> str:
    """The name without its endings: `load` of `load.csv.gz`."""
    name = file.resolve().name
    return (name.split(".")[0] if file.is_file() else name) or name


def _placed(draft: Draft, place: Path) -> Draft:
    """The draft with paths as the sweep file has them: relative where they lie below its folder."""
    folder = place.parent.resolve()

    def seen(option: str) -> str:
        found = Path.cwd() / Path(str(draft.options[option])).expanduser()
        resolved = found.resolve()
        return str(resolved.relative_to(folder) if resolved.is_relative_to(folder) else resolved)

    paths = [name for name in ("path", "folder", "test_path") if name in draft.options]
    return draft.with_options({name: seen(name) for name in paths})


def _text(draft: Draft, place: Path, settings: Settings, file: Path) -> SweepText:
    name = _UNNAMED.sub("-", place.stem).strip("-.") or "sweep"
    return SweepText(name, draft, settings, (f"A sweep for {file.name}.",), settings.trials)


def _tried(text: SweepText, place: Path) -> SweepPlan:
    """Load what the text says, as `plan` does, from a file beside the place."""
    trial = place.with_name(f".{place.stem}.{os.getpid()}.yaml")
    try:
        trial.write_text(text.render(), encoding="utf-8")
        return plan_sweep(load_config(trial), place.parent / "sweeps")
    finally:
        trial.unlink(missing_ok=True)


def _examples(data: SequenceData) -> int:
    rows, steps = data.train.inputs.shape[:2]
    return int(rows * steps if data.walk == "stream" else rows)


def _budgeted(text: SweepText, plan: SweepPlan) -> SweepText:
    """As many trials, and epochs, as this machine does in some twenty minutes.

    The estimate is that of the plan, in which no trial is stopped early.
    """
    config, settings = plan.prepared.config, text.settings
    rounds_planned = math.ceil(config.budget.trials / plan.workers)
    epochs = int(settings.train["max_epochs"])
    epoch_seconds = plan.sweep_seconds / rounds_planned / config.train["max_epochs"]
    rounds = max(1.0, 60 * _MINUTES / max(epoch_seconds * epochs, 1e-3))
    least = min(_FEWEST_TRIALS, settings.trials)
    trials = max(least, min(settings.trials, math.floor(rounds) * plan.workers))
    minutes = math.ceil(trials / plan.workers) * epoch_seconds * epochs / 60
    fewer = None
    if minutes > 2 * _MINUTES:
        fewer = max(_FEWEST_EPOCHS, math.floor(epochs * _MINUTES / minutes))
        minutes *= fewer / epochs
    said = f"about {max(1, round(minutes))} min on this machine; many end sooner"
    return replace(text, trials=trials, max_epochs=fewer, budget=said)


def _head(file: Path, draft: Draft, data: SequenceData) -> Iterator[str]:
    yield f"A sweep for {file.name}, as `rnn-sweep init` understood it:"
    yield f"{data.task}, source {draft.source}; {_shapes(data)}"
    for note in data.notes:
        yield f"- {note}"
    for finding in data.findings:
        yield f"- {finding.grade}: {finding.text}"
    yield f"What is wrong with the data: rnn-sweep data {shlex.quote(file.name)}"


def _shapes(data: SequenceData) -> str:
    inputs = ", ".join(data.input_names[:6]) + (", …" if len(data.input_names) > 6 else "")
    return f"{data.input_size} inputs{': ' if inputs else ''}{inputs}"


def _put(text: str, place: Path) -> None:
    """Write a file whole or not at all."""
    temporary = place.with_name(f".{place.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(place)
