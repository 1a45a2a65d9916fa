"""What a trial costs the coordinator: `python -m tests.benchmarks.coordinator_cost`.

A whole sweep of the product with workers that answer at once: asking, logging, folding, planning,
telling. Random search and no tracking for the processor time; for the memory, everything that a
TPE search stores is stored (TPE's arithmetic alone is left out).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import Any

from tests.benchmarks import figures, process_tree
from tests.benchmarks.figures import Figure

_EPOCHS = 4
_EPOCHS_PER_CALL = 2  # half-second trials in calls of a quarter of a second
_WORKERS = 2


def measure(quick: bool) -> Sequence[Figure]:
    trials = 1_000 if quick else 10_000
    timed = _marks(trials, "random", trials // 10)
    stored = _marks(trials, "tpe", trials // 10)
    first, last = timed[:2], timed[-2:]
    details = {
        "trials": trials,
        "epochs_a_trial": _EPOCHS,
        "first_tenth_ms": round(_milliseconds(*first), 2),
        "last_tenth_ms": round(_milliseconds(*last), 2),
    }
    whole = _milliseconds(timed[0], timed[-1])
    # From the first mark on: what the first trials import is not theirs.
    kibibytes = (stored[-1][2] - stored[1][2]) / (stored[-1][0] - stored[1][0]) / 1024
    return [
        Figure(
            "coordinator, per trial, without sampler and sink",
            round(whole, 2),
            "ms",
            5,
            "less",
            details,
        ),
        Figure(
            f"coordinator's memory, per trial, {trials:,} trials",
            round(kibibytes, 2),
            "KiB",
            8,
            "less",
            {"resident_mib_at_the_end": round(stored[-1][2] / 2**20)},
        ),
    ]


def _milliseconds(start: list[float], stop: list[float]) -> float:
    return (stop[1] - start[1]) / (stop[0] - start[0]) * 1e3


def _marks(trials: int, sampler: str, every: int) -> list[Any]:
    with tempfile.TemporaryDirectory() as folder:
        measured = process_tree.run(
            "tests.benchmarks.drive_coordinator",
            {
                "directory": folder,
                "trials": trials,
                "workers": _WORKERS,
                "epochs": _EPOCHS,
                "epochs_per_call": _EPOCHS_PER_CALL,
                "sampler": sampler,
                "mark_every": every,
            },
        )
    marks: list[Any] = measured.answer["marks"]
    if measured.answer["reason"] != "finished" or marks[-1][0] != trials:
        raise RuntimeError(f"the sweep of instant workers ended early: {measured.answer}")
    return [mark for index, mark in enumerate(marks) if not index or mark[0] > marks[index - 1][0]]


if __name__ == "__main__":
    figures.main({"coordinator_cost": measure}, __doc__ or "")
