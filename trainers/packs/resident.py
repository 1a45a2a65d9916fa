"""Trials whose data lie on the device: the host plans each step by indices and numbers.

One program (`program.py`), eager or captured, steps all slots, and sums are read at the end of an
epoch, of a call, or every so many steps. So the host runs ahead; a trial that diverged is found at
the next reading, and none of its weights has changed since.
"""

from __future__ import annotations

from collections import deque

import torch

from trainers.learning.batches import epoch_order
from trainers.learning.buffers import Buffers
from trainers.learning.judged import need_answers
from trainers.learning.trial import Trial
from trainers.network.dropout import evaluation_keys
from trainers.network.masks import Array
from trainers.network.model import Model
from trainers.network.segment import StackState
from trainers.packs.cursor import Cursor
from trainers.packs.device_part import fits_device
from trainers.packs.device_validation import DeviceValidation
from trainers.packs.evaluation import evaluate_slots
from trainers.packs.parts import Parts
from trainers.packs.program import Program, Signature, ground_of
from trainers.packs.step_inputs import StepInputs, signature_with
from trainers.packs.stepper import Trials, step_together, timed, to_close

_READ_EVERY, _AHEAD = 64, 8
_WORTH_ALL = 4  # all slots are validated where at least one in so many is asked for


class Resident:
    """Trains all slots of a pack by one program.

    Args:
        model: What the trials have in common.
        buffers: The pack's rows.
        parts: Whose training part must fit (`trainers.packs.device_part.fits_device`).
        capture: Whether steps are captured as a CUDA graph.
    """

    def __init__(self, model: Model, buffers: Buffers, parts: Parts, *, capture: bool) -> None:
        self._parts = parts
        self._ground = ground_of(model, buffers, parts, capture=capture)
        self._scored = self._ground.part.scored(self._ground.length)
        self._signature = Signature((), ())
        self._program: Program | None = None
        self._validation: DeviceValidation | None = None
        self._cursors: dict[int, Cursor[Array]] = {}
        self._assumed: dict[int, int] = {}  # optimizer steps since the last reading, by slot
        self._steps = 0
        self._running: deque[torch.cuda.Event] = deque()

    def advance(self, trials: Trials, seconds: float | None) -> list[int]:
        """Train all of them; those that end their epoch first wait for the others."""
        with timed(trials.values()):
            try:
                all_ended = step_together(self._step_segment, trials, seconds)
            finally:
                self._read()
        return to_close(trials, all_ended=all_ended)

    def validate(self, trials: Trials) -> dict[int, dict[str, float]]:
        """Return each trial's metrics: from a pass of all slots on the device where that pays.

        Zoneout's expectation, parts that do not fit there and metrics that need all answers are
        stacked on the host.
        """
        ground, part = self._ground, self._parts.part("validation")
        model, buffers = ground.model, ground.buffers
        few = _WORTH_ALL * len(trials) < len(buffers.weights)
        noisy = evaluation_keys(*(trial.config for trial in trials.values())) is not None
        kept = need_answers(self._parts.metrics)
        if few or noisy or kept or not fits_device(model.structure, part):
            return evaluate_slots(model, buffers, self._parts, trials)
        if self._validation is None:
            self._validation = DeviceValidation(model, buffers, self._parts, capture=ground.capture)
        everyone = self._validation.metrics()
        return {slot: everyone[slot] for slot in trials}

    def _step_segment(self, trials: Trials) -> list[int]:
        """Advance trials by one segment; return the slots whose epoch has ended."""
        self._require([trial for slot, trial in trials.items() if self._is_new(slot, trial)])
        for slot, trial in trials.items():
            self._take_in(slot, trial)
        ended = self._ended(trials)
        going = {slot: trial for slot, trial in trials.items() if slot not in ended}
        if going:
            self._run(going)
        ended = self._ended(trials)
        if ended or self._steps % _READ_EVERY == 0:
            self._read()
            ended = self._ended(trials)
        return ended

    def _run(self, trials: Trials) -> None:
        """Send a step of some slots to the device, and count it."""
        assert self._program is not None
        ground = self._ground
        buffers, size = ground.buffers, ground.model.structure.batch_size
        inputs, scored = StepInputs(self._signature, len(buffers.weights), size), []
        for slot, trial in trials.items():
            rows = self._cursors[slot].batch
            inputs.put_rows(slot, trial, rows, ground.length)
            scored.append(bool(self._scored[rows, trial.counters.segment].any()))
        inputs.put_numbers(trials, scored)
        inputs.put_dropout(trials)
        floats = torch.from_numpy(inputs.floats).to(buffers.weights.dtype)
        self._program.step(torch.from_numpy(inputs.integers), floats)
        for (slot, trial), steps in zip(trials.items(), scored, strict=True):
            trial.counters.segment += 1
            trial.counters.segments += 1
            trial.counters.optimizer_steps += steps
            self._assumed[slot] += steps
        self._steps += 1
        self._wait_for_the_device()

    def _read(self) -> None:
        """Read what the trials added up, and the state they carry, into the trials themselves."""
        if self._program is None:
            return
        totals, state = self._ground.totals, self._program.state
        numbers, alive = totals.numbers.tolist(), totals.alive.tolist()
        metrics = totals.metrics.clone()
        carried = tuple(tuple(part.clone() for part in layer) for layer in state)
        for slot, cursor in self._cursors.items():
            trial = cursor.trial
            _add_up(trial, numbers[slot], self._assumed[slot])
            trial.tally.sums += metrics[slot]
            self._assumed[slot] = 0
            if not alive[slot]:
                trial.counters.outcome = "diverged"
            if trial.counters.segment:
                trial.state = _rows_of(carried, slot, len(cursor.batch))
        totals.numbers.zero_()
        totals.metrics.zero_()

    def _ended(self, trials: Trials) -> list[int]:
        return [slot for slot in trials if self._cursors[slot].ended()]

    def _is_new(self, slot: int, trial: Trial) -> bool:
        known = self._cursors.get(slot)
        return known is None or known.trial is not trial

    def _take_in(self, slot: int, trial: Trial) -> None:
        """Bring a trial that is new in its slot, or begins an epoch, to the device."""
        new = self._is_new(slot, trial)
        if not new and self._cursors[slot].serves(trial):
            return
        self._cursors[slot] = self._cursor(trial)
        self._assumed[slot] = 0
        if not new:
            return
        totals = self._ground.totals
        totals.alive[slot] = True
        totals.numbers[slot] = 0
        totals.metrics[slot] = 0
        if trial.state is not None:
            assert self._program is not None
            for layer, given in zip(self._program.state, trial.state, strict=True):
                for part, value in zip(layer, given, strict=True):
                    part[slot].zero_()
                    part[slot, : value.shape[1]] = value[0]

    def _cursor(self, trial: Trial) -> Cursor[Array]:
        """Return where a trial stands; a batch is its rows of the part."""
        part, length = self._ground.part, self._ground.length
        size = self._ground.model.structure.batch_size
        order = epoch_order(trial.config.seed, trial.counters.epoch, part.rows)

        def batch_at(index: int) -> tuple[Array, int]:
            rows = order[index * size : (index + 1) * size]
            return rows, -(-max(int(part.ends[rows].max()), 1) // length)

        return Cursor(trial, -(-len(order) // size), batch_at)

    def _require(self, new: list[Trial]) -> None:
        """See to it that the program has all that new trials use; it never unlearns."""
        if not new:
            return
        configs = [trial.config for trial in new]
        wanted = signature_with(self._signature, configs, self._ground.model.structure)
        if self._program is not None and wanted == self._signature:
            return
        state = None if self._program is None else self._program.state
        self._program = None  # its captured memory first
        try:
            self._program = Program(self._ground, wanted, state)
        except BaseException:
            self._cursors.clear()  # whoever goes on brings its state to the next program
            raise
        self._signature = wanted

    def _wait_for_the_device(self) -> None:
        """Run ahead of the device by a few steps only, so that a call's time means something."""
        if self._ground.buffers.weights.device.type != "cuda":
            return
        event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        event.record()
        self._running.append(event)
        if len(self._running) > _AHEAD:
            self._running.popleft().synchronize()


def _add_up(trial: Trial, numbers: list[float], assumed: int) -> None:
    counters, tally = trial.counters, trial.tally
    loss, count, plain, elements, norms, steps = numbers
    tally.loss_sum += loss
    tally.loss_count += count
    tally.plain_loss += plain
    tally.elements += elements
    counters.epoch_norms += norms
    counters.epoch_steps += int(steps)
    counters.optimizer_steps += int(steps) - assumed  # fewer only where the trial diverged


def _rows_of(state: StackState, slot: int, rows: int) -> StackState:
    own = slice(slot, slot + 1)
    return tuple(tuple(part[own, :rows] for part in layer) for layer in state)
