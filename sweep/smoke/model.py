"""Does a model that a smoke logged load from MLflow, and answer for a sequence of the data?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.smoke.checks import MODEL, Check, checked
from trainers.errors import TrainerError

if TYPE_CHECKING:
    from trainers.data.contract import SequenceData

_STEPS = 100


def check_model(model_id: str | None, data: SequenceData, directory: Path, uri: str) -> Check:
    """Load a model as `rnn-sweep predict` does, and ask it for the first validation sequence.

    Args:
        model_id: MLflow's id; None where the best trial has no model.
        data: What it was trained on.
        directory: The --dir folder.
        uri: Where MLflow has it.
    """
    from sweep.errors import UserError
    from sweep.models.trained import open_model

    if model_id is None:
        return Check(MODEL, "failed", "MLflow holds no model of the best trial")
    try:
        model = open_model(f"models:/{model_id}", directory, uri)
        (answer,) = model.predict([request(data)])
    except (UserError, TrainerError) as error:
        return Check(MODEL, "failed", " ".join(str(error).split()))
    leaves = list(_leaves(answer))
    numbers = [leaf for leaf in leaves if isinstance(leaf, float)]
    problems = [f"it answers {value}" for value in numbers if not math.isfinite(value)]
    if not any(leaf is not None for leaf in leaves):
        problems = ["it answers nothing"]
    return checked(MODEL, problems, f"{model_id} answers {', '.join(answer)}")


def request(data: SequenceData) -> dict[str, Any]:
    """Return the first validation sequence as a person writes it: raw numbers, or ids."""
    part = data.validation
    inputs = part.inputs[0, :_STEPS]
    shown = None if part.input_mask is None else part.input_mask[0, :_STEPS]
    if data.vocabulary_size is not None:
        return {"ids": (inputs if shown is None else inputs[shown]).tolist()}
    scale = 1.0 if data.input_scale is None else data.input_scale
    shift = 0.0 if data.input_shift is None else data.input_shift
    steps = (inputs * scale + shift).tolist()
    if shown is not None:
        gap = [None] * data.input_size
        steps = [step if there else gap for step, there in zip(steps, shown, strict=True)]
    return {"steps": steps}


def _leaves(answer: Any) -> Iterator[Any]:
    if isinstance(answer, Mapping):
        for value in answer.values():
            yield from _leaves(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from _leaves(value)
    else:
        yield answer
