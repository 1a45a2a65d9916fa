"""One file that continues a trial bit-equal: safetensors, with a JSON header in its metadata.

Where the data have folds, the file is the last one's checkpoint, and holds those of the others
beside it, each with a header and tensors of its own.

Written beside its final name, synced, then moved: a reader sees the old file or the new one,
never a half. No pickle anywhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from trainers.config.train_config import TrainConfig
from trainers.errors import CheckpointError, ConfigError

FORMAT = 1
_HEADER = "header"


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


def write_checkpoint(
    checkpoint: Checkpoint, path: Path, earlier: Sequence[Checkpoint] = ()
) -> None:
    """Write atomically; the folder must exist.

    Args:
        checkpoint: The trial's.
        path: Where to.
        earlier: Those of its earlier folds, in order.
    """
    named = {_HEADER: checkpoint, **{_fold(n): one for n, one in enumerate(earlier)}}
    headers, content = dict[str, str](), dict[str, Tensor]()
    for name, one in named.items():
        tensors = {
            tensor: values.detach().cpu().contiguous() for tensor, values in one.tensors.items()
        }
        headers[name] = json.dumps(_header(one, tensors), allow_nan=False)
        prefix = "" if name == _HEADER else f"{name}/"
        content |= {f"{prefix}{tensor}": values for tensor, values in tensors.items()}
    write_atomically(save(content, headers), path)


def _header(checkpoint: Checkpoint, tensors: dict[str, Tensor]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "config": checkpoint.config.to_dict(),
        "data_digest": checkpoint.data_digest,
        "input_size": checkpoint.input_size,
        "output_size": checkpoint.output_size,
        "progress": checkpoint.progress,
        "layout": checkpoint.layout,
        "checksum": _checksum(tensors),
    }


def _fold(number: int) -> str:
    return f"fold.{number}"


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


def read_checkpoint(path: Path, *, tensors: bool = True, fold: int | None = None) -> Checkpoint:
    """Read a checkpoint; `tensors=False` reads its header only.

    Args:
        path: The file.
        tensors: Whether to read them.
        fold: Which earlier fold's; None: the trial's own.

    Raises:
        CheckpointError: the file is missing, damaged, or of another format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})[_HEADER if fold is None else _fold(fold)])
            names = _own(file.keys(), fold) if tensors else {}
            loaded = {name: file.get_tensor(stored) for name, stored in names.items()}
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


def _own(stored: Iterable[str], fold: int | None) -> dict[str, str]:
    """What tensors of one fold are called, and what the file calls them."""
    prefix = "" if fold is None else f"{_fold(fold)}/"
    own = (name for name in stored if name.startswith(prefix))
    return {name.removeprefix(prefix): name for name in own if fold is not None or "/" not in name}


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
