"""A sweep made tiny, so that all of it can be tried in under a minute. Pure.

What the sweep is about stays: source, space, sampler, objectives, packs, order. What only takes
time is cut down; what can't hold with so little training is loosened.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

from sweep.config.file import assign
from sweep.config.sweep_config import SweepConfig, validate
from sweep.config.tracking_uri import local_store

TRIALS = 4
EPOCHS = 6
BATCH_SIZE = 8
SEQUENCES = 64
STREAM_STEPS = 4096
WORKERS = 2
PACK = 2
CHECKPOINT_SECONDS = 0.001  # after every epoch: the coordinator is killed soon
HANG_SECONDS = 60.0
_NO_BOUND = 1e300
_NAME_CHARACTERS = 180


def shrunk(
    config: SweepConfig,
    directory: Path,
    *,
    given: Collection[str] = (),
    stream: bool = False,
    use_tracker: bool = False,
) -> SweepConfig:
    """Return the sweep as `rnn-sweep smoke` runs it.

    Args:
        config: The sweep, as its file and --set say.
        directory: Where it will lie; names that are taken there are avoided.
        given: Dotted keys that --set named: these are left as they are.
        stream: Whether the data are a stream, whose limit counts steps.
        use_tracker: Record where the sweep itself would be recorded, not in `directory`.

    Raises:
        ConfigProblem: what --set gives does not go with the rest.
    """
    values = config.model_dump(mode="json")
    values["name"] = _free_name(config.name, directory)
    values["run"]["log"] = None  # read back as a file
    tiny = _Shrinking(values, given)
    rows = isinstance(values["data"].get("limit"), Mapping)  # what is read of tables stays
    sequences = "data.limit.sequences" if rows else "data.limit"
    tiny.at_most(sequences, STREAM_STEPS if stream else SEQUENCES)
    tiny.setting("max_epochs", EPOCHS, default=20)
    tiny.setting("batch_size", BATCH_SIZE, default=64)
    tiny.at_most("run.pack", PACK)
    tiny.at_most("run.workers", WORKERS)
    tiny.at_most("run.hang_seconds", HANG_SECONDS)
    if config.run.workers == "auto":
        tiny.put("run.workers", WORKERS)
    for key, value in _PLAIN.items():
        tiny.put(key, value)
    if config.run.device == "cuda":
        tiny.put("run.device", "auto")
    for bound in values["search"]["constraints"]:
        if not tiny.is_given("search.constraints"):
            bound |= {end: _loose(bound[end], end) for end in ("min", "max")}
    elsewhere = use_tracker or tiny.is_given("tracking.uri")
    values["tracking"] = {  # whole: the record is what a smoke is about, and nothing is registered
        "uri": config.tracking.uri if elsewhere else local_store(directory),
        "experiment": values["name"],
    }
    return validate(values)


# Few epochs reach no rung that says anything; earlier sweeps and logs are elsewhere.
_PLAIN: dict[str, Any] = {
    "search.pruning": {"rule": "none"},
    "search.warm_start": [],
    "budget.trials": TRIALS,  # two for each worker: one can be killed between them
    "budget.hours": None,
    "budget.gpu_hours": None,
    "run.address": None,
    "run.threads": 1,
    "run.checkpoint_seconds": CHECKPOINT_SECONDS,
    "cluster": {},
    "finalists.count": 1,
    "finalists.replicates": 1,
    "retention.checkpoints": TRIALS,
}


class _Shrinking:
    """Changes a sweep file's values, those excepted that --set named."""

    def __init__(self, values: dict[str, Any], given: Collection[str]) -> None:
        self._values = values
        self._given = tuple(given)

    def is_given(self, key: str) -> bool:
        """Whether --set named the key, a part of it or the section that it stands in."""
        return any(
            own == key or own.startswith(f"{key}.") or key.startswith(f"{own}.")
            for own in self._given
        )

    def put(self, key: str, value: Any) -> None:
        if not self.is_given(key):
            assign(self._values, key, value)

    def at_most(self, key: str, most: float) -> None:
        *sections, name = key.split(".")
        present = reduce(getitem, sections, self._values).get(name)
        if present != "auto":
            self.put(key, most if present is None else min(present, most))

    def setting(self, name: str, most: int, default: int) -> None:
        """Fix a training setting, drawn or not, at its smallest value or `most`."""
        drawn = self._values["space"]["parameters"]
        if self.is_given(f"train.{name}") or self.is_given(f"space.parameters.{name}"):
            return
        if name not in drawn:
            self._values["train"][name] = min(self._values["train"].get(name, default), most)
            value = self._values["train"][name]
        else:
            value = min(_smallest(drawn[name], default), most)
            drawn[name] = [value]  # a choice of one: a grid must keep its dimensions
        for known in self._values["search"]["enqueue"]:
            if name in known:
                known[name] = value


def _smallest(drawn: Any, default: int) -> int:
    """Return the smallest value that a parameter may take, as far as it is written."""
    if isinstance(drawn, Mapping):
        return int(drawn.get("low", default))
    return int(min(drawn)) if isinstance(drawn, list) else int(drawn)


def _loose(bound: float | None, end: str) -> float | None:
    if bound is None:
        return None
    return _NO_BOUND if end == "max" else -_NO_BOUND


def _free_name(name: str, directory: Path) -> str:
    """Return NAME-smoke, or the first of NAME-smoke-2, … that is free: nothing is overwritten."""
    wanted = f"{name[:_NAME_CHARACTERS]}-smoke"
    number, free = 1, wanted
    while (directory / free).exists():
        number += 1
        free = f"{wanted}-{number}"
    return free
