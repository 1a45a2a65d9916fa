"""Child process: trains given configurations one after another, with no platform at all.

This is the limit: what the same trials cost where nobody searches, schedules or records.
"""

from __future__ import annotations

import sys
import time

import torch

from tests.benchmarks.process_tree import answer, arguments
from tests.benchmarks.workload import load, new_pack
from trainers.config.train_config import TrainConfig


def main() -> None:
    given = arguments(sys.argv)
    torch.set_num_threads(1)
    data = load()
    trained = 0.0
    while time.time() < given["begin_at"]:
        time.sleep(0.001)
    wall, processor = time.perf_counter(), time.process_time()
    for values in given["configs"]:
        pack = new_pack(data, TrainConfig.from_mapping(values))
        began = time.process_time()
        while not pack.train_epoch()[0].ended:
            pass
        trained += time.process_time() - began
    answer(
        {
            "wall_seconds": time.perf_counter() - wall,
            "processor_seconds": time.process_time() - processor,
            "training_seconds": trained,
        }
    )


if __name__ == "__main__":
    main()
