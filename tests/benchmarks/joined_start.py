"""Start on a running cluster to the first training step: `python -m tests.benchmarks.joined_start`.

`rnn-sweep run --address` as a person types it (MLflow on), against a script that joins the same
cluster with one actor that imports torch and makes one step; turn about, medians.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.benchmarks.first_step import bare_seconds, our_seconds
from tests.nodes import Cluster


def measure(quick: bool) -> Sequence[Figure]:
    bare, ours = [], []
    with Cluster() as cluster:
        cluster.add_node(2)
        for _ in range(1 if quick else 5):
            bare.append(bare_seconds(cluster.environment, cluster.address))
            ours.append(our_seconds(cluster.environment, cluster.address))
    extra = statistics.median(ours) - statistics.median(bare)
    details = {
        "ours_seconds": [round(seconds, 2) for seconds in ours],
        "bare_seconds": [round(seconds, 2) for seconds in bare],
    }
    what = "running cluster: command to first training step, beyond one actor with torch"
    return [Figure(what, round(extra, 2), "s", 2, "less", details)]


if __name__ == "__main__":
    figures.main({"joined_start": measure}, __doc__ or "")
