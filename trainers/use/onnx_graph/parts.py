"""What every part of a network's graph is built from."""

from __future__ import annotations

from dataclasses import dataclass

from trainers.config.train_config import TrainConfig
from trainers.network.parameters import Weights
from trainers.use.onnx_graph.graph import Graph
from trainers.use.onnx_graph.sequences import Carried, Sequences


@dataclass(frozen=True)
class Parts:
    """One network and its graph in the making.

    Attributes:
        graph: Where nodes are added.
        config: The trial's.
        weights: Its weights, with a trial axis of 1.
        rows: Which steps of the sequences exist.
        carried: The state that goes in and out.
    """

    graph: Graph
    config: TrainConfig
    weights: Weights
    rows: Sequences
    carried: Carried
