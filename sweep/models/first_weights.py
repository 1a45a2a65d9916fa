"""A trained model's weights, to begin other trials with (`train.first_weights`)."""

from __future__ import annotations

import json
from pathlib import Path

from sweep.models.trained import open_single


def weights_of(spec: str, directory: Path) -> bytes:
    """Return a model's weights by torch's names, as safetensors.

    Their metadata `about` says in JSON of which cell they are and what the model's inputs, outputs
    and tokens are called.

    Args:
        spec: As `open_model` takes it; no ensemble.
        directory: The folder of sweeps.

    Raises:
        UserError: there is no such model.
        CheckpointError: it is damaged.
    """
    from safetensors.torch import save

    from trainers.use.export import named_weights

    model = open_single(spec, "train.first_weights", directory)
    weights = {name: view.clone() for name, view in named_weights(model.saved).items()}
    about = {
        "cell": model.config.cell,
        "inputs": model.interface.input_names,
        "outputs": model.interface.outputs,
        "tokens": model.interface.tokens,
    }
    return save(weights, {"about": json.dumps(about)})
