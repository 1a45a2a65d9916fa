"""Which stepper a pack takes: a function of what is asked for, structure, data, device and K."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.trainers.fused_cases import BASE, data_of, stream_data, with_resets
from trainers.errors import ConfigError
from trainers.learning.lanes import part_of
from trainers.packs.selection import select_stepper


def selected(wanted, slots=2, *, data=None, device="cpu", **settings):
    structure, data = replace(BASE, **settings).structure(), data or data_of("prefix")
    return select_stepper(wanted, structure, part_of(data, data.train, structure), device, slots)


@pytest.mark.parametrize("slots", [1, 2])
@pytest.mark.parametrize(
    ("wanted", "device", "stepper", "backend"),
    [
        ("auto", "cpu", "alone", "manual"),
        ("auto", "cuda", "alone", "native"),
        ("native", "cpu", "alone", "native"),
        ("eager", "cpu", "resident", "together"),
        ("eager", "cuda", "resident", "together"),
        ("graph", "cuda:1", "captured", "together"),
    ],
)
def test_the_backend_and_the_device_say_which(wanted, device, stepper, backend, slots):
    assert selected(wanted, slots, device=device) == (stepper, backend)


def test_one_trial_is_not_stacked():
    assert selected("stepwise", 1) == ("alone", "stepwise")
    assert selected("stepwise", 2) == ("stacked", "stepwise")


@pytest.mark.parametrize(
    "kept_on_the_host",
    [
        {"data": data_of("gaps")},
        {"data": with_resets(data_of())},
        {"data": stream_data()},
        {"tbptt_backward_steps": 3},
        {"tbptt_backward_steps": 8},
    ],
)
def test_what_cannot_lie_on_the_device_is_stacked_on_the_host(kept_on_the_host):
    assert selected("eager", **kept_on_the_host).stepper == "stacked"
    assert selected("graph", device="cuda", **kept_on_the_host).stepper == "stacked"
    assert selected("eager", 1, **kept_on_the_host).stepper == "alone"


def test_what_the_device_or_the_cell_cannot_run_is_refused():
    with pytest.raises(ConfigError, match="captures CUDA graphs, but got device='cpu'"):
        selected("graph")
    with pytest.raises(ConfigError, match="backend native runs one trial"):
        selected("native", cell="lstm_layernorm")
