"""Small data sets and the few calls that tests of `trainers` share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from trainers.config.objective import Objective
from trainers.config.train_config import TrainConfig
from trainers.data.contract import SequenceData, SequenceSet
from trainers.learning import losses
from trainers.learning.batches import Part
from trainers.learning.spans import Walk
from trainers.learning.tbptt import cut_walk
from trainers.learning.training import detached, run
from trainers.network.initialisation import initialise
from trainers.network.model import Model
from trainers.network.parameters import Layout, weights_of
from trainers.network.recurrence import choose_backend
from trainers.packs.pack import Pack

RMSE = Objective("rmse", "minimize")
ACCURACY = Objective("accuracy", "maximize")


def prefix_mask(lengths, time_steps):
    return np.arange(time_steps) < np.asarray(lengths)[:, None]


def regression_set(rows, time_steps, *, mask=None, features=3, outputs=1, seed=0, dtype=np.float32):
    """Running sums of the inputs: learnable, every step a target; masked steps hold zeros."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(rows, time_steps, features)).astype(dtype)
    if mask is not None:
        inputs[~mask] = 0
    targets = np.cumsum(inputs[:, :, :1], axis=1) * 0.3 + 0.1 * np.arange(outputs)
    return SequenceSet(inputs, targets.astype(dtype), mask, mask)


def classes_set(rows, time_steps, *, mask=None, features=3, classes=3, seed=0, dtype=np.float32):
    """The class is which of the first inputs was largest so far, in the mean."""
    data = regression_set(rows, time_steps, mask=mask, features=features, seed=seed, dtype=dtype)
    targets = np.cumsum(data.inputs[:, :, :classes], axis=1).argmax(axis=-1).astype(np.int64)
    return SequenceSet(data.inputs, targets, mask, mask)


def wrap(train, validation=None, *, task="regression", classes=3, digest="digest", **fields):
    outputs = classes if task == "classification" else train.targets.shape[-1]
    inputs = train.inputs.shape[-1] if train.inputs.ndim == 3 else fields.pop("input_size")
    return SequenceData(
        "test", task, train, validation or train, None, inputs, outputs, digest, **fields
    )


def regression_data(rows=20, time_steps=12, *, mask=None, digest="digest", **options):
    train = regression_set(rows, time_steps, mask=mask, **options)
    validation = regression_set(9, time_steps, seed=99, **options)
    return wrap(train, validation, digest=digest)


def admitted(config, data, objective=RMSE, **options):
    pack = Pack(config.structure(), data, objective, **options)
    pack.admit(0, config)
    return pack


def finish(pack, slot=0):
    """Train one slot to its end."""
    reports = []
    while not reports or not reports[-1].ended:
        reports.append(pack.train(slot))
    return reports


def without_time(report):
    return replace(report, train_seconds=0.0, slot=0)


def slot_weights(pack, slot=0):
    return pack._buffers.weights[slot].clone()


@dataclass
class Network:
    """A model with first weights, outside any pack."""

    model: Model
    flat: torch.Tensor
    input_size: int

    @classmethod
    def of(cls, structure, data, output_size, *, seed=0, backend="auto", input_size=None):
        input_size = input_size or data.inputs.shape[-1]
        backend = choose_backend(backend, structure.cell, 1, "cpu")
        layout = Layout.of(structure, input_size, output_size)
        flat = torch.zeros(1, layout.size, dtype=getattr(torch, structure.dtype))
        config = TrainConfig(**{name: getattr(structure, name) for name in vars(structure)})
        initialise(layout, flat[0], replace(config, seed=seed))
        return cls(Model(structure, layout, backend), flat, input_size)

    def named(self, row):
        """Return a flat row's parameters by name, without the trial axis."""
        views = self.model.layout.views(row.unsqueeze(0))
        return {name: view[0] for name, view in views.items()}

    def walk(self, data: SequenceSet, rows=None, source=None, **structure):
        """Walk one batch, segment by segment, with the state carried and the weights fixed.

        Returns a list of (segment, outputs row after row, loss, gradient); with several spans the
        segment is the last one's, and outputs are of all spans in turn.
        """
        structure = replace(self.model.structure, **structure)
        model = replace(self.model, structure=structure)
        if source is None:
            part = Part(data, structure)
            source = part.batch(np.arange(len(data)) if rows is None else np.asarray(rows))
        walk = Walk.of(structure, source.time_steps)
        state, steps = None, []
        for index in range(len(walk)):
            gradient = torch.zeros_like(self.flat)
            weights = weights_of(model.layout, self.flat, gradient)
            segments = cut_walk(source, walk, index, structure, self.input_size)
            outputs, states = run(model, weights, segments, state)
            loss = None
            scored = [
                (s, o) for s, o in zip(segments, outputs, strict=True) if s.targets is not None
            ]
            if scored:
                parts = [
                    losses.reduced(losses.elements(structure, o, s.targets), s).sum()
                    for s, o in scored
                ]
                sum(parts).backward()
                loss = sum(parts).item()
            state = detached(states[walk.carried_after(index)])
            shown = [o.detach()[0] for _, o in scored]
            if structure.readout == "every":
                shown = [row_after_row(s, o.detach()[0]) for s, o in scored]
            outputs = torch.cat(shown) if shown else outputs[-1].detach()[0]
            steps.append((segments[-1], outputs, loss, gradient[0]))
        return steps


def row_after_row(segment, outputs):
    """Sort outputs `(wanted, outputs)` of every step from time-major to row-major."""
    rows, time_steps = segment.inputs.shape[1:3]
    at = torch.arange(rows * time_steps) if segment.positions is None else segment.positions
    return outputs[(at % rows * time_steps + at // rows).argsort()]
