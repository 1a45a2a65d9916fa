"""Child process: runs one sweep of the product and says when what happened."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import sweep.work.executors.on_ray
from sweep.config.sweep_config import validate
from sweep.log.event_log import EventLog
from sweep.log.kinds import Asked, Completed, Failed, Reported
from sweep.running.session import run_sweep
from tests.benchmarks.process_tree import answer, arguments
from tests.benchmarks.training_clock import ClockedActor


def main() -> None:
    given = arguments(sys.argv)
    sweep.work.executors.on_ray._Actor = ClockedActor  # type: ignore[misc]
    config = validate(given["sweep"])
    outcome = run_sweep(config, Path(given["directory"]))
    answer(
        {
            "busy_fraction": outcome.busy_fraction,
            "reason": outcome.reason,
            "wall_seconds": outcome.wall_seconds,
            **_from_log(outcome.folder, config.name),
        }
    )


def _from_log(folder: Path, name: str) -> dict[str, Any]:
    log = EventLog.open(folder / "sweep.db", name)
    asked, ended, end_seqs, trained, configs = [], [], [], 0.0, []
    for event in log.read():
        if isinstance(event.what, Asked):
            asked.append(event.time)
            configs.append(event.what.config)
        elif isinstance(event.what, Reported):
            trained += event.what.train_seconds
        elif isinstance(event.what, Completed | Failed):
            ended.append(event.time)
            end_seqs.append(event.seq)
    log.close()
    return {
        "asked": asked,
        "ended": ended,
        "end_seqs": end_seqs,
        "train_seconds": trained,
        "configs": configs,
        "finished": time.time(),
    }


if __name__ == "__main__":
    main()
