"""One file that continues a trial bit-equal: safetensors, with a JSON header in its metadata.

Written beside its final name, synced, then moved: a reader sees the old file or the new one,
never a half. No pickle anywhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.errors import CheckpointError, ConfigError

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """A saved trial.

    Attributes:
        config: The trial's settings.
        data_digest: Digest of the data it trained on.
        input_size: Features of one step.
        output_size: Outputs of one step.
        progress: Counters, as `trainers.learning.trial.Counters` has them, and the tally's.
        layout: Name, shape and start of each parameter in the flat row.
        tensors: `weights (P,)`, `best (P,)`, `moments (n, P)`, `sums`, and inside a batch
            `state.LAYER.PART`; empty when only the header was read.
    """

    config: TrainConfig
    data_digest: str
    input_size: int
    output_size: int
    progress: dict[str, Any]
    layout: list[tuple[str, list[int], int]]
    tensors: dict[str, Tensor] = field(default_factory=dict)


def write_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write atomically; the folder must exist."""
    tensors = {
        name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()
    }
    header = {
        "format": FORMAT,
        "config": checkpoint.config.to_dict(),
        "data_digest": checkpoint.data_digest,
        "input_size": checkpoint.input_size,
        "output_size": checkpoint.output_size,
        "progress": checkpoint.progress,
        "layout": checkpoint.layout,
        "checksum": _checksum(tensors),
    }
    content = save(tensors, {"header": json.dumps(header, allow_nan=False)})
    write_atomically(content, path)


def write_atomically(content: bytes, path: Path) -> None:
    """Write a file beside its final name, sync it, move it; the folder must exist."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def read_checkpoint(path: Path, *, tensors: bool = True) -> Checkpoint:
    """Read a checkpoint; `tensors=False` reads its header only.

    Raises:
        CheckpointError: the file is missing, damaged, or of another format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["header"])
            loaded = {name: file.get_tensor(name) for name in file.keys()} if tensors else {}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"a checkpoint must be a whole safetensors file with a header, but {path} is not "
            f"({error}); use an earlier checkpoint."
        ) from error
    if header.get("format") != FORMAT:
        raise CheckpointError(
            f"checkpoint format must be {FORMAT}, but {path} has {header.get('format')!r}; "
            "read it with the version that wrote it."
        )
    if tensors and _checksum(loaded) != header["checksum"]:
        raise CheckpointError(
            f"a checkpoint's content must match its checksum, but {path} does not; "
            "use an earlier checkpoint."
        )
    return _parsed(header, loaded, path)


def _parsed(header: dict[str, Any], tensors: dict[str, Tensor], path: Path) -> Checkpoint:
    try:
        return Checkpoint(
            config=TrainConfig.from_mapping(header["config"]),
            data_digest=header["data_digest"],
            input_size=header["input_size"],
            output_size=header["output_size"],
            progress=header["progress"],
            layout=[(name, list(shape), start) for name, shape, start in header["layout"]],
            tensors=tensors,
        )
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise CheckpointError(f"the header of {path} can't be read: {error}") from error


def check_fits(checkpoint: Checkpoint, config: TrainConfig, data_digest: str, path: Path) -> None:
    """Check that a checkpoint belongs to this trial and this data.

    Raises:
        CheckpointError: it belongs to another; the message shows what differs.
    """
    saved, wanted = asdict(checkpoint.config), asdict(config)
    different = [f"{n}: {saved[n]!r} → {wanted[n]!r}" for n in saved if saved[n] != wanted[n]]
    if different:
        raise CheckpointError(
            f"a checkpoint continues its own configuration only, but {path} differs in "
            f"{', '.join(different)}."
        )
    if checkpoint.data_digest != data_digest:
        raise CheckpointError(
            f"a checkpoint continues on its own data only, but {path} has digest "
            f"{checkpoint.data_digest[:12]} and the data {data_digest[:12]}."
        )


def _checksum(tensors: dict[str, Tensor]) -> int:
    total = 0
    for name in sorted(tensors):
        total = zlib.crc32(tensors[name].contiguous().numpy().tobytes(), total)
    return total
