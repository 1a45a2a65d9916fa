"""Child process: a whole sweep whose workers answer at once, so that only the coordinator works."""

from __future__ import annotations

import gc
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna

from sweep.config.sweep_config import validate
from sweep.running.session import run_sweep
from sweep.work.executors import InProcessExecutor
from sweep.work.protocol import Admit, Command, Lost, Reply, Saved, Trained, WorkerSettings
from tests.benchmarks.process_tree import answer, arguments
from tests.benchmarks.workload import FREE, sweep_file
from trainers.learning.reports import EpochReport

_PAGE = os.sysconf("SC_PAGE_SIZE")


class InstantExecutor(InProcessExecutor):
    """Workers that have trained `epochs_per_call` epochs of every trial when they are asked.

    Attributes:
        own_seconds: Processor time of this stand-in, to be taken off.
        marks: (trials ended, processor seconds without the stand-in's, resident bytes).
    """

    def __init__(self, epochs_per_call: int, mark_every: int) -> None:
        super().__init__()
        self.own_seconds = 0.0
        self.marks: list[tuple[int, float, int]] = []
        self._epochs_per_call = epochs_per_call
        self._mark_every = mark_every
        self._ended = 0
        self._residents: dict[str, dict[int, tuple[Admit, int]]] = {}
        self._in_flight: dict[str, int] = defaultdict(int)
        self._random = random.Random(0)

    def start(self, data: Any, settings: WorkerSettings, workers: int) -> None:
        self._folder = settings.checkpoint_folder
        self._residents = {f"instant-{index}": {} for index in range(workers)}

    def resize(self, workers: int) -> None:
        """They are there from the start."""

    def workers(self) -> tuple[str, ...]:
        return tuple(self._residents)

    def send(self, worker: str, commands: Sequence[Command]) -> None:
        self._calls.append((worker, tuple(commands)))
        self._in_flight[worker] += 1

    def in_flight(self, worker: str) -> int:
        return self._in_flight[worker]

    def poll(self, timeout_seconds: float) -> list[Reply | Lost]:
        began = time.process_time()
        replies: list[Reply | Lost] = [self._advance(*call) for call in self._calls]
        self._calls.clear()
        self._in_flight.clear()
        self.own_seconds += time.process_time() - began
        if self._ended >= len(self.marks) * self._mark_every:
            self._mark()
        return replies

    def close(self) -> None:
        self._mark()

    def _mark(self) -> None:
        busy = time.process_time() - self.own_seconds
        gc.collect()
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
        self.own_seconds = time.process_time() - busy
        self.marks.append((self._ended, busy, resident))

    def _advance(self, worker: str, commands: tuple[Command, ...]) -> Reply:
        residents = self._residents[worker]
        for command in commands:
            if isinstance(command, Admit):
                residents[command.trial] = (command, 0)
        items = []
        for number, (order, done) in list(residents.items())[:1]:
            for epoch in range(done + 1, done + self._epochs_per_call + 1):
                items.append(self._trained(order, epoch))
                if items[-1].report.ended:
                    del residents[number]
                    self._ended += 1
                    break
            else:
                residents[number] = (order, epoch)
        return Reply(worker, tuple(items), 0.25 if items else 0.0, tuple(residents))

    def _trained(self, order: Admit, epoch: int) -> Trained:
        ended = epoch == order.config.max_epochs
        value = self._random.random()
        metrics = dict.fromkeys(("loss", "mse", "rmse", "mae", "r2"), value)
        report = EpochReport(
            slot=0,
            epoch=epoch,
            outcome="completed" if ended else "training",
            train=metrics,
            validation=metrics,
            best_epoch=epoch,
            best_validation=metrics,
            learning_rate=1e-3,
            gradient_norm=0.5,
            optimizer_steps=16 * epoch,
            train_seconds=0.125,
        )
        now = time.time()
        path = Path(self._folder) / f"trial-{order.trial:05d}.a{order.attempt}.e{epoch:04d}"
        final = Saved(order.trial, order.attempt, epoch, str(path), 9, now) if ended else None
        if ended:
            path.touch()
        return Trained(order.trial, order.attempt, report, 4_641, now, final)


def _cheapen_tpe() -> None:
    """Replace TPE's arithmetic by a draw: 10,000 asks take a minute, and store what TPE stores."""
    generator = random.Random(0)
    space = {
        name: optuna.distributions.FloatDistribution(
            float(d["low"]), float(d["high"]), log=bool(d.get("log", False))
        )
        for name, d in FREE.items()
    }

    def infer(self: Any, study: Any, trial: Any) -> dict[str, Any]:
        return space

    def sample(self: Any, study: Any, trial: Any, space: dict[str, Any]) -> dict[str, Any]:
        return {name: generator.uniform(d.low, d.high) for name, d in space.items()}

    optuna.samplers.TPESampler.infer_relative_search_space = infer  # type: ignore[method-assign]
    optuna.samplers.TPESampler._sample_relative = sample  # type: ignore[method-assign]


def main() -> None:
    given = arguments(sys.argv)
    if given["sampler"] == "tpe":
        _cheapen_tpe()
    search = {"sampler": given["sampler"], "objectives": [{"metric": "mse"}]}
    values = sweep_file(
        "instant",
        given["trials"],
        given["workers"],
        given["epochs"],
        search=search,
        tracking={"enabled": False},
        finalists={"count": 0},
    )
    executor = InstantExecutor(given["epochs_per_call"], given["mark_every"])
    outcome = run_sweep(validate(values), Path(given["directory"]), executor=executor)
    answer({"reason": outcome.reason, "marks": executor.marks})


if __name__ == "__main__":
    main()
