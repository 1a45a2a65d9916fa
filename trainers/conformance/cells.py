"""What every cell must keep: its layout, first weights, masks, trials, states and files."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from trainers.config.cells import CELLS
from trainers.config.settings import Initialisation
from trainers.config.train_config import TrainConfig
from trainers.conformance.examples import (
    CONFIG,
    FEATURES,
    OUTPUTS,
    PATTERNS,
    assert_packed_is_solo,
    data_of,
    finished,
    pack_of,
    saved,
)
from trainers.errors import ConfigError
from trainers.network.backends import manual, native, scan, stepwise, together
from trainers.network.backends.contract import LayerRun
from trainers.network.cells.interface import Cell, State, cell_of
from trainers.network.initialisation import initialise
from trainers.network.parameters import Layout
from trainers.use.inference import Network
from trainers.use.streaming import StreamingModel

_HIDDEN, _STEPS, _LENGTHS = 4, 5, (5, 3, 0)
_BACKENDS: tuple[Any, ...] = (stepwise, native, manual, together, scan)


def check_layout(name: str) -> None:
    """Hold weights against the shapes that the cell declares, and the shares they give."""
    cell, facts = cell_of(name), CELLS[name]
    shapes = cell.shapes(FEATURES, _HIDDEN)
    assert len(shapes) == len(cell.weights._fields), f"{name}: one name for each weight"
    assert facts.state[0] == "h", f"{name}: the state begins with h"
    assert cell.recurrent is None or cell.recurrent in cell.weights._fields
    weights, x, state = _drawn(cell, trials=2)
    new = cell.step(x[:, :, 0], state, weights)
    assert [part.shape for part in new] == [part.shape for part in state]
    layout = Layout.of(replace(CONFIG, cell=name).structure(), FEATURES, OUTPUTS)
    names = [entry.name for entry in layout.entries]
    assert len(set(names)) == len(names), f"{name}: names of weights must differ, got {names}"


def check_first_weights(name: str) -> None:
    """Hold first weights: finite, by the seed alone, and settings that are allowed are felt."""
    plain = _first(replace(CONFIG, cell=name))
    assert torch.equal(plain, _first(replace(CONFIG, cell=name, learning_rate=0.5)))
    assert not torch.equal(plain, _first(replace(CONFIG, cell=name, seed=1)))
    settings: list[dict[str, Any]] = [{"recurrent_init": kind} for kind in get_args(Initialisation)]
    for fields in (*settings, {"forget_bias": 1.5}, {"chrono_time_steps": 40}):
        try:
            config = replace(CONFIG, cell=name, **fields)
        except ConfigError:
            continue
        weights = _first(config)
        assert torch.isfinite(weights).all(), f"{name}: {fields}"
        felt = cell_of(name).recurrent is not None or "recurrent_init" not in fields
        if felt and fields != {"recurrent_init": "uniform"}:
            assert not torch.equal(weights, plain), f"{name}: {fields} changes nothing"


def check_layer(name: str) -> None:
    """Hold each backend's values and gradients against single rows, stepped one by one.

    Rows are whole or end early, and one has no step at all; one trial and several.
    """
    cell = cell_of(name)
    for trials, ends in itertools.product((1, 3), (_LENGTHS, (_STEPS,) * 3)):
        given, lengths = _drawn(cell, trials), torch.tensor(ends).expand(trials, -1)
        alone = _differentiated(partial(_row_by_row, cell, lengths=lengths), given, lengths)
        some = lengths if ends == _LENGTHS else None
        for backend in _BACKENDS:
            if backend.applies_to(name, trials, "cpu"):
                mine = _differentiated(partial(_by, backend, name, some), given, lengths)
                torch.testing.assert_close(mine, alone, rtol=1e-9, atol=1e-10)


def check_packed(name: str) -> None:
    """Hold trials of a pack against each alone: every mask, dropout within the recurrence."""
    base = replace(CONFIG, cell=name)
    noisy = replace(base, seed=2, zoneout_hidden=0.2)
    if not CELLS[name].linear:
        noisy = replace(noisy, recurrent_dropout=0.3, weight_drop=0.2)
    configs = [base, replace(base, seed=1, learning_rate=0.05), noisy]
    for pattern in PATTERNS:
        assert_packed_is_solo(configs, data_of(pattern=pattern))
    for whole in PATTERNS[:2]:
        assert_packed_is_solo(configs, data_of(pattern=whole), "eager")


def check_streaming(name: str) -> None:
    """Hold single steps and chunks, the state in hand, against one pass over the sequence."""
    trial = saved(pack_of([replace(CONFIG, cell=name)], data_of()))
    sequences = np.asarray(data_of().train.inputs)
    inputs = torch.from_numpy(sequences)
    masks = np.ones(sequences.shape[:2], dtype=np.bool_)
    whole = np.stack(Network(trial).outputs(list(sequences), list(masks)))
    model = StreamingModel(trial)
    parts = [model.step(inputs[:, 0]).unsqueeze(1), model.step(inputs[:, 1:4])]
    model.restore_state(model.dump_state())
    parts.append(model.step(inputs[:, 4:]))
    stepped = torch.cat(parts, dim=1)
    torch.testing.assert_close(stepped, torch.from_numpy(whole), rtol=1e-9, atol=1e-11)


def check_checkpoint(name: str) -> None:
    """Hold a trial that was saved within an epoch and goes on elsewhere against one left alone."""
    config, data = replace(CONFIG, cell=name, zoneout_hidden=0.2), data_of(pattern="gaps")
    if not CELLS[name].linear:
        config = replace(config, recurrent_dropout=0.2)
    undisturbed, killed, after = (pack_of([config], data) for _ in range(3))
    reports = finished(undisturbed)
    for _ in range(4):
        killed.train(0, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trial.safetensors"
        killed.save(0, path)
        after.admit(0, config, path)
    assert finished(after) == reports
    weights = [saved(pack).tensors["weights"] for pack in (undisturbed, after)]
    assert torch.equal(*weights)


CHECKS: tuple[Callable[[str], None], ...] = (
    check_layout,
    check_first_weights,
    check_layer,
    check_packed,
    check_streaming,
    check_checkpoint,
)


def _first(config: TrainConfig) -> Tensor:
    layout = Layout.of(config.structure(), FEATURES, OUTPUTS)
    flat = torch.zeros(layout.size, dtype=torch.float64)
    initialise(layout, flat, config)
    return flat


def _drawn(cell: Cell[Any], trials: int) -> tuple[Any, Tensor, State]:
    """Return random weights, inputs `(trials, 3, steps, features)` and a state to begin from."""
    generator = torch.Generator().manual_seed(trials)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(trials, *shape, generator=generator, dtype=torch.float64) * 0.5

    shapes = cell.shapes(FEATURES, _HIDDEN).values()
    state = tuple(drawn(3, _HIDDEN) for _ in cell.facts.state)
    return cell.weights(*(drawn(*shape) for shape in shapes)), drawn(3, _STEPS, FEATURES), state


def _row_by_row(
    cell: Cell[Any], weights: Any, x: Tensor, state: State, lengths: Tensor
) -> tuple[Tensor, State]:
    """Step each trial's rows by themselves, over the steps that exist: the mask law."""
    outputs, finals = torch.zeros(*x.shape[:3], _HIDDEN, dtype=x.dtype), []
    for trial, row in itertools.product(range(len(x)), range(x.shape[1])):
        one, here = slice(trial, trial + 1), slice(row, row + 1)
        own = type(weights)(*(weight[one] for weight in weights))
        current = tuple(part[one, here] for part in state)
        for time in range(int(lengths[trial, row])):
            current = cell.step(x[one, here, time], current, own)
            outputs[trial, row, time] = current[0][0, 0]
        finals.append(torch.stack(current))
    after = torch.cat(finals, dim=2).reshape(len(state), len(x), x.shape[1], _HIDDEN)
    return outputs, after.unbind(0)


def _by(
    backend: Any, name: str, lengths: Tensor | None, weights: Any, x: Tensor, state: State
) -> tuple[Tensor, State]:
    found: tuple[Tensor, State] = backend.run(LayerRun(name, weights, x, state, lengths, hold=True))
    return found


def _differentiated(
    run: Callable[..., tuple[Tensor, State]], given: tuple[Any, Tensor, State], lengths: Tensor
) -> list[Tensor]:
    """Return outputs where steps exist, the state after them, and all gradients."""
    weights, x, state = given
    leaves = [tensor.clone().requires_grad_() for tensor in (*weights, x, *state)]
    own = type(weights)(*leaves[: len(weights)])
    outputs, after = run(own, leaves[len(weights)], tuple(leaves[len(weights) + 1 :]))
    here = (torch.arange(_STEPS) < lengths.unsqueeze(-1)).unsqueeze(-1)
    outputs = torch.where(here, outputs, 0.0)
    loss = outputs.square().sum() + sum((part**3).sum() for part in after)
    return [outputs, *after, *torch.autograd.grad(loss, leaves)]
