"""One segment of all slots as a program with static memory: eager, or captured as a CUDA graph.

Everything a step depends on is copied into buffers of fixed shape before it; it reads no number
back, decides nothing on the host and leaves its sums on the device. So a capture of it can be
replayed: forward, backward, clipping, optimizer and sums are one launch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.learning import losses, optim
from trainers.learning.buffers import Buffers
from trainers.learning.metrics import Measures
from trainers.learning.tallies import sums_of
from trainers.learning.training import detached, differentiate
from trainers.network.dropout import Columns, DrawnKeys, DropoutKey
from trainers.network.model import Model
from trainers.network.parameters import Weights, weights_of
from trainers.network.regularisation import Strengths, penalty_by
from trainers.network.segment import StackState
from trainers.network.sites import Site
from trainers.packs.device_part import DevicePart, Picked
from trainers.packs.parts import Parts

_WARM_UP = 3
NUMBERS = 4  # start, rows present, begins with zero state, takes part
_STRENGTHS = Strengths._fields


class Signature(NamedTuple):
    """What a program is made for: which numbers it uses, and where it drops."""

    names: tuple[str, ...]
    sites: tuple[Site, ...]


@dataclass
class Totals:
    """What the trials added up since it was last read, per slot.

    Attributes:
        metrics: `(slots, rows, outputs)` float64.
        numbers: `(slots, 6)` float64: losses, loss count, plain losses, elements, gradient norms,
            optimizer steps.
        alive: `(slots,)` bool: no loss or gradient was infinite or NaN.
    """

    metrics: Tensor
    numbers: Tensor
    alive: Tensor

    @classmethod
    def zeros(cls, slots: int, measures: Measures, device: torch.device) -> Totals:
        """Begin."""
        double = measures.zeros(slots)
        alive = torch.ones(slots, dtype=torch.bool, device=device)
        return cls(double, double.new_zeros(slots, 6), alive)


def captured(run: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """Return `run` as a captured graph of a CUDA device.

    It is warmed up by running it, so `run` must change nothing while its buffers are empty, or
    nothing that is not set to zero before it is used.
    """
    with torch.cuda.device(device):
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                run()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            run()
    return graph.replay


@dataclass(frozen=True)
class Ground:
    """What every program of a pack works on; its memory stays where it is.

    Attributes:
        model: What the trials have in common.
        part: The training data.
        length: Steps of a segment.
        buffers: The pack's rows.
        weights: Leaves of autograd over them.
        totals: Where sums are left.
        measures: What is measured.
        capture: Whether steps are captured as a CUDA graph.
    """

    model: Model
    part: DevicePart
    length: int
    buffers: Buffers
    weights: Weights
    totals: Totals
    measures: Measures
    capture: bool


def ground_of(model: Model, buffers: Buffers, parts: Parts, *, capture: bool) -> Ground:
    """Bring the training part, which must fit (`fits_device`), to the rows' device."""
    data, structure, device = parts.data, model.structure, buffers.weights.device
    measures = Measures(data, structure, device, parts.train_metrics)
    part = DevicePart(parts.part("train"), structure, data.input_size, device)
    return Ground(
        model=model,
        part=part,
        length=min(structure.tbptt_forward_steps or part.time_steps, part.time_steps),
        buffers=buffers,
        weights=weights_of(model.layout, buffers.weights, buffers.gradient),
        totals=Totals.zeros(len(buffers.weights), measures, device),
        measures=measures,
        capture=capture,
    )


class Program:
    """A step of all slots.

    Args:
        ground: What it works on.
        signature: What the step uses.
        state: The carried state of all slots; None until the first program found its shape.
    """

    def __init__(self, ground: Ground, signature: Signature, state: StackState | None) -> None:
        self._ground, self._signature = ground, signature
        like, sites = ground.buffers.weights, len(signature.sites)
        slots, batch = len(like), ground.model.structure.batch_size
        width = NUMBERS + batch + 3 * sites
        self._integers = torch.zeros(slots, width, dtype=torch.int64).to(like.device)
        self._floats = like.new_zeros(len(signature.names) + 2 * sites, slots)
        self.state = state if state is not None else self._zero_state()
        self._replay = captured(self._run, like.device) if ground.capture else self._run

    def step(self, integers: Tensor, floats: Tensor) -> None:
        """Advance the slots that take part by one segment.

        Args:
            integers: `(slots, …)` int64: start, rows present, begins with zero state, takes part;
                the batch's rows; per site the words' halves and what a draw lies below.
            floats: `(names + 2 · sites, slots)`: the coefficients; per site rate and scale.
        """
        self._integers.copy_(integers, non_blocking=True)
        self._floats.copy_(floats, non_blocking=True)
        self._replay()

    def _zero_state(self) -> StackState:
        """Find the state's shape by running a segment of nothing."""
        with torch.no_grad():
            segment, _, _ = self._ground.part.segment(self._picked(), self._ground.length)
            _, state = self._ground.model.forward(self._ground.weights, segment)
        return tuple(tuple(torch.zeros_like(part) for part in layer) for layer in state)

    def _picked(self) -> Picked:
        batch = self._ground.model.structure.batch_size
        rows = self._integers[:, NUMBERS : NUMBERS + batch]
        return Picked(rows, self._integers[:, 1], self._integers[:, 0])

    def _columns(self) -> dict[str, Tensor]:
        return dict(zip(self._signature.names, self._floats.unbind(0), strict=False))

    def _keys(self) -> Sequence[DropoutKey] | None:
        """Return dropout keys whose columns are views of the buffers."""
        sites = self._signature.sites
        if not sites:
            return None
        first = NUMBERS + self._ground.model.structure.batch_size
        words = self._integers[:, first:].unbind(1)
        rates = self._floats[len(self._signature.names) :].unbind(0)
        columns = {
            site: Columns(*words[3 * i : 3 * i + 3], *rates[2 * i : 2 * i + 2])
            for i, site in enumerate(sites)
        }
        one = DropoutKey(TrainConfig(), 0)
        return DrawnKeys([one] * len(self._integers), columns)

    def _run(self) -> None:
        structure, columns = self._ground.model.structure, self._columns()
        active = self._integers[:, 3] > 0
        segment, elements, count = self._ground.part.segment(self._picked(), self._ground.length)
        fresh = self._integers[:, 2] > 0
        state = tuple(
            tuple(torch.where(_like(fresh, part), 0.0, part) for part in layer)
            for layer in self.state
        )
        by = Strengths(**{name: columns[name] for name in _STRENGTHS if name in columns})
        activations: list[Tensor] | None = [] if by.activation is not None else None
        outputs, after = self._ground.model.forward(
            self._ground.weights, segment, state, self._keys(), activations
        )
        assert segment.targets is not None
        values = losses.elements(structure, outputs, segment.targets)
        found = sums_of(segment, outputs, values, self._ground.measures)
        added = penalty_by(self._ground.weights, activations or (), by)
        differentiate(found.losses if added is None else found.losses + added, self._ground.weights)
        with torch.no_grad():
            norms = torch.linalg.vector_norm(self._ground.buffers.gradient, dim=1)
            scored = active & (elements > 0)
            finite = torch.isfinite(found.losses) & torch.isfinite(norms)
            counted = torch.where(active & self._ground.totals.alive, count.double(), 0.0)
            self._ground.totals.numbers[:, 1] += counted  # of segments that make no step as well
            stepping = scored & finite & self._ground.totals.alive
            self._ground.totals.alive &= finite | ~scored
            denominator = segment.denominator
            assert isinstance(denominator, Tensor)
            sums = [
                found.losses.double() * denominator, found.plain, elements, norms,
                torch.ones_like(norms),
            ]  # fmt: skip
            self._add(found.metrics, sums, stepping)
            self._optimize(norms, columns, stepping)
            self._keep(detached(after), active)

    def _add(self, metrics: Tensor, sums: Sequence[Tensor], stepping: Tensor) -> None:
        columns = (0, 2, 3, 4, 5)
        for column, values in zip(columns, sums, strict=True):
            self._ground.totals.numbers[:, column] += torch.where(stepping, values.double(), 0.0)
        self._ground.totals.metrics += torch.where(_like(stepping, metrics), metrics, 0.0)

    def _optimize(self, norms: Tensor, columns: Mapping[str, Tensor], stepping: Tensor) -> None:
        """Clip and step, and undo that for slots which must not change."""
        rows = self._ground.buffers
        weights, moments = rows.weights.clone(), rows.moments.clone()
        wide = {name: values.unsqueeze(1) for name, values in columns.items()}
        optim.clip_by(rows.gradient, norms, wide)
        optim.step_by(
            self._ground.model.structure.optimizer, rows.weights, rows.gradient, rows.moments, wide
        )
        kept = stepping.unsqueeze(1)
        rows.weights.copy_(torch.where(kept, rows.weights, weights))
        rows.moments.copy_(torch.where(kept, rows.moments, moments))

    def _keep(self, after: StackState | None, active: Tensor) -> None:
        for layer, new in zip(self.state, after or (), strict=True):
            for part, value in zip(layer, new, strict=True):
                part.copy_(torch.where(_like(active, part), value, part))


def _like(flags: Tensor, tensor: Tensor) -> Tensor:
    """Return `flags (slots,)` with as many axes as `tensor`."""
    return flags.reshape(-1, *[1] * (tensor.dim() - 1))
