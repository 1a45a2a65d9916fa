from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.trainers.factory import RMSE
from tests.trainers.fused_cases import BASE, data_of
from trainers.errors import OutOfMemory
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
