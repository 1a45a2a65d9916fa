"""Memory of a device: how much a pack may take, and what torch says when it does not suffice.

Or when the device itself has failed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from trainers.config.train_config import Structure
from trainers.data.contract import SequenceData
from trainers.errors import OutOfMemory

_CUDA_SAYS = ("CUDA error", "CUDNN_STATUS_EXECUTION_FAILED", "device-side assert")
_TORCH_SAYS = ("not enough memory", "can't allocate memory", "out of memory")


@contextmanager
def out_of_memory_named(slots: int, device: torch.device | str) -> Iterator[None]:
    """Turn what torch and Python raise for lack of memory into `OutOfMemory`.

    Raises:
        OutOfMemory: a pack of `slots` does not fit.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:  # torch.OutOfMemoryError is a RuntimeError
        if not is_out_of_memory(error):
            raise
        if torch.device(device).type == "cuda":
            torch.cuda.empty_cache()
        text = (str(error).splitlines() or ["no memory left"])[0]
        raise OutOfMemory(
            f"a pack must fit into memory, but {slots} slots on {device} do not ({text}); "
            "take fewer slots, a smaller batch_size or shorter segments."
        ) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory did not suffice."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _TORCH_SAYS)


def is_device_lost(error: BaseException) -> bool:
    """Return whether an error means that this process can use its device no more."""
    if is_out_of_memory(error) or not isinstance(error, RuntimeError):
        return False
    says = str(error)
    return isinstance(error, torch.AcceleratorError) or any(words in says for words in _CUDA_SAYS)


def free_bytes(device: torch.device | str) -> int:
    """Return how much memory is free on a device."""
    if torch.device(device).type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def pack_bytes(structure: Structure, data: SequenceData, slots: int, row_bytes: int) -> int:
    """Estimate what a pack takes, in bytes: its rows, and what one segment keeps for the gradient.

    Per step and row each layer keeps its gates, their product and its state, about ten numbers per
    hidden unit in each direction; inputs, one-hot ids and categories' vectors are numbers too.
    """
    steps = min(structure.tbptt_forward_steps or data.train.time_steps, data.train.time_steps)
    directions = 2 if structure.bidirectional else 1
    inputs = data.input_size + sum(size for _, _, size in structure.category_embeddings)
    per_step = inputs + 10 * directions * sum(structure.layer_sizes) + data.output_size
    number = 8 if structure.dtype == "float64" else 4
    if structure.decodes:
        steps += structure.horizon  # of the decoder, whose steps are as large
    return slots * row_bytes + slots * structure.batch_size * steps * per_step * number
