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

from sweep.models.card import example
from sweep.models.shipped import ship_code
from trainers.data.features.reading import EncodedReading
from trainers.data.interface import Interface
from trainers.use.ensemble import EnsembleModel
from trainers.use.portable import MODEL_FORMAT, NETWORK_FOLDER, PortableModel

_CODE = Path(__file__).parent / "served.py"
_REQUIREMENTS = ("mlflow", "torch", "numpy", "pandas", "safetensors")


def package(
    model: PortableModel | EnsembleModel,
    folder: Path,
    about: Mapping[str, Any],
    mlflow_model: Model | None = None,
) -> None:
    """Write a model's folder; it must be empty or missing.

    Args:
        model: The network, or several.
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
            pip_requirements=requirements(model.interface),
            input_example=example(model.interface),
            metadata={
                "rnn_sweep.format": MODEL_FORMAT,
                "inputs": list(model.interface.raw_names),
                **about,
            },
            mlflow_model=mlflow_model,
        )
    for leftover in folder.rglob("__pycache__"):  # saving runs the code once
        for path in leftover.iterdir():
            path.unlink()
        leftover.rmdir()


def requirements(interface: Interface) -> list[str]:
    """Return what a model's code imports, as pip has it: more where steps hold times and names."""
    names = [*_REQUIREMENTS]
    reading = interface.reading
    if isinstance(reading, EncodedReading) and not reading.is_plain:
        names.append("pyarrow")
        names += ["holidays"] if reading.encoding.recipe.holidays is not None else []
    return [f"{name}=={_release(name)}" for name in names]


def _release(name: str) -> str:
    """Return an installed version as an index has it: torch adds `+cpu` to its own."""
    return version(name).partition("+")[0]
