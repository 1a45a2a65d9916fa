"""A model's folder as MLflow wants it: code, safetensors and config; no pickle."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow.pyfunc
from mlflow.models import Model

from sweep.models.shipped import ship_code
from trainers.data.interface import Interface
from trainers.use.portable import MODEL_FORMAT, NETWORK_FOLDER, PortableModel

_CODE = Path(__file__).parent / "served.py"
_REQUIREMENTS = ("mlflow", "torch", "numpy", "pandas", "safetensors")
_EXAMPLE_STEPS = (2, 1)


def package(
    model: PortableModel, folder: Path, about: Mapping[str, Any], mlflow_model: Model | None = None
) -> None:
    """Write a model's folder; it must be empty or missing.

    Args:
        model: The network.
        folder: Where to.
        about: What its config.json and MLmodel say of its origin.
        mlflow_model: MLflow's own description, where the model has an id already.
    """
    with tempfile.TemporaryDirectory() as name, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on type hints that are as they are meant
        network = Path(name, NETWORK_FOLDER)
        network.mkdir()
        model.write(network, about)
        mlflow.pyfunc.save_model(
            path=folder,
            python_model=_CODE,
            artifacts={NETWORK_FOLDER: str(network)},
            code_paths=[str(ship_code(_CODE, Path(name)))],
            pip_requirements=[f"{name}=={_release(name)}" for name in _REQUIREMENTS],
            input_example=example(model.interface),
            metadata={"rnn_sweep.format": MODEL_FORMAT, **about},
            mlflow_model=mlflow_model,
        )
    for leftover in folder.rglob("__pycache__"):  # saving runs the code once
        for path in leftover.iterdir():
            path.unlink()
        leftover.rmdir()


def example(interface: Interface) -> list[dict[str, Any]]:
    """Return a request of two sequences of different lengths: the data's own middle, repeated."""
    if interface.ids:
        return [{"ids": [0] * steps} for steps in _EXAMPLE_STEPS]
    step = [float(value) for value in interface.input_shift or (0.0,) * interface.input_size]
    return [{"steps": [step] * steps} for steps in _EXAMPLE_STEPS]


def _release(name: str) -> str:
    """Return an installed version as an index has it: torch adds `+cpu` to its own."""
    return version(name).partition("+")[0]
