"""First weights that a trial does not draw but is given: another network's, from a file.

The file holds the weights by torch's names, as a logged model's does. Its name ends in the SHA-256
of its content, so that whoever is told the name gets the same weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from trainers.errors import CheckpointError, ConfigError
from trainers.network.parameters import Layout

_NAME = "first-weights-{digest}.safetensors"
_SHOWN = 3


def file_name(content: bytes) -> str:
    """Return the name of a file of this content."""
    return _NAME.format(digest=hashlib.sha256(content).hexdigest())


def read_given(path: Path) -> dict[str, Tensor]:
    """Read weights by their names.

    Raises:
        CheckpointError: the file is missing, or its content is not what its name says.
    """
    try:
        content = path.read_bytes()
        found = load(content)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"first weights must be a whole safetensors file, but {path} is not ({error}); restore "
            "it, or begin another sweep."
        ) from error
    if path.name != file_name(content):
        raise CheckpointError(
            f"first weights must have the digest that their name says, but {path} does not; "
            "restore it, or begin another sweep."
        )
    return found


def copy_given(layout: Layout, row: Tensor, given: Mapping[str, Tensor]) -> None:
    """Copy weights into a flat row `(P,)`.

    Raises:
        ConfigError: they are of another structure.
    """
    why = misfit(layout, {name: tuple(value.shape) for name, value in given.items()})
    if why is not None:
        raise ConfigError(f"first weights must have the trial's names and shapes, but {why}.")
    for name, view in layout.views(row.unsqueeze(0)).items():
        view[0].copy_(given[name])


def misfit(layout: Layout, shapes: Mapping[str, tuple[int, ...]]) -> str | None:
    """Return how weights of these shapes differ from a layout's, in words; None if they fit."""
    wanted = {entry.name: entry.shape for entry in layout.entries}
    missing = [name for name in wanted if name not in shapes]
    surplus = [name for name in shapes if name not in wanted]
    other = [
        f"{name} is {shapes[name]}, not {shape}"
        for name, shape in wanted.items()
        if name in shapes and shapes[name] != shape
    ]
    found = [f"they lack {_listed(missing)}"] if missing else []
    found += [f"they have {_listed(surplus)} beside"] if surplus else []
    found += other
    return "; ".join(found[:2]) or None


def _listed(names: list[str]) -> str:
    more = ", …" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
