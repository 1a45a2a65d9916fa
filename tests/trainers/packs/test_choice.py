"""How many trials train together, and how, is a pure function of what was measured."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.trainers.factory import RMSE
from tests.trainers.fused_cases import BASE, data_of, stream_data
from trainers.errors import OutOfMemory
from trainers.packs.choice import Measured, choose_pack, fastest
from trainers.packs.memory import pack_bytes
from trainers.packs.pack import Pack

GIB = 1 << 30
ALONE = Measured("auto", 1, 100e-6, GIB)
WAYS = st.builds(
    Measured,
    st.sampled_from(["stepwise", "graph"]),
    st.sampled_from([4, 16, 64]),
    st.floats(1e-6, 1e-2),
    st.integers(1, 40 * GIB),
)


@given(st.lists(WAYS, max_size=6))
def test_no_way_is_chosen_that_was_measured_to_be_slower(ways):
    choice = fastest([ALONE, *ways], 10 * GIB)
    chosen = next(
        w for w in [ALONE, *ways] if (w.backend, w.slots) == (choice.backend, choice.slots)
    )
    fitting = [w for w in ways if w.memory_bytes <= 8 * GIB]
    least = min([ALONE, *fitting], key=lambda w: (w.seconds, w.slots))
    same = [w for w in [ALONE, *fitting] if (w.backend, w.slots) == (least.backend, least.slots)]
    assert chosen.backend == least.backend
    assert min(w.seconds for w in same) <= ALONE.seconds
    assert "\n" not in choice.reason


def test_the_fastest_per_trial_is_chosen_and_said_why():
    ways = [ALONE, Measured("graph", 4, 40e-6, GIB), Measured("graph", 16, 8e-6, 2 * GIB)]
    choice = fastest(ways, 10 * GIB)
    assert (choice.slots, choice.backend, choice.measured) == (16, "graph", tuple(ways))
    assert choice.reason == (
        "16 at a time (graph): 8 µs per trial and segment, "
        "12.5 times as fast as one by one (100 µs)"
    )


def test_equal_times_stay_one_by_one():
    choice = fastest([ALONE, replace_slots(ALONE, 4)], 10 * GIB)
    assert (choice.slots, choice.backend) == (1, "auto")
    assert choice.reason == (
        "one by one: 100 µs per trial and segment; 4 at a time (stepwise) took 100 µs"
    )


def test_what_does_not_fit_is_not_chosen():
    choice = fastest([ALONE, Measured("stepwise", 64, 1e-6, 9 * GIB)], 10 * GIB)
    assert choice.slots == 1
    assert choice.reason.endswith("64 at a time (stepwise) took 1 µs, but do not fit into memory")


def replace_slots(way, slots):
    return Measured("stepwise", slots, way.seconds, way.memory_bytes)


def chosen_with(times, *, device="cuda", free=100 * GIB, **options):
    """Choose with times per (backend, slots); return the choice and what was tried."""
    tried = []

    def dry_run(backend, slots):
        tried.append((backend, slots))
        if (backend, slots) not in times:
            raise OutOfMemory("no room")
        return Measured(backend, slots, times[backend, slots], slots * GIB)

    structure = options.pop("structure", BASE.structure())
    data = options.pop("data", data_of())
    choice = choose_pack(structure, data, RMSE, device, dry_run=dry_run, free=free, **options)
    return choice, tried


def test_packs_grow_while_that_pays():
    times = {("auto", 1): 1.0, ("graph", 4): 0.5, ("graph", 16): 0.2, ("graph", 64): 0.21}
    choice, tried = chosen_with(times)
    assert (choice.slots, choice.backend) == (16, "graph")
    assert tried == [("auto", 1), ("graph", 4), ("graph", 16), ("graph", 64), ("stepwise", 4)]


def test_packs_grow_no_further_than_memory_and_the_limit():
    times = {("auto", 1): 1.0} | {("graph", n): 1 / n for n in (4, 16, 64, 256)}
    assert chosen_with(times, free=30 * GIB)[0].slots == 16
    assert chosen_with(times, most_slots=20)[0].slots == 16
    assert chosen_with({("auto", 1): 1.0})[0].slots == 1  # not even four fit


def test_a_cpu_goes_one_by_one_unless_asked_to_measure():
    choice, tried = chosen_with({("auto", 1): 1.0}, device="cpu")
    assert (choice.slots, choice.backend, tried) == (1, "auto", [])
    assert choice.reason == "one by one: the default on a cpu"
    choice, tried = chosen_with(
        {("auto", 1): 1.0, ("eager", 4): 0.9, ("eager", 16): 0.9, ("stepwise", 4): 1.5},
        device="cpu",
        measure=True,
    )
    assert (choice.slots, choice.backend) == (4, "eager")
    assert tried == [("auto", 1), ("eager", 4), ("eager", 16), ("stepwise", 4), ("stepwise", 16)]


def test_random_lengths_go_one_by_one():
    structure = replace(BASE, tbptt_random_lengths=True, tbptt_forward_steps=12).structure()
    choice, tried = chosen_with({}, structure=structure, data=stream_data())
    assert (choice.slots, tried) == (1, [])
    assert "random length" in choice.reason


def test_what_no_graph_runs_is_chosen_without_one():
    _, tried = chosen_with({("auto", 1): 1.0, ("stepwise", 4): 2.0}, data=data_of("gaps"))
    assert {backend for backend, _ in tried} == {"auto", "stepwise"}


@pytest.mark.slow
def test_a_real_dry_run_on_this_machine():
    choice = choose_pack(BASE.structure(), data_of(), RMSE, most_slots=4, measure=True)
    assert [way[:2] for way in choice.measured][:2] == [("auto", 1), ("eager", 4)]
    assert all(way.seconds > 0 and way.memory_bytes > 0 for way in choice.measured)
    best = min(choice.measured, key=lambda way: way.seconds)
    assert (choice.backend, choice.slots) == (best.backend, best.slots)


def test_memory_of_a_pack_grows_with_its_slots():
    structure, data = BASE.structure(), data_of()
    row = Pack(structure, data, RMSE, slots=2).row_bytes
    one, many = (pack_bytes(structure, data, slots, row) for slots in (1, 8))
    assert many == 8 * one > 8 * row
