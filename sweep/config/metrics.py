"""The metrics that a sweep file names: registered ones, their parts, and functions of one's own."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

from sweep.config.own_code import named_function, own_function
from sweep.errors import ConfigProblem
from trainers.config.metrics import METRICS
from trainers.config.objective import Direction
from trainers.config.own_metric import OwnMetric

_DIRECTIONS = get_args(Direction)


def metric_name(text: str) -> str:
    """Return what a metric is called: of `path.py:function` the function."""
    named = named_function(text)
    return text if named is None else named[1]


def check_metrics(metrics: Sequence[str], named: Iterable[tuple[str, str]]) -> None:
    """Check that every metric that a file names is one, as far as names tell.

    Args:
        metrics: The file's `metrics`.
        named: Dotted key and name of the objectives' and constraints' metrics.

    Raises:
        ValueError: one is not; the line names its key.
    """
    own = [metric_name(text) for text in metrics if named_function(text)]
    for name in own:
        if name in METRICS:
            raise ValueError(
                f"metrics must not take the name of a metric that there is, but got a function "
                f"{name}; call it otherwise"
            )
        if own.count(name) > 1:
            raise ValueError(f"metrics must differ in name, but two functions are called {name}")
    listed = [("metrics", text) for text in metrics if not named_function(text)]
    known = [*METRICS, *own]
    for key, name in (*named, *listed):
        if name not in own and name.partition("/")[0] not in METRICS:
            near = difflib.get_close_matches(name.partition("/")[0], known, n=3)
            hint = f"near ones are {', '.join(near)}" if near else f"as {', '.join(known[:5])}"
            raise ValueError(
                f"{key} must name a metric, or a function that metrics has, but got {name!r}; "
                f"{hint} (all: `rnn-sweep settings search.objectives`)"
            )


def own_metrics(metrics: Sequence[str], folder: Path) -> tuple[OwnMetric, ...]:
    """Read the functions of one's own that a file's `metrics` name.

    Args:
        metrics: The file's `metrics`.
        folder: Where a relative path starts.

    Raises:
        ConfigProblem: there is no such file or function, it fails, or says another direction.
    """
    return tuple(_read(text, folder) for text in metrics if named_function(text))


def _read(text: str, folder: Path) -> OwnMetric:
    function, named = own_function("metrics", text, folder), named_function(text)
    assert named is not None
    path = (folder / Path(named[0]).expanduser()).resolve()
    direction: Direction = getattr(function, "direction", "minimize")
    if direction not in _DIRECTIONS:
        raise ConfigProblem(
            f"{path.name}:{named[1]}.direction must be one of {', '.join(_DIRECTIONS)}, but is "
            f"{direction!r}."
        )
    unit = str(getattr(function, "unit", "number"))
    return OwnMetric(named[1], str(path), path.read_text("utf-8"), direction, unit)
