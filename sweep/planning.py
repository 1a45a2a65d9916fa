"""What a sweep would do, before anything is spent: trains nothing, writes nothing.

The time is a first estimate: one batch of random numbers through a bare torch network of each
example's structure, times the batches of an epoch, times its epochs, early ends not counted.
"""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.config import SweepConfig
from sweep.setup import Prepared, prepare, worker_count

if TYPE_CHECKING:
    from trainers.config import TrainConfig
    from trainers.data.contract import SequenceData

EXAMPLES = 6
REPEATS = 3


@dataclass(frozen=True)
class Example:
    """One configuration that the sweep might try.

    Attributes:
        params: What the search space draws.
        parameters: Trainable weights and biases of the network.
        trial_seconds: Estimated training time to its last epoch.
    """

    params: dict[str, Any]
    parameters: int
    trial_seconds: float


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep would do; see `rnn-sweep plan`."""

    prepared: Prepared
    workers: int
    size: float
    examples: tuple[Example, ...]

    @property
    def sweep_seconds(self) -> float:
        """Estimated wall time of the whole sweep, nothing pruned, nothing stopped early."""
        mean = statistics.fmean(example.trial_seconds for example in self.examples)
        rounds = math.ceil(self.prepared.config.budget.trials / self.workers)
        return mean * rounds


def plan_sweep(config: SweepConfig) -> SweepPlan:
    """Load the data, build the space, draw examples and estimate their time.

    Raises:
        ConfigProblem, DataError, SpaceError: as a run would, before it writes anything.
    """
    prepared = prepare(config)
    examples = tuple(_example(prepared, number) for number in range(EXAMPLES))
    return SweepPlan(prepared, worker_count(config), prepared.space.size(), examples)


def _example(prepared: Prepared, number: int) -> Example:
    from trainers.parameters import Layout

    data = prepared.data
    params = prepared.space.sample(prepared.config.search.seed + number)
    config = prepared.train_config(number, params)
    batches = math.ceil(len(data.train) / config.batch_size)
    # Validation runs forward only: about a third of the work per sequence.
    epoch = batches * (1 + len(data.validation) / len(data.train) / 3)
    seconds = _batch_seconds(config, data) * epoch * config.max_epochs
    layout = Layout.of(config.structure(), data.input_size, data.output_size)
    return Example(params, layout.size, seconds)


def _batch_seconds(config: TrainConfig, data: SequenceData) -> float:
    """Time forward and backward of one random batch, on one thread, the best of a few."""
    import torch

    kinds: dict[str, Any] = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
    network = kinds.get(config.cell, torch.nn.RNN)(
        data.input_size,
        max(config.structure().layer_sizes),
        config.num_layers,
        batch_first=True,
        bidirectional=config.bidirectional,
    )
    rows = min(config.batch_size, len(data.train))
    inputs = torch.rand(rows, data.train.time_steps, data.input_size)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return min(_once(network, inputs) for _ in range(REPEATS))
    finally:
        torch.set_num_threads(threads)


def _once(network: Any, inputs: Any) -> float:
    began = time.perf_counter()
    outputs, _ = network(inputs)
    outputs.square().mean().backward()
    return time.perf_counter() - began
