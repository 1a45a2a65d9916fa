"""Device-resident packs: the host plans each step by indices and numbers, the device does the rest.

The trials' training part lies on the device, one program (`program.py`) steps all slots, and
sums are read at the end of an epoch, of a call, or every so many steps. So the host runs ahead; a
trial that diverged is found at the next reading, and none of its weights has changed since.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
import torch

from trainers.config.train_config import Structure, TrainConfig
from trainers.data.contract import SequenceData
from trainers.learning import optim
from trainers.learning.batches import Part, epoch_order
from trainers.learning.lanes import StreamPart, part_of
from trainers.learning.metrics import Tally
from trainers.learning.trial import Buffers, Trial
from trainers.network.dropout import DropoutKey, drop_below, sites_of, words
from trainers.network.masks import Array
from trainers.network.model import Model
from trainers.network.parameters import weights_of
from trainers.network.regularisation import strengths
from trainers.network.segment import StackState
from trainers.packs.program import Program, Signature, Totals
from trainers.packs.resident import ResidentPart, fits_device

_READ_EVERY, _AHEAD = 64, 8
_NEUTRAL = {"clip_norm": np.inf, "clip_value": np.inf, "kept": 1.0, "along_velocity": 1.0}


def fits_graph(structure: Structure, data: SequenceData) -> bool:
    """Say whether trials of this structure can be captured on this data; otherwise they stack."""
    return fits_device(structure, part_of(data, data.train, structure))


class Place:
    """Where a trial stands in its epoch: rows of its batch, segments of that batch."""

    def __init__(self, trial: Trial, part: ResidentPart, batch_size: int, length: int) -> None:
        self.trial, self.epoch = trial, trial.progress.epoch
        self._order = epoch_order(trial.config.seed, self.epoch, part.rows)
        self._ends, self._size, self._length = part.ends, batch_size, length
        self._batch = -1
        self.rows: Array = self._order[:0]
        self._segments = 0

    def ends(self) -> bool:
        """Move on to the next batch where this one is done; say whether the epoch is."""
        progress = self.trial.progress
        if self.trial.diverged:
            return True
        if progress.batch == self._batch and progress.segment < self._segments:
            return False
        if self._done(progress.batch):
            return True
        self._gather()
        if progress.segment == self._segments:
            progress.batch, progress.segment, self.trial.state = progress.batch + 1, 0, None
            if self._done(progress.batch):
                return True
            self._gather()
        return False

    def _done(self, batch: int) -> bool:
        return batch * self._size >= len(self._order)

    def _gather(self) -> None:
        batch = self.trial.progress.batch
        if batch != self._batch:
            self._batch = batch
            self.rows = self._order[batch * self._size : (batch + 1) * self._size]
            self._segments = -(-max(int(self._ends[self.rows].max()), 1) // self._length)


class Graph:
    """Steps all slots of a pack as one program; the interface of `trainers.packs.fused.Fused`.

    Args:
        model: What the trials have in common.
        buffers: The pack's rows.
        part: The training part, which must fit (`fits_device`).
        data: Whose part it is.
    """

    def __init__(
        self, model: Model, buffers: Buffers, part: Part | StreamPart, data: SequenceData
    ) -> None:
        assert isinstance(part, Part)
        structure, device = model.structure, buffers.weights.device
        self._model, self._buffers = model, buffers
        self._part = ResidentPart(part, structure, data.input_size, device)
        self._length = min(structure.tbptt_forward_steps or 1 << 60, self._part.time_steps)
        self._scored = self._part.scored(self._length)
        self._weights = weights_of(model.layout, buffers.weights, buffers.gradient)
        self._totals = Totals.zeros(len(buffers.weights), data.output_size, device)
        self._class_weights = Tally(data, structure, device).class_weights
        self._sites = sites_of(structure)
        self._signature = Signature((), ())
        self._program: Program | None = None
        self._places: dict[int, Place] = {}
        self._assumed: dict[int, int] = {}
        self._steps = 0
        self._running: deque[torch.cuda.Event] = deque()

    def step(self, trials: dict[int, Trial]) -> list[int]:
        """Advance trials, by slot, by one segment; return the slots whose epoch has ended."""
        new = [trial for slot, trial in trials.items() if self._is_new(slot, trial)]
        if new:
            self._require([trial.config for trial in new])
        for slot, trial in trials.items():
            self._settle_in(slot, trial)
        ended = self._ended(trials)
        going = {slot: trial for slot, trial in trials.items() if slot not in ended}
        if going:
            self._advance(going)
        ended = self._ended(trials)
        if ended or self._steps % _READ_EVERY == 0:
            self.settle()
        return self._ended(trials)

    def _advance(self, trials: dict[int, Trial]) -> None:
        assert self._program is not None
        integers, floats, scored = self._plan(trials)
        dtype = self._buffers.weights.dtype
        self._program.step(torch.from_numpy(integers), torch.from_numpy(floats).to(dtype))
        for (slot, trial), steps in zip(trials.items(), scored, strict=True):
            trial.progress.segment += 1
            trial.progress.segments += 1
            trial.progress.optimizer_steps += steps
            self._assumed[slot] += steps
        self._steps += 1
        self._wait_for_the_device()

    def settle(self) -> None:
        """Read what the trials added up, and the state they carry, into the trials themselves."""
        if self._program is None:
            return
        totals, state = self._totals, self._program.state
        numbers, alive = totals.numbers.tolist(), totals.alive.tolist()
        metrics = totals.metrics.clone()
        carried = tuple(tuple(part.clone() for part in layer) for layer in state)
        for slot, place in self._places.items():
            _add_up(place.trial, numbers[slot], self._assumed[slot])
            place.trial.tally.sums += metrics[slot]
            self._assumed[slot] = 0
            if not alive[slot]:
                place.trial.progress.outcome = "diverged"
            if place.trial.progress.segment:
                place.trial.state = _rows_of(carried, slot, len(place.rows))
        totals.numbers.zero_()
        totals.metrics.zero_()

    def _ended(self, trials: dict[int, Trial]) -> list[int]:
        return [slot for slot in trials if self._places[slot].ends()]

    def _is_new(self, slot: int, trial: Trial) -> bool:
        place = self._places.get(slot)
        return place is None or place.trial is not trial

    def _settle_in(self, slot: int, trial: Trial) -> None:
        """Bring a trial that is new in its slot, or begins an epoch, to the device."""
        place = self._places.get(slot)
        if place is not None and place.trial is trial and place.epoch == trial.progress.epoch:
            return
        size = self._model.structure.batch_size
        new = self._is_new(slot, trial)
        self._places[slot] = Place(trial, self._part, size, self._length)
        self._assumed[slot] = 0
        if not new:
            return
        self._totals.alive[slot] = True
        self._totals.numbers[slot] = 0
        self._totals.metrics[slot] = 0
        if trial.state is not None:
            assert self._program is not None
            for layer, given in zip(self._program.state, trial.state, strict=True):
                for part, value in zip(layer, given, strict=True):
                    part[slot].zero_()
                    part[slot, : value.shape[1]] = value[0]

    def _require(self, configs: Sequence[TrainConfig]) -> None:
        """See to it that the program has all that these trials use; it never unlearns."""
        names, sites = set(self._signature.names), set(self._signature.sites)
        for config in configs:
            names |= _numbers([config], [0], [0.0]).keys()
            key = DropoutKey(config, 0)
            sites |= {site for site in self._sites if key.rate(site)}
        wanted = Signature(tuple(sorted(names)), tuple(sorted(sites)))
        if self._program is not None and wanted == self._signature:
            return
        state = None if self._program is None else self._program.state
        self._program = None  # its captured memory first
        try:
            self._program = Program(
                self._model, self._part, self._length, self._buffers, self._weights, self._totals,
                self._class_weights, wanted, state,
            )  # fmt: skip
        except BaseException:
            self._places.clear()  # whoever goes on brings its state to the next program
            raise
        self._signature = wanted

    def _plan(self, trials: dict[int, Trial]) -> tuple[Array, Array, list[int]]:
        """Return the integers and numbers of a step, and which trials step."""
        names, sites = self._signature
        slots, size = len(self._buffers.weights), self._model.structure.batch_size
        integers = np.zeros((slots, 4 + size + 3 * len(sites)), dtype=np.int64)
        floats = np.zeros((len(names) + 2 * len(sites), slots))
        for i, name in enumerate(names):
            floats[i] = _NEUTRAL.get(name, 0.0)
        floats[len(names) + 1 :: 2] = 1.0
        scored = []
        for slot, trial in trials.items():
            rows, segment = self._places[slot].rows, trial.progress.segment
            integers[slot, :4] = segment * self._length, len(rows), segment == 0, 1
            integers[slot, 4 : 4 + len(rows)] = rows
            scored.append(int(self._scored[rows, segment].any()))
        at = list(trials)
        for name, values in _numbers_of(list(trials.values()), scored).items():
            floats[names.index(name), at] = values
        self._plan_dropout(trials, integers, floats)
        return integers, floats, scored

    def _plan_dropout(self, trials: dict[int, Trial], integers: Array, floats: Array) -> None:
        names, sites = self._signature
        at = list(trials)
        keys = [trial.dropout_key() for trial in trials.values()]
        if not sites:
            return
        low, high = words(keys, sites)
        first = 4 + self._model.structure.batch_size
        for i, site in enumerate(sites):
            rates = np.array([key.rate(site) for key in keys])
            if not rates.any():
                continue
            columns = slice(first + 3 * i, first + 3 * i + 3)
            below = [drop_below(rate) for rate in rates]
            integers[at, columns] = np.stack([low[:, i], high[:, i], below], axis=1)
            floats[len(names) + 2 * i, at] = rates
            floats[len(names) + 2 * i + 1, at] = 1 / (1 - rates)

    def _wait_for_the_device(self) -> None:
        """Run ahead of the device by a few steps only, so that a call's time means something."""
        if self._buffers.weights.device.type != "cuda":
            return
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        self._running.append(event)
        if len(self._running) > _AHEAD:
            self._running.popleft().synchronize()


def _numbers_of(trials: list[Trial], scored: list[int]) -> dict[str, list[float]]:
    """Return the numbers of a step by name, one per trial; note the learning rates."""
    configs, steps, rates = [], [], []
    for trial, steps_now in zip(trials, scored, strict=True):
        progress, config = trial.progress, trial.config
        done = progress.optimizer_steps
        rate = optim.learning_rate(config, done, progress.epoch, progress.plateau_reductions)
        if steps_now:
            progress.learning_rate = rate
        configs.append(config)
        steps.append(done)
        rates.append(rate)
    return _numbers(configs, steps, rates)


def _numbers(
    configs: list[TrainConfig], steps: list[int], rates: list[float]
) -> dict[str, list[float]]:
    return (
        optim.coefficients(configs, steps, rates) | optim.clip_limits(configs) | strengths(configs)
    )


def _add_up(trial: Trial, numbers: list[float], assumed: int) -> None:
    progress, tally = trial.progress, trial.tally
    loss, count, plain, elements, norms, steps = numbers
    tally.loss_sum += loss
    tally.loss_count += count
    tally.plain_loss += plain
    tally.elements += elements
    progress.epoch_norms += norms
    progress.epoch_steps += int(steps)
    progress.optimizer_steps += int(steps) - assumed  # fewer only where the trial diverged


def _rows_of(state: StackState, slot: int, rows: int) -> StackState:
    own = slice(slot, slot + 1)
    return tuple(tuple(part[own, :rows] for part in layer) for layer in state)
