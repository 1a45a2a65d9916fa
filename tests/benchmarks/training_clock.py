"""Workers that write down the processor time they spent training, by their own clocks.

So training can be told from everything else, however busy the machine is.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

import sweep.work.executors.on_ray

_CLOCKS = "training-clocks"


class ClockedActor(sweep.work.executors.on_ray._Actor):
    """A worker that writes down, at every call, what processor time training took so far."""

    def __init__(self, name: str, data: Any, settings: Any) -> None:
        super().__init__(name, data, settings)
        self._clock = _clock_training()
        folder = Path(settings.checkpoint_folder).parent / _CLOCKS
        folder.mkdir(exist_ok=True)
        self._file = (folder / name).open("a", encoding="utf-8")

    def advance(self, commands: Any) -> Any:
        reply = super().advance(commands)
        self._file.write(f"{time.time()} {self._clock[0]}\n")
        self._file.flush()
        return reply


def _clock_training() -> list[float]:
    from trainers.packs.pack import Pack

    total = [0.0]
    advance = Pack.advance

    def clocked(pack: Any, *positional: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return advance(pack, *positional, **named)
        finally:
            total[0] += time.thread_time() - began

    Pack.advance = clocked  # type: ignore[method-assign]
    return total


def training_seconds(folder: Path, start: float, stop: float) -> float:
    """Return the processor seconds that all workers of a sweep trained between two moments."""
    total = 0.0
    for path in (folder / _CLOCKS).iterdir():
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        times = [float(line[0]) for line in lines]
        clock = [float(line[1]) for line in lines]
        first, last = np.interp([start, stop], times, clock)
        total += float(last - first)
    return total
