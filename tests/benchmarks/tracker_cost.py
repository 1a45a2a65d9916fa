"""What the tracker costs training: `python -m tests.benchmarks.tracker_cost`.

The same half-second trials on one worker, one core free for the sink: without a tracker, and with
one that takes everything, one that refuses connections, and one that takes a connection and never
answers. From the first ask to the last end, each beside the runs without a tracker around it.
"""

from __future__ import annotations

import socket
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.benchmarks import figures, process_tree
from tests.benchmarks.figures import Figure
from tests.benchmarks.workload import epochs_of_half_a_second, sweep_file

_WITHOUT = {"enabled": False}


def measure(quick: bool) -> Sequence[Figure]:
    trials = 4 if quick else 24
    epochs = epochs_of_half_a_second()
    without = [_span(trials, epochs, _WITHOUT)]
    spans: dict[str, float] = {}
    with _silent_server() as silent, _closed_port() as closed:
        trackers = {
            "up": {"enabled": True},
            "down": {"enabled": True, "uri": closed},
            "hanging": {"enabled": True, "uri": silent},
        }
        for name, tracking in trackers.items():
            spans[name] = _span(trials, epochs, tracking)
            without.append(_span(trials, epochs, _WITHOUT))
    reference = statistics.median(without)
    details = {"trials": trials, "seconds_without": [round(span, 2) for span in without]}
    return [
        Figure(
            f"a sweep with the tracker {name} against one without",
            round(span / reference, 3),
            "x",
            1.02,
            "less",
            {**details, "seconds": round(span, 2)},
        )
        for name, span in spans.items()
    ]


def _span(trials: int, epochs: int, tracking: dict[str, Any]) -> float:
    """Run a sweep; return the seconds from its first ask to its last trial's end."""
    values = {**sweep_file("bench", trials, 1, epochs), "tracking": tracking}
    with tempfile.TemporaryDirectory() as folder:
        measured = process_tree.run(
            "tests.benchmarks.drive_sweep", {"directory": folder, "sweep": values}
        )
    answer = measured.answer
    return float(answer["ended"][-1] - answer["asked"][0])


@contextmanager
def _silent_server() -> Iterator[str]:
    """Listen and never answer: the system accepts connections that nobody reads."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def _closed_port() -> Iterator[str]:
    """Hold a port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


if __name__ == "__main__":
    figures.main({"tracker_cost": measure}, __doc__ or "")
