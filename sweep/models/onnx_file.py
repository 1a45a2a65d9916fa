"""A trained model as an ONNX file, for programs that have neither this package nor torch."""

from __future__ import annotations

from pathlib import Path

from sweep.errors import UserError
from sweep.models.trained import open_single
from sweep.results.results import DEFAULT_FOLDER


def export_onnx(
    model: str, path: Path, directory: str | Path = DEFAULT_FOLDER, tracking_uri: str | None = None
) -> str:
    """Write a model's graph, whole or not at all.

    Args:
        model: As `open_model` takes it; no ensemble.
        path: The file; an earlier one is replaced.
        directory: The folder of sweeps.
        tracking_uri: Where `models:/` is looked for.

    Returns:
        What was written, in one line.

    Raises:
        UserError: there is no such model, or the file can't be written.
        ConfigError: the package onnx is missing, or the network's own code can't be translated.
    """
    from trainers.learning.checkpoint import write_atomically
    from trainers.use.onnx_export import as_onnx

    found = open_single(model, "an ONNX file", directory, tracking_uri)
    content = as_onnx(found)
    try:
        write_atomically(content, path)
    except OSError as error:
        raise UserError(f"an ONNX file must be a path to write to, but {error}.") from error
    return f"ONNX model of {found.interface.name} in {path}: {len(content) / 1024:,.0f} KiB."
