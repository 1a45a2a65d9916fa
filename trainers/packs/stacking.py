"""Segments of several trials as one, padded to the longest: what `Stacked` runs.

Padding is exact. Rows and steps that a trial does not have lie behind those it has and do not
exist for the mask law; targets that it does not have repeat its first one with weight 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from trainers.config.train_config import Structure
from trainers.network.segment import Answers, Segment, StackState


def stack(segments: Sequence[Segment], structure: Structure) -> Segment:
    """Stack one segment of each trial, `(1, …)` each, along the trial axis.

    They may differ in rows, steps and targets, not in `gradient`.
    """
    first = segments[0]
    if len(segments) == 1:
        return first
    shapes = [(s.inputs.shape[1], s.inputs.shape[2]) for s in segments]
    rows, time_steps = max(r for r, _ in shapes), max(t for _, t in shapes)
    alike = all(shape == (rows, time_steps) for shape in shapes)
    whole = alike and all(s.lengths is None for s in segments)
    counts, offsets = [r for r, _ in shapes], [int(s.offset) for s in segments]
    split = any(s.finals is not None for s in segments)
    stacked = Segment(
        inputs=_inputs(segments, rows, time_steps),
        lengths=None if whole else _filled([_lengths(s) for s in segments]),
        hold=any(s.hold for s in segments),
        gradient=first.gradient,
        origins=_filled([_origins(s) for s in segments], -1) if split else None,
        finals=_filled([_finals(s) for s in segments]) if split else None,
        offset=offsets[0] if len(set(offsets)) == 1 else torch.tensor(offsets),
        rows=None if len(set(counts)) == 1 else torch.tensor(counts),
        ahead=_ahead(segments),
        answers=_answers(segments),
    )
    if stacked.answers is not None:
        alike = len({(s.inputs.shape[1], _target_steps(s)) for s in segments}) == 1
    return _with_targets(stacked, segments, structure, alike=alike)


def batch_rows(segment: Segment) -> int:
    """Return the rows of the batch that a segment of one trial was cut from."""
    return segment.inputs.shape[1] if segment.finals is None else segment.finals.shape[-1]


def stack_states(states: Sequence[StackState | None], rows: int) -> StackState | None:
    """Stack carried states, `(1, its rows, …)` per tensor, to `rows`; None is zero."""
    template = next((state for state in states if state is not None), None)
    if template is None:
        return None

    def stacked(layer: int, part: int) -> Tensor:
        tensors = [None if state is None else state[layer][part] for state in states]
        given = [tensor for tensor in tensors if tensor is not None and tensor.shape[1] == rows]
        if len(given) == len(states):
            return torch.cat(given)
        like = template[layer][part]
        filled = like.new_zeros(len(states), rows, *like.shape[2:])
        for trial, tensor in enumerate(tensors):
            if tensor is not None:
                filled[trial, : tensor.shape[1]] = tensor[0]
        return filled

    return tuple(
        tuple(stacked(layer, part) for part in range(len(parts)))
        for layer, parts in enumerate(template)
    )


def state_of(state: StackState | None, trial: int, rows: int) -> StackState | None:
    """Return one trial's rows of a stacked state, detached."""
    if state is None:
        return None
    own = slice(trial, trial + 1)
    return tuple(tuple(part[own, :rows].detach() for part in layer) for layer in state)


def widen(segment: Segment, trials: int, structure: Structure) -> Segment:
    """Let `trials` run the same segment `(1, …)`: views of it, but for positions."""
    if trials == 1:
        return segment
    lengths, targets, positions = segment.lengths, segment.targets, segment.positions
    answers = segment.answers
    if answers is not None:
        answers = answers._replace(lengths=answers.lengths.expand(trials, -1))
    mask, rescale, ahead = segment.element_mask, segment.rescale, segment.ahead
    if positions is not None:
        rows, time_steps = segment.inputs.shape[1], _target_steps(segment)
        each = rows if structure.one_target else rows * time_steps
        starts = torch.arange(trials, device=positions.device).unsqueeze(1) * each
        positions = (positions + starts).reshape(-1)
    return replace(
        segment,
        inputs=segment.inputs.expand(trials, *segment.inputs.shape[1:]),
        lengths=None if lengths is None else lengths.expand(trials, -1),
        targets=None if targets is None else targets.expand(trials, *targets.shape[1:]),
        positions=positions,
        element_mask=None if mask is None else mask.expand(trials, *mask.shape[1:]),
        rescale=None if rescale is None else rescale.expand(trials, *rescale.shape[1:]),
        ahead=None if ahead is None else ahead.expand(trials, *ahead.shape[1:]),
        answers=answers,
    )


def _inputs(segments: Sequence[Segment], rows: int, time_steps: int) -> Tensor:
    """Return `(trials, rows, time, …)`, in memory time before rows as the kernels want it."""
    first = segments[0].inputs
    filled = first.new_zeros(len(segments), time_steps, rows, *first.shape[3:])
    for trial, segment in enumerate(segments):
        own = segment.inputs[0].transpose(0, 1)
        filled[trial, : own.shape[0], : own.shape[1]] = own
    return filled.transpose(1, 2)


def _ahead(segments: Sequence[Segment]) -> Tensor | None:
    """Stack what is known ahead: all trials of a pack have the same of it, or none."""
    given = [segment.ahead[0] for segment in segments if segment.ahead is not None]
    return _filled(given) if given else None


def _answers(segments: Sequence[Segment]) -> Answers | None:
    """Stack how long the answers of pairs are."""
    given = [segment.answers for segment in segments if segment.answers is not None]
    if not given:
        return None
    lengths = _filled([one.lengths[0] for one in given])
    return Answers(max(one.steps for one in given), lengths, all(one.whole for one in given))


def _target_steps(segment: Segment) -> int:
    """Return how many steps the time of targets has."""
    return segment.inputs.shape[2] if segment.answers is None else segment.answers.steps


def _lengths(segment: Segment) -> Tensor:
    rows, time_steps = segment.inputs.shape[1:3]
    return torch.full((rows,), time_steps) if segment.lengths is None else segment.lengths[0]


def _origins(segment: Segment) -> Tensor:
    own = torch.arange(segment.inputs.shape[1])
    return own if segment.origins is None else segment.origins


def _finals(segment: Segment) -> Tensor:
    return torch.arange(batch_rows(segment)) if segment.finals is None else segment.finals


def _with_targets(
    stacked: Segment, segments: Sequence[Segment], structure: Structure, *, alike: bool
) -> Segment:
    """Add targets, where they are, and what they weigh."""
    given = next((s.targets for s in segments if s.targets is not None), None)
    if given is None:
        return stacked
    trials, rows, time_steps = *stacked.inputs.shape[:2], _target_steps(stacked)
    ragged = len({0 if s.targets is None else s.targets.shape[1] for s in segments}) > 1
    positions = None
    if ragged or not alike or any(s.positions is not None for s in segments):
        each = rows if structure.one_target else rows * time_steps
        starts = torch.arange(trials).unsqueeze(1) * each
        flat = [_flat_positions(s, rows, structure) for s in segments]
        positions = (_filled(flat, None) + starts).reshape(-1)
    none = given.new_zeros(0, *given.shape[2:])
    dtype = getattr(torch, structure.dtype)
    masked = any(s.element_mask is not None for s in segments)
    weighed = ragged or any(s.weights is not None for s in segments)
    width = max(1 if s.weights is None else s.weights.shape[2] for s in segments)
    return replace(
        stacked,
        positions=positions,
        targets=_filled([none if s.targets is None else s.targets[0] for s in segments], None),
        element_mask=_filled([_element_mask(s, given) for s in segments], False)
        if masked
        else None,
        weights=_filled([_weights(s, width, dtype) for s in segments]) if weighed else None,
        denominator=torch.tensor([float(s.denominator) for s in segments], dtype=dtype),
        rescale=_rescale(segments),
    )


def _flat_positions(segment: Segment, rows: int, structure: Structure) -> Tensor:
    """Return where a trial's outputs are wanted, as flat indices into `(time, rows)` or `(rows,)`.

    Its own rows may be fewer.
    """
    if segment.targets is None:
        return torch.zeros(1, dtype=torch.int64)
    own = segment.inputs.shape[1]
    positions = segment.positions
    if positions is None:
        positions = torch.arange(segment.targets.shape[1])
    if structure.one_target:
        return positions
    return positions // own * rows + positions % own


def _element_mask(segment: Segment, like: Tensor) -> Tensor:
    if segment.element_mask is not None:
        return segment.element_mask[0]
    wanted = 0 if segment.targets is None else segment.targets.shape[1]
    return torch.ones(wanted, like.shape[-1], dtype=torch.bool)


def _weights(segment: Segment, width: int, dtype: torch.dtype) -> Tensor:
    wanted = 0 if segment.targets is None else segment.targets.shape[1]
    if segment.weights is None:
        return torch.ones(wanted, width, dtype=dtype)
    return segment.weights[0].expand(wanted, width)


def _rescale(segments: Sequence[Segment]) -> Tensor | None:
    """Stack factors and offsets, alike where there are targets; None where the data have none."""
    given = next((s.rescale for s in segments if s.rescale is not None), None)
    if given is None:
        return None
    return _filled([given[0, :0] if s.rescale is None else s.rescale[0] for s in segments], None)


def _filled(parts: Sequence[Tensor], fill: float | None = 0) -> Tensor:
    """Stack `(its length, …)` to `(trials, longest, …)`; None fills with the part's first entry."""
    longest = max(len(part) for part in parts)
    if all(len(part) == longest for part in parts):
        return torch.stack(list(parts))
    shape = (len(parts), longest, *parts[0].shape[1:])
    filled = torch.full(shape, fill or 0, dtype=parts[0].dtype)
    for trial, part in enumerate(parts):
        filled[trial, : len(part)] = part
        if fill is None and len(part):
            filled[trial, len(part) :] = part[0]
    return filled
