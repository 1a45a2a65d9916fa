"""Validation of all slots of a device-resident pack as one program: eager, or a captured graph."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from trainers.learning import losses
from trainers.learning.buffers import Buffers
from trainers.learning.metrics import Tally
from trainers.learning.tallies import sums_of
from trainers.network.model import Model
from trainers.network.parameters import weights_of
from trainers.packs.device_part import DevicePart, Picked
from trainers.packs.evaluation import results_of, untruncated
from trainers.packs.parts import Parts
from trainers.packs.passes import evaluation_rows
from trainers.packs.program import captured
from trainers.packs.stacking import widen

_FLOATS = {"cpu": 1 << 20, "cuda": 1 << 27}  # of the largest array in a batch


class DeviceValidation:
    """Evaluates the newest weights of every slot on one part; no zoneout.

    Args:
        model: What the trials have in common.
        buffers: The pack's rows.
        parts: Whose validation part must fit (`trainers.packs.device_part.fits_device`).
        capture: Whether to capture a pass as a CUDA graph.
    """

    def __init__(self, model: Model, buffers: Buffers, parts: Parts, *, capture: bool) -> None:
        whole, part = untruncated(model.structure), parts.part("validation")
        device, slots = buffers.weights.device, len(buffers.weights)
        self._model = replace(model, structure=whole)
        self._weights = weights_of(model.layout, buffers.weights)
        self._part = DevicePart(part, whole, parts.data.input_size, device)
        self._tally = Tally(parts.data, whole, device, parts.metrics)
        self._squares, self._slots = parts.total_squares("validation"), slots
        floats = _FLOATS.get(device.type, _FLOATS["cuda"]) // slots
        self._rows = min(evaluation_rows(model, part, floats), self._part.rows)
        self._start = torch.zeros(1, dtype=torch.int64, device=device)
        self._metrics = self._tally.measures.zeros(slots)
        self._losses = self._metrics.new_zeros(2, slots)
        self._counts = self._metrics.new_zeros(2)
        self._run = captured(self._step, device) if capture else self._step

    def metrics(self) -> list[dict[str, float]]:
        """Return every slot's metrics."""
        for sums in (self._metrics, self._losses, self._counts):
            sums.zero_()
        for start in range(0, self._part.rows, self._rows):
            self._start.fill_(start)
            self._run()
        self._tally.loss_count, self._tally.elements = self._counts.tolist()
        return results_of(self._tally, self._metrics.clone(), self._losses, self._squares)

    @torch.no_grad()
    def _step(self) -> None:
        rows = self._start + torch.arange(self._rows, device=self._start.device)
        present = (self._part.rows - self._start).clamp(0, self._rows)
        picked = Picked(
            rows.clamp(max=self._part.rows - 1).unsqueeze(0), present, torch.zeros_like(present)
        )
        segment, elements, count = self._part.segment(picked, self._part.time_steps)
        structure = self._model.structure
        segment = widen(replace(segment, gradient=False), self._slots, structure)
        outputs, _ = self._model.forward(self._weights, segment)
        assert segment.targets is not None
        assert isinstance(segment.denominator, Tensor)
        values = losses.elements(structure, outputs, segment.targets)
        found = sums_of(segment, outputs, values, self._tally.measures)
        self._metrics += found.metrics
        self._losses[0] += found.losses.double() * segment.denominator
        self._losses[1] += found.plain
        self._counts[0] += count[0]
        self._counts[1] += elements[0]
