"""Fused training: the next segment of several trials as one program over the trial axis.

Trials may stand at different epochs, batches and segments. Those that need the same program (the
same spans, with a valid target or without) run as one, padded to the longest of them; each keeps
its own counters, state and sums, so a trial can leave, or go on alone, after any segment.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainers.config.train_config import Structure
from trainers.learning import losses, optim
from trainers.learning.batches import Part, Source
from trainers.learning.lanes import StreamPart
from trainers.learning.spans import Walk
from trainers.learning.tallies import Sums, elements_of, sums_of
from trainers.learning.tbptt import cut_walk
from trainers.learning.training import count, run
from trainers.learning.trial import Buffers, Trial
from trainers.network.model import Model
from trainers.network.parameters import Weights, weights_of
from trainers.network.regularisation import penalty, regularises_activations
from trainers.network.segment import Segment, StackState
from trainers.packs.stacking import batch_rows, stack, stack_states, state_of


class Cursor:
    """Where a trial stands in its epoch; found again from its progress.

    Attributes:
        trial: Whose.
        epoch: Epochs done before this one.
        batches: Of the epoch.
    """

    def __init__(self, trial: Trial, part: Part | StreamPart, structure: Structure) -> None:
        self.trial, self.epoch = trial, trial.progress.epoch
        self.batches: Sequence[Source] = part.epoch(trial.config.seed, self.epoch)
        self._structure = structure
        self._batch = -1

    def batch(self) -> tuple[Source, Walk]:
        """Return the batch that the trial is at, and how it is walked."""
        if self._batch != self.trial.progress.batch:
            self._batch = self.trial.progress.batch
            self._source = self.batches[self._batch]
            steps, seed = self._source.time_steps, self.trial.config.seed
            self._walk = Walk.of(self._structure, steps, seed, self.epoch)
        return self._source, self._walk

    def ends(self) -> bool:
        """Move on to the next batch where this one is done; say whether the epoch is."""
        progress = self.trial.progress
        if self.trial.diverged or progress.batch == len(self.batches):
            return True
        if progress.segment == len(self.batch()[1]):
            progress.batch, progress.segment, self.trial.state = progress.batch + 1, 0, None
        return progress.batch == len(self.batches)


@dataclass(frozen=True)
class Turn:
    """One trial's next segment.

    Attributes:
        slot: Place in the pack.
        trial: The trial.
        segments: What it runs, one per span.
        carried_after: Spans that it runs before the state is carried on.
        rate_factor: What its learning rate is scaled by.
    """

    slot: int
    trial: Trial
    segments: tuple[Segment, ...]
    carried_after: int
    rate_factor: float

    @property
    def scored(self) -> bool:
        """Whether there is a valid target."""
        return any(segment.targets is not None for segment in self.segments)

    @property
    def program(self) -> Hashable:
        """Say what must be equal for trials to run as one."""
        flags = tuple((s.gradient, s.targets is not None) for s in self.segments)
        return self.scored, self.carried_after, flags if len(flags) > 1 else len(flags)


@dataclass(frozen=True)
class Lane:
    """Rows of the trials that run as one: views of the pack's, or copies where they lie apart.

    Attributes:
        slots: Whose.
        rows: `(trials, P)` each.
        weights: Leaves of autograd; their gradients are views of `rows.gradient`.
        copied: Whether `rows` must be put back after a step.
    """

    slots: tuple[int, ...]
    rows: Buffers
    weights: Weights
    copied: bool


class Fused:
    """Steps trials of a pack together.

    Args:
        model: What they have in common.
        buffers: The pack's rows.
        part: The training part.
        input_size: Features of one step.
    """

    def __init__(
        self, model: Model, buffers: Buffers, part: Part | StreamPart, input_size: int
    ) -> None:
        self._model, self._buffers, self._part = model, buffers, part
        self._input_size = input_size
        self._cursors: dict[int, Cursor] = {}
        self._lanes: dict[tuple[int, ...], Lane] = {}

    def step(self, trials: dict[int, Trial]) -> list[int]:
        """Advance trials, by slot, by one segment; return the slots whose epoch has ended.

        A loss or gradient that is not finite ends that trial, before any of its weights changed.
        """
        # Alone, a trial may have been stopped between its epoch's last segment and its report.
        ended = [slot for slot, trial in trials.items() if self._cursor(slot, trial).ends()]
        turns = [self._turn(slot, trial) for slot, trial in trials.items() if slot not in ended]
        for _, group in itertools.groupby(
            sorted(turns, key=lambda t: (repr(t.program), t.slot)), key=lambda t: t.program
        ):
            same = list(group)
            self._train(same) if same[0].scored else self._carry(same)
        return ended + [turn.slot for turn in turns if self._cursors[turn.slot].ends()]

    def settle(self) -> None:
        """Nothing is left to read: every step reads its own numbers."""

    def lane(self, slots: tuple[int, ...]) -> Lane:
        """Return the rows of some slots in ascending order."""
        first, last = slots[0], slots[-1] + 1
        if slots not in self._lanes:
            copied = last - first > len(slots)
            rows = self._buffers.copy_of(slots) if copied else self._buffers.lanes(first, last)
            weights = weights_of(self._model.layout, rows.weights, rows.gradient)
            lane = Lane(slots, rows, weights, copied)
            if copied:
                return lane
            self._lanes[slots] = lane
        return self._lanes[slots]

    def _turn(self, slot: int, trial: Trial) -> Turn:
        """Cut a trial's next segment."""
        source, walk = self._cursor(slot, trial).batch()
        index = trial.progress.segment
        cuts = cut_walk(source, walk, index, self._model.structure, self._input_size)
        return Turn(slot, trial, cuts, walk.carried_after(index), walk.rate_factor(index))

    def _cursor(self, slot: int, trial: Trial) -> Cursor:
        known = self._cursors.get(slot)
        if known is None or known.trial is not trial or known.epoch != trial.progress.epoch:
            known = self._cursors[slot] = Cursor(trial, self._part, self._model.structure)
        return known

    def _carry(self, turns: list[Turn]) -> None:
        """Advance the state over a segment without a valid target."""
        lane = self.lane(tuple(turn.slot for turn in turns))
        keys = [turn.trial.dropout_key() for turn in turns]
        segments, state = self._stacked(turns, turns[0].carried_after)
        with torch.no_grad():
            _, states = run(self._model, lane.weights, segments, state, keys)
        _keep_state(turns, states[turns[0].carried_after])

    def _train(self, turns: list[Turn]) -> None:
        """Make one optimizer step of each trial."""
        lane = self.lane(tuple(turn.slot for turn in turns))
        structure, trials = self._model.structure, [turn.trial for turn in turns]
        configs, keys = [t.config for t in trials], [t.dropout_key() for t in trials]
        segments, state = self._stacked(turns)
        activations: list[Tensor] | None = [] if regularises_activations(configs) else None
        outputs, states = run(self._model, lane.weights, segments, state, keys, activations)
        weighed = trials[0].tally.class_weights
        parts = [
            sums_of(
                segment,
                out,
                losses.elements(structure.loss, out, segment.targets),
                structure,
                weighed,
                _valid(turns, span, out),
            )
            for span, (segment, out) in enumerate(zip(segments, outputs, strict=True))
            if segment.targets is not None
        ]
        total = sum((part.losses for part in parts[1:]), parts[0].losses)
        added = penalty(lane.weights, activations or (), configs)
        differentiate(total if added is None else total + added, lane.weights)
        _keep_state(turns, states[turns[0].carried_after])
        with torch.no_grad():
            self._step(turns, lane, parts)

    def _step(self, turns: list[Turn], lane: Lane, parts: list[Sums]) -> None:
        """Clip, step and record the trials whose numbers are finite."""
        norms = torch.linalg.vector_norm(lane.rows.gradient, dim=1)
        columns = [*(p.losses for p in parts), *(p.plain for p in parts), norms]
        numbers = torch.stack([c.detach().double() for c in columns])
        values = numbers.tolist()  # the step's one wait for the device
        finite = [
            i
            for i in range(len(turns))
            if all(math.isfinite(row[i]) for row in values[: len(parts)] + values[-1:])
        ]
        for i in set(range(len(turns))) - set(finite):
            turns[i].trial.progress.outcome = "diverged"
        if finite:
            _optimize(turns, lane, norms, finite)
        if lane.copied:
            self._buffers.put(lane.slots, lane.rows)
        for i in finite:
            _record(turns[i], i, parts, [row[i] for row in values])

    def _stacked(
        self, turns: list[Turn], spans: int | None = None
    ) -> tuple[list[Segment], StackState | None]:
        """Stack the trials' segments and the states they begin with."""
        structure, device = self._model.structure, self._buffers.weights.device
        columns = zip(*(turn.segments[:spans] for turn in turns), strict=True)
        segments = [stack(list(column), structure).to(device) for column in columns]
        rows = max(batch_rows(turn.segments[0]) for turn in turns)
        return segments, stack_states([turn.trial.state for turn in turns], rows)


def differentiate(losses_: Tensor, weights: Weights) -> None:
    """Write the gradients of the sum of `losses_ (trials,)` over those of before.

    As `backward` with the gradients zeroed, which would complain of rows that lie apart.
    """
    leaves = list(_leaves(weights))
    found = torch.autograd.grad(losses_.sum(), leaves, allow_unused=True)
    into = [leaf.grad for leaf in leaves if leaf.grad is not None]
    whole = [torch.zeros_like(g) if f is None else f for f, g in zip(found, into, strict=True)]
    torch._foreach_copy_(into, whole)


def _leaves(weights: Any) -> Iterator[Tensor]:
    for part in weights:
        if isinstance(part, Tensor):
            yield part
        elif part is not None:
            yield from _leaves(part)


def _keep_state(turns: list[Turn], state: StackState | None) -> None:
    for place, turn in enumerate(turns):
        count(turn.trial, turn.segments)
        turn.trial.state = state_of(state, place, batch_rows(turn.segments[0]))


def _valid(turns: list[Turn], span: int, outputs: Tensor) -> Tensor | None:
    """Return which of the wanted outputs `(trials, wanted)` are a trial's own; None for all."""
    targets = [turn.segments[span].targets for turn in turns]
    counts = [0 if t is None else t.shape[1] for t in targets]
    if min(counts) == outputs.shape[1]:
        return None
    own = torch.tensor(counts, device=outputs.device).unsqueeze(1)
    return torch.arange(outputs.shape[1], device=outputs.device) < own


def _optimize(turns: list[Turn], lane: Lane, norms: Tensor, finite: list[int]) -> None:
    """Clip and make one optimizer step of the trials at `finite`."""
    rows = lane.rows if len(finite) == len(turns) else lane.rows.copy_of(finite)
    chosen = [turns[i] for i in finite]
    configs = [turn.trial.config for turn in chosen]
    for turn in chosen:
        done = turn.trial.progress
        rate = optim.learning_rate(
            turn.trial.config, done.optimizer_steps, done.epoch, done.plateau_reductions
        )
        done.learning_rate = rate * turn.rate_factor
    optim.clip(rows.gradient, norms[finite] if rows is not lane.rows else norms, configs)
    steps = [turn.trial.progress.optimizer_steps for turn in chosen]
    rates = [turn.trial.progress.learning_rate for turn in chosen]
    optim.step(rows.weights, rows.gradient, rows.moments, configs, steps, rates)
    if rows is not lane.rows:
        lane.rows.put(finite, rows)


def _record(turn: Turn, place: int, parts: list[Sums], values: list[float]) -> None:
    """Count a step and add its sums to the trial's tally."""
    progress, tally = turn.trial.progress, turn.trial.tally
    progress.optimizer_steps += 1
    progress.epoch_steps += 1
    progress.epoch_norms += values[-1]
    scored = [segment for segment in turn.segments if segment.targets is not None]
    each = zip(parts, scored, values[: len(parts)], values[len(parts) : -1], strict=True)
    for part, segment, loss, plain in each:
        tally.loss_sum += loss * float(segment.denominator)
        tally.plain_loss += plain
        tally.elements += elements_of(segment)
        tally.sums += part.metrics[place]
