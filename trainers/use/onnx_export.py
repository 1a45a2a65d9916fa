"""A trained network as an ONNX file's bytes, where the package `onnx` is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from trainers.data.features.reading import EncodedReading
from trainers.errors import ConfigError

if TYPE_CHECKING:
    from trainers.use.portable import PortableModel


def as_onnx(model: PortableModel) -> bytes:
    """Return a network, with how its data are scaled, as ONNX; see `trainers.use.onnx_graph`.

    Raises:
        ConfigError: the package is missing, a cell's or loss's own code can't be translated, a
            decoder would have to be, or forecasts are changes of a value.
    """
    reading = model.interface.reading
    if isinstance(reading, EncodedReading) and reading.needs_newest:
        raise ConfigError(
            "an ONNX graph knows no newest value to add a forecast to, but this network was "
            "trained on changes (data.target_transform: difference); train on none or log1p."
        )
    if model.config.architecture == "encoder_decoder":
        raise ConfigError(
            "an ONNX file holds networks without a decoder, but got architecture=encoder_decoder; "
            "trainers.use.export.export_checkpoint gives it as torch modules."
        )
    if find_spec("onnx") is None:
        raise ConfigError(
            "an ONNX file needs the package onnx, but it is not installed: "
            "pip install 'rnn-sweep[onnx]'."
        )
    from trainers.use.onnx_graph.network import onnx_model

    content: bytes = onnx_model(model, model.about).SerializeToString()
    return content
