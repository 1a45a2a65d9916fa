"""Truncated BPTT: a batch is walked in segments of k1 steps, each one optimizer step.

Williams & Peng 1990. The state is carried, detached, from segment to segment. A segment without a
valid target makes no optimizer step but advances the state. With one target per sequence the
target lies in the segment that holds the row's last existing step, earlier segments only carry
state, and the loss's denominator is that of the whole batch: a row that ends alone in its segment
weighs no more than one of sixty that end together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from trainers.config.train_config import Structure
from trainers.learning.batches import Batch, Source
from trainers.learning.compaction import Rows, compacted
from trainers.learning.spans import Span, Walk
from trainers.network.masks import Array, ends_of
from trainers.network.segment import Answers, Segment


def cut_walk(
    source: Source, walk: Walk, index: int, structure: Structure, input_size: int
) -> tuple[Segment, ...]:
    """Cut what segment `index` of a walk runs: one `Segment` per span, one loss over all."""
    spans = walk.spans(index)
    batch = source.window(spans[0].start, spans[-1].stop)
    parts = tuple(
        replace(cut(batch, span, structure, input_size), offset=span.start - spans[0].start)
        for span in spans
    )
    if len(parts) == 1 or structure.loss_reduction != "valid_step" or structure.one_target:
        return parts
    total = sum(part.count for part in parts)
    return tuple(replace(part, denominator=total or 1.0) for part in parts)


def cut(batch: Batch, span: Span, structure: Structure, input_size: int) -> Segment:
    """Cut one span out of a batch that holds it."""
    rows = compacted(batch, span.start, span.stop)
    segment = Segment(
        inputs=_features(rows.inputs, input_size, structure).unsqueeze(0),
        lengths=None if rows.lengths is None else torch.from_numpy(rows.lengths).unsqueeze(0),
        hold=rows.hold,
        gradient=span.gradient,
        origins=_tensor(rows.origins),
        finals=_tensor(rows.finals),
        ahead=None if batch.ahead is None else torch.tensor(batch.ahead).unsqueeze(0),
    )
    if not span.scored:
        return segment
    if batch.pairs:
        wanted = _answers(batch)
        segment = replace(segment, answers=_lengths_of(batch))
    elif structure.one_target:
        wanted = _last_targets(batch, span, rows)
    else:
        wanted = _step_targets(batch, span, rows)
    return _with_targets(segment, wanted, batch, structure, first=span.start == 0)


def _features(inputs: Array, input_size: int, structure: Structure) -> Tensor:
    """Return a fresh `(rows, time, features)`; ids become one-hot unless they are embedded.

    In memory time comes first, as the kernels want it. The copy lies at 64 bytes as torch
    allocates; numpy's lies anywhere, and with it the last bits.
    """
    x = torch.from_numpy(inputs)
    if structure.embedding_size is not None:
        return x.long()
    if x.dim() == 2:
        x = torch.nn.functional.one_hot(x.long(), input_size)
    x = x.transpose(0, 1)
    fresh = torch.empty(x.shape, dtype=getattr(torch, structure.dtype))
    return fresh.copy_(x).transpose(0, 1)


@dataclass(frozen=True)
class _Wanted:
    """The valid targets of a segment: where they are, what they are, whose they are."""

    positions: Array | None
    targets: Array
    mask: Array | None
    rows: Array
    whole_batch_counts: bool


def target_places(batch: Batch, span: Span, structure: Structure) -> tuple[Array, Array]:
    """Return row and step of each target that `cut` finds in a span, `(wanted,)` both.

    Steps count from the batch's first; of one target it is the row's last that exists, of pairs
    the answer's.
    """
    if structure.one_target:
        rows = _rows_that_end(batch, span)
        return rows, batch.ends[rows] - 1
    if batch.pairs:
        steps, rows = _present_targets(batch, _whole(batch))
        return rows, steps
    steps, rows = _present_targets(batch, span)
    return rows, steps + span.start


def _rows_that_end(batch: Batch, span: Span) -> Array:
    """Return the rows whose last existing step lies in a span and has a target."""
    here = (batch.ends > span.start) & (batch.ends <= span.stop)
    if batch.target_mask is not None:
        mask = batch.target_mask
        here &= mask if mask.ndim == 1 else mask.any(axis=-1)
    return np.flatnonzero(here)


def _present_targets(batch: Batch, span: Span) -> tuple[Array, Array]:
    """Return step in the span and row of each target, time first."""
    columns = slice(span.start - batch.offset, span.stop - batch.offset)
    if batch.target_mask is None:
        rows, steps = batch.targets[:, columns].shape[:2]
        return np.repeat(np.arange(steps), rows), np.tile(np.arange(rows), steps)
    mask = batch.target_mask[:, columns].swapaxes(0, 1)
    found: tuple[Array, Array] = np.nonzero(mask if mask.ndim == 2 else mask.any(axis=-1))  # type: ignore[assignment]
    return found


def _last_targets(batch: Batch, span: Span, moved: Rows) -> _Wanted | None:
    rows = _rows_that_end(batch, span)
    if not len(rows):
        return None
    everyone = len(rows) == len(batch.ends)
    valid = batch.target_mask
    at = rows if moved.finals is None else moved.finals[rows]
    return _Wanted(
        positions=None if everyone and moved.finals is None else at,
        targets=batch.targets if everyone else batch.targets[rows],
        mask=valid[rows] if valid is not None and valid.ndim == 2 else None,
        rows=rows,
        whole_batch_counts=True,
    )


def _step_targets(batch: Batch, span: Span, moved: Rows) -> _Wanted | None:
    columns = slice(span.start - batch.offset, span.stop - batch.offset)
    targets = batch.targets[:, columns].swapaxes(0, 1)
    steps, rows = _present_targets(batch, span)
    if batch.target_mask is None:
        flat = targets.reshape(-1, *targets.shape[2:])
        positions = None if moved.row is None else moved.positions(steps, rows)
        return _Wanted(positions, flat, None, rows, whole_batch_counts=False)
    mask = batch.target_mask[:, columns].swapaxes(0, 1)
    if not len(rows):
        return None
    return _Wanted(
        positions=moved.positions(steps, rows),
        targets=targets[steps, rows],
        mask=mask[steps, rows] if mask.ndim == 3 else None,
        rows=rows,
        whole_batch_counts=False,
    )


def _whole(batch: Batch) -> Span:
    """Return all steps of the answers of pairs."""
    return Span(0, batch.targets.shape[1])


def _answers(batch: Batch) -> _Wanted | None:
    """Return the targets of pairs; positions are flat indices into `(answer steps, batch)`."""
    return _step_targets(batch, _whole(batch), Rows(batch.targets))


def _lengths_of(batch: Batch) -> Answers:
    rows, steps = batch.targets.shape[:2]
    if batch.target_mask is None:
        return Answers(steps, torch.full((1, rows), steps), whole=True)
    mask = batch.target_mask.reshape(rows, steps, -1)
    lengths = ends_of(np.asarray(mask.any(axis=-1)), rows, steps)
    whole = bool((mask.all(axis=-1).sum(axis=1) == lengths).all())
    return Answers(steps, torch.from_numpy(lengths).unsqueeze(0), whole)


def _with_targets(
    segment: Segment, wanted: _Wanted | None, batch: Batch, structure: Structure, *, first: bool
) -> Segment:
    """Add the targets and how their losses are weighed (`LossReduction`)."""
    reduction = structure.loss_reduction
    ids = batch.targets.dtype.kind in "iu"
    outputs = 1 if ids else batch.targets.shape[-1]
    batch_rows = float(len(batch.ends) * (outputs if reduction == "sequence_sum" else 1))
    count = batch_rows if first and reduction != "valid_step" else 0.0
    if wanted is None:
        return replace(segment, count=count)
    mask = None if wanted.mask is None or wanted.mask.all() else wanted.mask
    weights = None if mask is None else mask.astype(structure.dtype)
    denominator = batch_rows
    if reduction == "valid_step":
        count = float(wanted.targets.size if mask is None else mask.sum())
        denominator = float(batch.target_counts.sum()) if wanted.whole_batch_counts else count
    elif reduction == "sequence_mean":
        per_row = (1.0 / batch.target_counts[wanted.rows])[:, None].astype(structure.dtype)
        weights = per_row if weights is None else weights * per_row
    targets = torch.from_numpy(np.ascontiguousarray(wanted.targets)).unsqueeze(0)
    return replace(
        segment,
        positions=_tensor(wanted.positions),
        targets=targets.long() if ids else targets.to(getattr(torch, structure.dtype)),
        element_mask=None if mask is None else torch.from_numpy(mask).unsqueeze(0),
        weights=None if weights is None else torch.from_numpy(weights).unsqueeze(0),
        denominator=denominator,
        count=count,
        rescale=None if batch.rescale is None else _tensor(batch.rescale[wanted.rows][None]),
    )


def _tensor(values: Array | None) -> Tensor | None:
    return None if values is None else torch.from_numpy(values)
