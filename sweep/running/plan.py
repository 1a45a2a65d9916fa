"""What a sweep would do, before anything is spent: trains no trial, writes nothing.

The time is a first estimate: one batch of random numbers through a bare torch network of each
example's structure, times the batches of an epoch, times its epochs, early ends not counted.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.config.data_options import structural_params
from sweep.config.sweep_config import SweepConfig
from sweep.log.kinds import Baselined
from sweep.log.places import has_log
from sweep.running.baselines import baselined, left_out, naive_work
from sweep.running.preparation import Prepared, prepare, worker_count
from trainers.config.cells import CELLS
from trainers.config.measured import end_metrics, epoch_metrics, undefined

if TYPE_CHECKING:
    from trainers.config.train_config import Structure, TrainConfig
    from trainers.data.contract import SequenceData, SequenceSet
    from trainers.packs.choice import PackChoice

EXAMPLES = 6
REPEATS = 3
PIECE = 256  # steps of a sequence that are timed
_MOST_NUMBERS = 30_000_000  # of inputs, windows unrolled: naive forecasts of these take seconds
_TOKEN_FACTOR = 16  # a token's work in numbers
PACKINGS = 2  # structures whose packs are measured on this machine; some seconds each


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
class Packing:
    """How trials of one structure would train together on this machine.

    Attributes:
        params: What the space draws of the structure.
        choice: The fastest way that was measured here, and why.
    """

    params: dict[str, Any]
    choice: PackChoice


@dataclass(frozen=True)
class Measured:
    """What is measured, by name.

    Attributes:
        each_epoch: At each epoch, on training and validation.
        at_end: Once, on validation, when a trial has ended.
        undefined: Of either, what these data leave undefined, and what it needs.
    """

    each_epoch: tuple[str, ...]
    at_end: tuple[str, ...]
    undefined: dict[str, str]


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep would do; see `rnn-sweep plan`.

    Attributes:
        measured: By the first example.
        size: Configurations in the space; infinite for a continuous one.
        begun: Folder of the sweep that would go on; None for one that would begin.
        naive: The naive forecasts, or why there are none.
    """

    prepared: Prepared
    workers: int
    size: float
    examples: tuple[Example, ...]
    measured: Measured
    device: str = "cpu"
    packings: tuple[Packing, ...] = ()
    begun: Path | None = None
    naive: Baselined | str = ""

    @property
    def sweep_seconds(self) -> float:
        """Estimated wall time of the whole sweep, nothing pruned, nothing stopped early."""
        mean = statistics.fmean(example.trial_seconds for example in self.examples)
        rounds = math.ceil(self.prepared.config.budget.trials / self.workers)
        return mean * rounds


def plan_sweep(config: SweepConfig, directory: Path, *, packs: bool = False) -> SweepPlan:
    """Load the data, build the space, draw examples and estimate their time.

    Args:
        directory: The --dir folder.
        packs: Measure whether packs pay on this machine, which takes some seconds; it is done
            anyway where trials would train in packs.

    Raises:
        ConfigProblem, DataError, SpaceError: as a run would, before it writes anything.
    """
    prepared = prepare(config)
    examples = tuple(_example(prepared, number) for number in range(EXAMPLES))
    device, pack = _device(config), config.run.pack
    wanted = packs or (device != "cpu" if pack == "auto" else pack > 1)
    folder = directory / config.name
    return SweepPlan(
        prepared,
        worker_count(config),
        prepared.space.size(),
        examples,
        _measured(prepared),
        device,
        tuple(_packings(prepared, examples, device)) if wanted else (),
        folder if has_log(folder) else None,
        _naive(prepared),
    )


def _measured(prepared: Prepared) -> Measured:
    train, asked = prepared.train_config(0, prepared.space.sample(0)), prepared.asked
    data = prepared.data_of(train)
    each_epoch = epoch_metrics(data, train.loss, asked)
    at_end = end_metrics(data, train.loss, asked)
    lacking = {
        name: undefined(name, data, train.loss, asked)
        for name in (*each_epoch, *at_end)
        if "/" not in name
    }
    needed = {name: why for name, why in lacking.items() if why is not None}
    always, once = (tuple(n for n in names if n not in needed) for names in (each_epoch, at_end))
    return Measured(always, once, needed)


def _naive(prepared: Prepared) -> Baselined | str:
    """Compute the naive forecasts of data that are small, or say why not."""
    data = prepared.data
    numbers = sum(int(np.prod(part.inputs.shape)) for part in data.parts().values())
    if numbers * (_TOKEN_FACTOR if data.vocabulary_size else 1) > _MOST_NUMBERS:
        return "computed while the first trials train"
    try:
        return baselined(prepared, naive_work(prepared)(prepared.choices))
    except Exception as error:  # trials would train all the same
        return left_out(error)


def _device(config: SweepConfig) -> str:
    import torch

    return "cuda" if torch.cuda.is_available() and config.run.device != "cpu" else "cpu"


def _packings(prepared: Prepared, examples: Sequence[Example], device: str) -> Iterator[Packing]:
    """Measure, here, what is fastest for the structures of the first examples."""
    import torch

    from trainers.packs.choice import choose_pack

    run = prepared.config.run
    done: set[Structure] = set()
    torch.set_num_threads(run.threads)
    for example in examples:
        config = prepared.train_config(0, example.params)
        structure = config.structure()
        if len(done) < PACKINGS and structure not in done:
            done.add(structure)
            data, objective = prepared.data_of(config), prepared.goal.leading
            choice = choose_pack(
                structure, data, objective, device, measure=True, asked=prepared.asked
            )
            yield Packing(structural_params(example.params), choice)


def _example(prepared: Prepared, number: int) -> Example:
    from trainers.network.parameters import Layout
    from trainers.packs.memory import out_of_memory_named

    params = prepared.space.sample((prepared.config.search.seed + number) % 2**32)
    config = prepared.train_config(number, params)
    data = prepared.data_of(config)
    folds = prepared.choices.folds_of(config.data_choice).values()
    # Validation runs forward only: about a third of the work per step.
    steps, judged = (
        sum(_steps(part) for part in parts)
        for parts in ([one.train for one in folds], [one.validation for one in folds])
    )
    with out_of_memory_named(1, "cpu"):
        seconds = _step_seconds(config, data) * (steps + judged / 3) * config.max_epochs
    layout = Layout.of(config.structure(), data.input_size, data.output_size)
    return Example(params, layout.parameter_count, seconds)


def _steps(part: SequenceSet) -> int:
    return len(part) * part.time_steps


def _step_seconds(config: TrainConfig, data: SequenceData) -> float:
    """Time of one step of one sequence, forward and backward: of a random batch, on one thread.

    The best of a few; of long sequences, or the lanes of a stream, a piece tells enough.
    """
    import torch

    # A cell costs about what torch's with as many gates does.
    kinds: dict[int, Any] = {1: torch.nn.RNN, 2: torch.nn.GRU, 3: torch.nn.GRU}
    network = kinds.get(len(CELLS[config.cell].gates), torch.nn.LSTM)(
        data.input_size,
        max(config.structure().layer_sizes),
        config.num_layers,
        batch_first=True,
        bidirectional=config.bidirectional,
    )
    rows, steps = min(config.batch_size, len(data.train)), data.train.time_steps
    if data.walk == "stream":
        rows, steps = config.batch_size, config.tbptt_forward_steps or steps
    inputs = torch.rand(rows, min(steps, PIECE), data.input_size)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return min(_once(network, inputs) for _ in range(REPEATS)) / inputs[..., 0].numel()
    finally:
        torch.set_num_threads(threads)


def _once(network: Any, inputs: Any) -> float:
    began = time.perf_counter()
    outputs, _ = network(inputs)
    outputs.square().mean().backward()
    return time.perf_counter() - began
