"""Trials stacked: the next segment of several trials as one program over the trial axis.

Trials may stand at different epochs, batches and segments. Those that need the same program (the
same spans, with a valid target or without) run as one, padded to the longest of them; each keeps
its own counters, state and sums, so a trial can leave, or go on alone, after any segment.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable
from dataclasses import dataclass

import torch
from torch import Tensor

from trainers.learning import losses
from trainers.learning.buffers import Buffers
from trainers.learning.tallies import Sums, elements_of, sums_of
from trainers.learning.tbptt import cut_walk
from trainers.learning.training import count, differentiate, optimize, run
from trainers.learning.trial import Trial
from trainers.network.model import Model
from trainers.network.parameters import Weights, weights_of
from trainers.network.regularisation import penalty, regularises_activations
from trainers.network.segment import Segment, StackState
from trainers.packs.cursor import HostCursor, host_cursor
from trainers.packs.evaluation import evaluate_slots
from trainers.packs.parts import Parts
from trainers.packs.stacking import batch_rows, stack, stack_states, state_of
from trainers.packs.stepper import Trials, step_together, timed, to_close


@dataclass(frozen=True)
class NextSegment:
    """One trial's next segment.

    Attributes:
        slot: Where the trial is.
        trial: Whose.
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
class SlotRows:
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


class Stacked:
    """Trains trials of a pack together, one segment at a time.

    Args:
        model: What they have in common.
        buffers: The pack's rows.
        parts: What they learn from.
    """

    def __init__(self, model: Model, buffers: Buffers, parts: Parts) -> None:
        self._model, self._buffers, self._parts = model, buffers, parts
        self._cursors: dict[int, HostCursor] = {}
        self._rows: dict[tuple[int, ...], SlotRows] = {}

    def advance(self, trials: Trials, seconds: float | None) -> list[int]:
        """Train all of them; those that end their epoch first wait for the others."""
        with timed(trials.values()):
            all_ended = step_together(self._step_segment, trials, seconds)
        return to_close(trials, all_ended=all_ended)

    def validate(self, trials: Trials) -> dict[int, dict[str, float]]:
        """Return each trial's metrics, from one pass for all."""
        return evaluate_slots(self._model, self._buffers, self._parts, trials)

    def _step_segment(self, trials: Trials) -> list[int]:
        """Advance trials by one segment; return the slots whose epoch has ended."""
        # Alone, a trial may have been stopped between its epoch's last segment and its report.
        ended = [slot for slot, trial in trials.items() if self._cursor(slot, trial).ended()]
        going = [self._next(slot, trial) for slot, trial in trials.items() if slot not in ended]
        for _, alike in itertools.groupby(
            sorted(going, key=lambda n: (repr(n.program), n.slot)), key=lambda n: n.program
        ):
            group = list(alike)
            self._train(group) if group[0].scored else self._carry(group)
        return ended + [one.slot for one in going if self._cursors[one.slot].ended()]

    def _rows_of(self, group: list[NextSegment]) -> SlotRows:
        """Return the rows of a group, whose slots ascend."""
        slots = tuple(one.slot for one in group)
        first, last = slots[0], slots[-1] + 1
        if slots in self._rows:
            return self._rows[slots]
        copied = last - first > len(slots)
        rows = self._buffers.copy_of(slots) if copied else self._buffers.views(first, last)
        found = SlotRows(
            slots, rows, weights_of(self._model.layout, rows.weights, rows.gradient), copied
        )
        if not copied:
            self._rows[slots] = found
        return found

    def _next(self, slot: int, trial: Trial) -> NextSegment:
        """Cut a trial's next segment."""
        (source, walk), index = self._cursor(slot, trial).batch, trial.counters.segment
        structure, input_size = self._model.structure, self._parts.data.input_size
        cuts = cut_walk(source, walk, index, structure, input_size)
        return NextSegment(slot, trial, cuts, walk.carried_after(index), walk.rate_factor(index))

    def _cursor(self, slot: int, trial: Trial) -> HostCursor:
        known = self._cursors.get(slot)
        if known is None or not known.serves(trial):
            part = self._parts.part("train")
            known = self._cursors[slot] = host_cursor(trial, part, self._model.structure)
        return known

    def _carry(self, group: list[NextSegment]) -> None:
        """Advance the state over a segment without a valid target."""
        own = self._rows_of(group)
        keys = [one.trial.dropout_key() for one in group]
        segments, state = self._stacked(group, group[0].carried_after)
        with torch.no_grad():
            _, states = run(self._model, own.weights, segments, state, keys)
        _keep_state(group, states[group[0].carried_after])

    def _train(self, group: list[NextSegment]) -> None:
        """Make one optimizer step of each trial."""
        own = self._rows_of(group)
        structure, trials = self._model.structure, [one.trial for one in group]
        configs, keys = [t.config for t in trials], [t.dropout_key() for t in trials]
        segments, state = self._stacked(group)
        activations: list[Tensor] | None = [] if regularises_activations(configs) else None
        outputs, states = run(self._model, own.weights, segments, state, keys, activations)
        measures = trials[0].tally.measures
        parts = [
            sums_of(
                segment,
                out,
                losses.elements(structure, out, segment.targets),
                measures,
                _valid(group, span, out),
            )
            for span, (segment, out) in enumerate(zip(segments, outputs, strict=True))
            if segment.targets is not None
        ]
        total = sum((part.losses for part in parts[1:]), parts[0].losses)
        added = penalty(own.weights, activations or (), configs)
        differentiate(total if added is None else total + added, own.weights)
        _keep_state(group, states[group[0].carried_after])
        with torch.no_grad():
            self._step(group, own, parts)

    def _step(self, group: list[NextSegment], own: SlotRows, parts: list[Sums]) -> None:
        """Clip, step and record the trials whose numbers are finite."""
        norms = torch.linalg.vector_norm(own.rows.gradient, dim=1)
        columns = [*(p.losses for p in parts), *(p.plain for p in parts), norms]
        numbers = torch.stack([c.detach().double() for c in columns])
        values = numbers.tolist()  # the step's one wait for the device
        finite = [
            i
            for i in range(len(group))
            if all(math.isfinite(row[i]) for row in values[: len(parts)] + values[-1:])
        ]
        for i in set(range(len(group))) - set(finite):
            group[i].trial.counters.outcome = "diverged"
        if finite:
            _optimize(group, own, norms, finite)
        if own.copied:
            self._buffers.put(own.slots, own.rows)
        for i in finite:
            _record(group[i], i, parts, [row[i] for row in values])

    def _stacked(
        self, group: list[NextSegment], spans: int | None = None
    ) -> tuple[list[Segment], StackState | None]:
        """Stack the trials' segments and the states they begin with."""
        structure, device = self._model.structure, self._buffers.weights.device
        columns = zip(*(one.segments[:spans] for one in group), strict=True)
        segments = [stack(list(column), structure).to(device) for column in columns]
        rows = max(batch_rows(one.segments[0]) for one in group)
        return segments, stack_states([one.trial.state for one in group], rows)


def _keep_state(group: list[NextSegment], state: StackState | None) -> None:
    for i, one in enumerate(group):
        count(one.trial, one.segments)
        one.trial.state = state_of(state, i, batch_rows(one.segments[0]))


def _valid(group: list[NextSegment], span: int, outputs: Tensor) -> Tensor | None:
    """Return which of the wanted outputs `(trials, wanted)` are a trial's own; None for all."""
    targets = [one.segments[span].targets for one in group]
    counts = [0 if t is None else t.shape[1] for t in targets]
    if min(counts) == outputs.shape[1]:
        return None
    own = torch.tensor(counts, device=outputs.device).unsqueeze(1)
    return torch.arange(outputs.shape[1], device=outputs.device) < own


def _optimize(group: list[NextSegment], own: SlotRows, norms: Tensor, finite: list[int]) -> None:
    """Clip and make one optimizer step of the trials at `finite`."""
    everyone = len(finite) == len(group)
    rows = own.rows if everyone else own.rows.copy_of(finite)
    chosen = [group[i] for i in finite]
    factors = [one.rate_factor for one in chosen]
    optimize([one.trial for one in chosen], rows, norms if everyone else norms[finite], factors)
    if not everyone:
        own.rows.put(finite, rows)


def _record(one: NextSegment, i: int, parts: list[Sums], values: list[float]) -> None:
    """Count a step and add its sums to the trial's tally."""
    tally = one.trial.tally
    one.trial.count_step(values[-1])
    scored = [segment for segment in one.segments if segment.targets is not None]
    each = zip(parts, scored, values[: len(parts)], values[len(parts) : -1], strict=True)
    for part, segment, loss, plain in each:
        tally.loss_sum += loss * float(segment.denominator)
        tally.plain_loss += plain
        tally.elements += elements_of(segment)
        tally.sums += part.metrics[i]
