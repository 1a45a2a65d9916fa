from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.trainers.factory import RMSE, admitted, finish, slot_weights, without_time
from tests.trainers.fused_cases import (
    BASE,
    apart,
    assert_reports_agree,
    data_of,
    different,
    packed,
)
from trainers.errors import OutOfMemory
from trainers.network.model import Model
from trainers.packs.memory import free_bytes, is_out_of_memory
from trainers.packs.pack import Pack


def test_a_pack_that_cannot_be_allocated_says_so_in_one_line():
    giant = replace(BASE, hidden_size=20_000_000)
    with pytest.raises(OutOfMemory, match="4 slots on cpu do not") as caught:
        Pack(giant.structure(), data_of(), RMSE, slots=4)
    assert "\n" not in str(caught.value)


def test_other_errors_of_torch_are_not_taken_for_lack_of_memory():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried"))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("out of memory"))
    assert free_bytes("cpu") > 0


@pytest.mark.parametrize("backend", ["native", "stepwise", "eager"])
@pytest.mark.parametrize("at_call", [1, 4, 13])
def test_trials_stand_before_the_segment_that_did_not_fit_and_go_on_elsewhere(
    tmp_path, monkeypatch, backend, at_call
):
    """Also when it was the validation that did not fit."""
    base = replace(BASE, cell="lstm", recurrent_dropout=0.2, max_epochs=2)
    configs, data = different(base, 3), data_of("prefix")
    pack = packed(configs, data, backend=backend)
    reports: dict[int, list] = {slot: [] for slot in range(3)}
    original, calls = Model.forward, []

    def tight(self, *arguments):
        calls.append(len(calls))
        if len(calls) == at_call:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return original(self, *arguments)

    monkeypatch.setattr(Model, "forward", tight)

    def until_it_does_not_fit():
        while True:
            for report in pack.advance([0, 1, 2], 0.0):
                reports[report.slot].append(without_time(report))

    with pytest.raises(OutOfMemory):
        until_it_does_not_fit()
    monkeypatch.undo()
    smaller = Pack(base.structure(), data, RMSE, slots=2, backend="stepwise")
    for slot, config in enumerate(configs):
        pack.save(slot, tmp_path / "trial")
        smaller.admit(1, config, tmp_path / "trial")
        reports[slot] += [without_time(report) for report in finish(smaller, slot=1)]
        alone = admitted(config, data)
        assert_reports_agree(reports[slot], [without_time(r) for r in finish(alone)])
        assert apart(slot_weights(smaller, 1), slot_weights(alone)) <= 1e-9
